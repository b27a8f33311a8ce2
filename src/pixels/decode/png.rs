//! PNG: reads only the chunks that make up the picture.

use std::io::Cursor;

use image::metadata::Orientation;
use png::{ColorType, DecodeOptions, Decoder, Limits, Transformations};

use super::exif;
use super::stored::{Stored, cut_short, damaged, over, over_white};
use crate::error::{Error, Result};

/// The first bytes of every PNG.
pub(super) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// An EXIF block takes at most 64 KiB in a JPEG; as text it is twice as long.
const MAX_PROFILE: usize = 256 << 10;
/// Memory that the decoder may use in addition to its rows; it is never given text or profiles.
const OVERHEAD: usize = 1 << 20;

/// One chunk; may be truncated at the end of the file.
struct Chunk<'a> {
    name: [u8; 4],
    data: &'a [u8],
    /// Whether the data is complete.
    whole: bool,
    /// The stored checksum, unless zero: some writers never fill it in.
    checksum: Option<u32>,
}

/// The chunks of a file, up to the end chunk or the first invalid one.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let mut rest = bytes.get(SIGNATURE.len()..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (name, after) = after.split_first_chunk::<4>()?;
        if name == b"IEND" || !name.iter().all(u8::is_ascii_alphabetic) {
            return None;
        }
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let (data, after) = after.split_at(length.min(after.len()));
        let checksum = after.first_chunk().map(|sum| u32::from_be_bytes(*sum));
        rest = after.get(4..).unwrap_or_default();
        Some(Chunk {
            name: *name,
            data,
            whole: data.len() == length,
            checksum: checksum.filter(|&sum| sum != 0),
        })
    })
}

pub(super) fn read(bytes: &[u8], admit: impl Fn(u32, u32) -> Result<()>) -> Result<Stored> {
    let mut chunks = chunks(bytes);
    let header = chunks.next().ok_or_else(cut_short)?;
    if header.name == *b"CgBI" {
        return Err(Error::ImageKind("Apple's own variant of PNG"));
    }
    if header.name != *b"IHDR" {
        return Err(damaged());
    }
    // Available even if the header is truncated.
    let side = |at: usize| {
        let side = header.data.get(at..).and_then(<[u8]>::first_chunk);
        side.map(|side| u32::from_be_bytes(*side))
            .ok_or_else(cut_short)
    };
    admit(side(0)?, side(4)?)?;

    let mut picture = SIGNATURE.to_vec();
    add(&mut picture, &header)?;
    let (mut data, mut verified) = (Part::Before, header.checksum.is_some());
    let (mut oriented, mut profiled) = (None, None);
    for chunk in chunks {
        match &chunk.name {
            b"IDAT" if data != Part::After => {
                data = Part::Inside;
                verified &= chunk.checksum.is_some();
                add(&mut picture, &chunk)?;
                continue;
            }
            // The decoder relies on three bytes per colour.
            b"PLTE" if chunk.data.len() % 3 != 0 => return Err(damaged()),
            b"PLTE" | b"tRNS" if data == Part::Before => add(&mut picture, &chunk)?,
            b"eXIf" => oriented = oriented.or_else(|| exif::orientation(chunk.data)),
            b"tEXt" | b"zTXt" | b"iTXt" => {
                profiled = profiled.or_else(|| profile_orientation(&chunk));
            }
            _ => {}
        }
        if data == Part::Inside {
            data = Part::After;
        }
    }
    if data == Part::Before {
        return Err(cut_short());
    }
    picture.extend(b"\0\0\0\0IEND\0\0\0\0");
    let (width, height, rgb) = decode(picture, verified)?;
    Ok(Stored {
        width,
        height,
        rgb,
        orientation: oriented.or(profiled),
    })
}

/// Position in the chunk sequence; the image data must be contiguous.
#[derive(PartialEq)]
enum Part {
    Before,
    Inside,
    After,
}

