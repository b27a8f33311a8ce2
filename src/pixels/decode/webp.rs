//! WebP: extracts a single still picture from any of the container's layouts.
//!
//! Source: the WebP container specification,
//! <https://developers.google.com/speed/webp/docs/riff_container>.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::exif;
use super::stored::{Stored, cut_short, damaged, over_white};
use crate::error::{Error, Result};

/// Flags in the header of an extended file.
const ANIMATED: u8 = 0b10;
const HAS_ALPHA: u8 = 0b1_0000;
/// Size of an animation frame's own header in bytes.
const FRAME_HEADER: usize = 16;

pub(super) fn is_webp(bytes: &[u8]) -> bool {
    bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP")
}

/// One chunk of a container.
#[derive(Clone, Copy)]
struct Chunk<'a> {
    name: [u8; 4],
    data: &'a [u8],
    whole: bool,
}

/// The chunks in `bytes`; the last may be truncated.
fn chunks(mut bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    std::iter::from_fn(move || {
        let (name, rest) = bytes.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let (data, rest) = rest.split_at(length.min(rest.len()));
        // Chunks are padded to an even length.
        bytes = rest.get(length % 2..).unwrap_or_default();
        Some(Chunk {
            name: *name,
            data,
            whole: data.len() == length,
        })
    })
}

pub(super) fn read(bytes: &[u8], admit: impl Fn(u32, u32) -> Result<()>) -> Result<Stored> {
    let file = bytes.get(12..).ok_or_else(cut_short)?;
    let first = chunks(file).next().ok_or_else(cut_short)?;
    let orientation = || {
        let block = chunks(file).find(|chunk| chunk.name == *b"EXIF" && chunk.whole)?;
        exif::orientation(block.data)
    };
    if first.name != *b"VP8X" {
        let still = Still::find([first].into_iter())?;
        admit(still.width, still.height)?;
        return Ok(Stored {
            width: still.width,
            height: still.height,
            rgb: still.decode()?,
            orientation: None,
        });
    }

    let (width, height) = (side(first.data, 4)?, side(first.data, 7)?);
    admit(width, height)?;
    let frames = chunks(file).find(|chunk| chunk.name == *b"ANMF");
    let Some(frame) = frames.filter(|_| first.data[0] & ANIMATED != 0) else {
        let still = Still::find(chunks(file).skip(1))?;
        still.must_be(width, height)?;
        return Ok(Stored {
            width,
            height,
            rgb: still.decode()?,
            orientation: orientation(),
        });
    };
    let content = frame.data.get(FRAME_HEADER..).ok_or_else(cut_short)?;
    let still = Still::find(chunks(content))?;
    still.must_be(side(frame.data, 6)?, side(frame.data, 9)?)?;
    let (left, top) = (2 * number(frame.data, 0)?, 2 * number(frame.data, 3)?);
    if left + still.width > width || top + still.height > height {
        return Err(damaged());
    }
    let rgb = still.decode()?;
    Ok(Stored {
        width,
        height,
        rgb: placed(rgb, still.width, (left, top), (width, height)),
        orientation: orientation(),
    })
}

/// Reads a 24-bit integer.
fn number(bytes: &[u8], at: usize) -> Result<u32> {
    match bytes.get(at..at + 3) {
        Some(&[a, b, c]) => Ok(u32::from_le_bytes([a, b, c, 0])),
        _ => Err(cut_short()),
    }
}

/// Reads a width or height, which is stored minus one.
fn side(bytes: &[u8], at: usize) -> Result<u32> {
    Ok(number(bytes, at)? + 1)
}

/// Places a frame at (left, top) on an otherwise white canvas.
fn placed(rgb: Vec<u8>, width: u32, (left, top): (u32, u32), canvas: (u32, u32)) -> Vec<u8> {
    let bytes = |pixels: u32| pixels as usize * 3;
    if rgb.len() == bytes(canvas.0) * canvas.1 as usize {
        return rgb;
    }
    let mut whole = vec![255; bytes(canvas.0) * canvas.1 as usize];
    let rows = whole.chunks_exact_mut(bytes(canvas.0)).skip(top as usize);
    for (row, source) in rows.zip(rgb.chunks_exact(bytes(width))) {
        row[bytes(left)..][..source.len()].copy_from_slice(source);
    }
    whole
}