/// Appends a chunk after verifying its checksum, so that the decoder need not.
fn add(picture: &mut Vec<u8>, chunk: &Chunk) -> Result<()> {
    // A truncated palette or header is unusable; for image data, the decoder knows how much is
    // missing.
    if !chunk.whole && chunk.name != *b"IDAT" {
        return Err(cut_short());
    }
    let start = picture.len();
    let length = u32::try_from(chunk.data.len()).map_err(|_| damaged())?;
    picture.extend(length.to_be_bytes());
    picture.extend(chunk.name);
    picture.extend(chunk.data);
    let wrong = |sum| sum != crc32fast::hash(&picture[start + 4..]);
    if chunk.whole && chunk.checksum.is_some_and(wrong) {
        return Err(Error::ImageCorrupt(
            "a checksum in it does not match".into(),
        ));
    }
    picture.extend([0; 4]);
    Ok(())
}

/// Width, height and RGB. Unless every chunk's checksum was present, the checksum of the compressed
/// data must match.
fn decode(picture: Vec<u8>, verified: bool) -> Result<(u32, u32, Vec<u8>)> {
    let mut options = DecodeOptions::default();
    options.set_ignore_crc(true);
    options.set_ignore_adler32(verified);
    let mut decoder = Decoder::new_with_options(Cursor::new(picture), options);
    let row = {
        let info = decoder.read_header_info().map_err(|_| damaged())?;
        // Four 16-bit channels, as stored and as expanded, plus the previous row.
        usize::try_from(info.width)
            .unwrap_or(usize::MAX)
            .saturating_mul(8 * 4)
    };
    decoder.set_limits(Limits {
        bytes: row.saturating_add(OVERHEAD),
    });
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(|_| damaged())?;
    let length = reader.output_buffer_size().ok_or_else(damaged)?;
    let mut samples = vec![0; length];
    let frame = reader.next_frame(&mut samples).map_err(|_| damaged())?;
    samples.truncate(frame.buffer_size());
    if frame.bit_depth == png::BitDepth::Sixteen {
        samples = to_eight_bits(samples);
    }
    let rgb = match frame.color_type {
        ColorType::Rgb => samples,
        ColorType::Rgba => over_white(&samples),
        ColorType::Grayscale => samples.iter().flat_map(|&grey| [grey; 3]).collect(),
        ColorType::GrayscaleAlpha => {
            let (pixels, _) = samples.as_chunks::<2>();
            pixels
                .iter()
                .flat_map(|&[grey, alpha]| [over(grey, alpha); 3])
                .collect()
        }
        ColorType::Indexed => return Err(damaged()),
    };
    Ok((frame.width, frame.height, rgb))
}

/// Rounds big-endian 16-bit samples to the nearest of 256 levels.
fn to_eight_bits(samples: Vec<u8>) -> Vec<u8> {
    let (samples, _) = samples.as_chunks::<2>();
    samples
        .iter()
        .map(|&sample| ((u32::from(u16::from_be_bytes(sample)) + 128) / 257) as u8)
        .collect()
}

/// The orientation from an EXIF block stored as text, as ImageMagick does: `Raw profile type exif`,
/// with a name, a length and hexadecimal digits on separate lines.
fn profile_orientation(chunk: &Chunk) -> Option<Orientation> {
    let (keyword, mut content) = split_at_zero(chunk.data)?;
    let kind = keyword.strip_prefix(b"Raw profile type ")?;
    if ![&b"exif"[..], b"APP1", b"app1"].contains(&kind) {
        return None;
    }
    let compressed = match &chunk.name {
        b"tEXt" => false,
        b"zTXt" => {
            content = content.get(1..)?;
            true
        }
        _ => {
            let (&[compressed, _method], rest) = content.split_first_chunk()?;
            let (_language, rest) = split_at_zero(rest)?;
            content = split_at_zero(rest)?.1;
            compressed == 1
        }
    };
    let inflated;
    if compressed {
        inflated = fdeflate::decompress_to_vec_bounded(content, MAX_PROFILE).ok()?;
        content = &inflated;
    }
    let mut lines = content.trim_ascii_start().splitn(3, |&byte| byte == b'\n');
    let (_name, _length, digits) = (lines.next()?, lines.next()?, lines.next()?);
    let digits: Vec<u8> = digits
        .iter()
        .filter_map(|&digit| char::from(digit).to_digit(16))
        .map(|digit| digit as u8)
        .take(MAX_PROFILE)
        .collect();
    let (pairs, _) = digits.as_chunks::<2>();
    let block: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    exif::orientation(&block)
}

fn split_at_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::super::exif::tests::exif;
    use super::*;
    use crate::Picture;
    use crate::pixels::tests::waves;

    /// The chunks of a PNG after the signature, with their checksums.
    fn chunks(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut file = SIGNATURE.to_vec();
        for (name, data) in chunks {
            let content = [&name[..], data].concat();
            file.extend((data.len() as u32).to_be_bytes());
            file.extend(&content);
            file.extend(crc32fast::hash(&content).to_be_bytes());
        }
        file
    }

    /// The data of the first chunk with this name.
    fn chunk<'a>(file: &'a [u8], name: &[u8; 4]) -> &'a [u8] {
        let at = file.windows(4).position(|window| window == name).unwrap();
        let length = u32::from_be_bytes(*file[at - 4..].first_chunk().unwrap());
        &file[at + 4..][..length as usize]
    }

    #[test]
    fn exif_stored_as_text_of_a_png_is_applied() {
        let plain = waves(6, 4).png().unwrap();
        let (header, data) = (chunk(&plain, b"IHDR"), chunk(&plain, b"IDAT"));
        let digits: String = [&b"Exif\0\0"[..], &exif(true, 3, 6)]
            .concat()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let (one, two) = digits.split_at(22);
        let profile = format!("\nexif\n      {}\n{one}\n{two}\n", digits.len() / 2);
        let packed = fdeflate::compress_to_vec(profile.as_bytes());
        for keyword in ["exif", "APP1"] {
            let keyword = format!("Raw profile type {keyword}\0");
            let texts: [(&[u8; 4], Vec<u8>); 4] = [
                (b"tEXt", [keyword.as_bytes(), profile.as_bytes()].concat()),
                (b"zTXt", [keyword.as_bytes(), b"\0", &packed].concat()),
                (
                    b"iTXt",
                    [keyword.as_bytes(), b"\0\0en\0\0", profile.as_bytes()].concat(),
                ),
                (
                    b"iTXt",
                    [keyword.as_bytes(), b"\x01\0\0\0", &packed].concat(),
                ),
            ];
            for (name, text) in texts {
                // Before and after the image data.
                for text_first in [true, false] {
                    let (text, data) = ((name, &text[..]), (b"IDAT", data));
                    let [first, second] = if text_first {
                        [text, data]
                    } else {
                        [data, text]
                    };
                    let file = chunks(&[(b"IHDR", header), first, second, (b"IEND", b"")]);
                    let read = Picture::decode(&file).unwrap();
                    assert_eq!((read.width(), read.height()), (4, 6), "{name:?}");
                }
            }
        }
    }

    #[test]
    fn checksums_of_a_png_must_match_or_be_zero() {
        let picture = waves(6, 4);
        let whole = picture.png().unwrap();
        let data = whole
            .windows(4)
            .position(|window| window == b"IDAT")
            .unwrap()
            + 4;
        let checksum = data + chunk(&whole, b"IDAT").len();
        let mut zero = whole.clone();
        zero[checksum..checksum + 4].fill(0);
        assert_eq!(Picture::decode(&zero).unwrap(), picture);
        let mut wrong = whole.clone();
        wrong[checksum] ^= 1;
        assert_eq!(code(&wrong), "image_corrupt");
        // The checksum of the compressed data must then match.
        let mut flipped = zero;
        flipped[checksum - 1] ^= 1;
        assert_eq!(code(&flipped), "image_corrupt");
    }

    fn code(bytes: &[u8]) -> &'static str {
        Picture::decode(bytes).unwrap_err().code()
    }
}