/// The chunks of one picture, and the dimensions from its own header.
struct Still<'a> {
    width: u32,
    height: u32,
    image: Chunk<'a>,
    alpha: Option<Chunk<'a>>,
}

impl<'a> Still<'a> {
    /// Finds the first picture among `chunks`, and the alpha chunk before it.
    fn find(chunks: impl Iterator<Item = Chunk<'a>>) -> Result<Self> {
        let mut alpha = None;
        for chunk in chunks {
            let (width, height) = match &chunk.name {
                b"ALPH" => {
                    alpha = alpha.or(Some(chunk));
                    continue;
                }
                b"VP8 " => lossy_sides(chunk.data)?,
                b"VP8L" => {
                    // A lossless picture has its own alpha channel.
                    alpha = None;
                    lossless_sides(chunk.data)?
                }
                _ => continue,
            };
            return Ok(Self {
                width,
                height,
                image: chunk,
                alpha,
            });
        }
        Err(cut_short())
    }

    /// Required because the decoder assumes that the dimensions in both headers agree.
    fn must_be(&self, width: u32, height: u32) -> Result<()> {
        match (self.width, self.height) == (width, height) {
            true => Ok(()),
            false => Err(Error::ImageCorrupt("it states two different sizes".into())),
        }
    }

    /// Decodes to RGB, composited over white.
    fn decode(&self) -> Result<Vec<u8>> {
        if !self.image.whole || self.alpha.is_some_and(|alpha| !alpha.whole) {
            return Err(cut_short());
        }
        let mut decoder = WebPDecoder::new(Cursor::new(self.file())).map_err(|_| damaged())?;
        let sides = decoder.dimensions();
        let length = decoder.output_buffer_size().ok_or_else(damaged)?;
        if sides != (self.width, self.height) {
            return Err(damaged());
        }
        // At most one RGBA copy in addition to the output.
        decoder.set_memory_limit(length.max(1 << 20));
        let mut samples = vec![0; length];
        decoder.read_image(&mut samples).map_err(|_| damaged())?;
        match decoder.has_alpha() {
            true => Ok(over_white(&samples)),
            false => Ok(samples),
        }
    }

    /// A file that contains this picture and nothing else.
    fn file(&self) -> Vec<u8> {
        let mut file = b"RIFF\0\0\0\0WEBP".to_vec();
        let mut add = |name: &[u8; 4], data: &[u8]| {
            file.extend(name);
            // The length was read from a 32-bit field.
            file.extend((data.len() as u32).to_le_bytes());
            file.extend(data);
            file.extend(&[0][..data.len() % 2]);
        };
        // Always extended: the decoder misreads a side of 16384 in a lossless picture's own header.
        let lossless_alpha = self.image.name == *b"VP8L" && self.image.data[4] & 0x10 != 0;
        let flags = match self.alpha.is_some() || lossless_alpha {
            true => HAS_ALPHA,
            false => 0,
        };
        let [a, b, c, _] = (self.width - 1).to_le_bytes();
        let [d, e, f, _] = (self.height - 1).to_le_bytes();
        add(b"VP8X", &[flags, 0, 0, 0, a, b, c, d, e, f]);
        if let Some(alpha) = self.alpha {
            add(b"ALPH", alpha.data);
        }
        add(&self.image.name, self.image.data);
        let length = (file.len() - 8) as u32;
        file[4..8].copy_from_slice(&length.to_le_bytes());
        file
    }
}

/// Source: RFC 6386, section 9.1.
fn lossy_sides(data: &[u8]) -> Result<(u32, u32)> {
    let &[_, _, _, 0x9D, 0x01, 0x2A, a, b, c, d] =
        data.first_chunk::<10>().ok_or_else(cut_short)?
    else {
        return Err(damaged());
    };
    let side = |bytes| u32::from(u16::from_le_bytes(bytes) & 0x3FFF);
    Ok((side([a, b]), side([c, d])))
}

/// Source: the specification of WebP's lossless bitstream, section 3.
fn lossless_sides(data: &[u8]) -> Result<(u32, u32)> {
    let &[0x2F, a, b, c, d] = data.first_chunk::<5>().ok_or_else(cut_short)? else {
        return Err(damaged());
    };
    let bits = u32::from_le_bytes([a, b, c, d]);
    Ok(((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1))
}

#[cfg(test)]
mod tests {
    use super::super::exif::tests::exif;
    use crate::Picture;
    use crate::pixels::tests::{painted, waves};

    /// Chunks of a WebP file.
    fn riff(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut file = b"RIFF\0\0\0\0WEBP".to_vec();
        file.extend(riff_chunks(chunks));
        file
    }

    fn riff_chunks(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, data) in chunks {
            bytes.extend(*name);
            bytes.extend((data.len() as u32).to_le_bytes());
            bytes.extend(*data);
            bytes.extend(&[0][..data.len() % 2]);
        }
        bytes
    }

    /// The header of an extended WebP file with these dimensions.
    fn extended(flags: u8, width: u8, height: u8) -> [u8; 10] {
        [flags, 0, 0, 0, width - 1, 0, 0, height - 1, 0, 0]
    }

    /// The only frame of an animation, at (2 left, 2 top) with size `width`×`height`.
    fn frame(left: u8, top: u8, width: u8, height: u8, content: &[u8]) -> Vec<u8> {
        let header = [
            left,
            0,
            0,
            top,
            0,
            0,
            width - 1,
            0,
            0,
            height - 1,
            0,
            0,
            0,
            0,
            0,
            0,
        ];
        [&header[..], content].concat()
    }

    #[test]
    fn frames_of_a_webp_are_as_large_as_the_file_says() {
        let picture = waves(6, 4);
        let still = picture.encode_as("webp").unwrap();
        let image = &still[20..];
        let content = riff_chunks(&[(b"VP8L", image)]);
        let animated = |canvas: [u8; 10], frame: Vec<u8>| {
            riff(&[(b"VP8X", &canvas), (b"ANIM", &[0; 6]), (b"ANMF", &frame)])
        };
        let whole = animated(extended(2, 6, 4), frame(0, 0, 6, 4, &content));
        assert_eq!(Picture::decode(&whole).unwrap(), picture);
        let single = riff(&[(b"VP8X", &extended(0, 6, 4)), (b"VP8L", image)]);
        assert_eq!(Picture::decode(&single).unwrap(), picture);

        // Covers part of the canvas, with white around it.
        let part = animated(extended(2, 9, 8), frame(1, 2, 6, 4, &content));
        let expected = painted(9, 8, |x, y, c| {
            let inside = (2..8).contains(&x) && (4..8).contains(&y);
            match inside {
                true => picture.rgb()[(((y - 4) * 6 + x - 2) * 3 + c) as usize],
                false => 255,
            }
        });
        assert_eq!(Picture::decode(&part).unwrap(), expected);

        let contradictions = [
            animated(extended(2, 9, 8), frame(0, 0, 7, 4, &content)),
            animated(extended(2, 9, 8), frame(0, 0, 6, 3, &content)),
            animated(extended(2, 9, 8), frame(2, 0, 6, 4, &content)),
            animated(extended(2, 9, 8), frame(0, 3, 6, 4, &content)),
            riff(&[(b"VP8X", &extended(0, 6, 5)), (b"VP8L", image)]),
            riff(&[(b"VP8X", &extended(0, 7, 4)), (b"VP8L", image)]),
        ];
        for file in contradictions {
            assert_eq!(code(&file), "image_corrupt");
        }
    }

    #[test]
    fn exif_chunks_of_webp_are_bounded_by_the_file() {
        let still = waves(6, 4).encode_as("webp").unwrap();
        let block = exif(false, 3, 6);
        for block in [block.clone(), [b"Exif\0\0", &block[..]].concat()] {
            let file = riff(&[
                (b"VP8X", &extended(8, 6, 4)),
                (b"JUNK", b"odd"),
                (b"VP8L", &still[20..]),
                (b"EXIF", &block),
            ]);
            assert_eq!(Picture::decode(&file).unwrap().width(), 4);
            let length = file.len() - block.len() - block.len() % 2 - 4;
            for too_long in [block.len() as u32 + 2, u32::MAX] {
                let mut file = file.clone();
                file[length..length + 4].copy_from_slice(&too_long.to_le_bytes());
                assert_eq!(Picture::decode(&file).unwrap().width(), 6);
            }
        }
    }

    fn code(bytes: &[u8]) -> &'static str {
        Picture::decode(bytes).unwrap_err().code()
    }
}
