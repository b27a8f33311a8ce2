//! Bytes to pixels: PNG, JPEG and WebP, known by their content and not by their name.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::{MAX_PIXELS, Picture, check_sides};
use crate::error::{Error, Result};

impl Picture {
    /// Reads a PNG, JPEG or WebP picture, the first frame of an animated one.
    ///
    /// The EXIF orientation is applied, transparency is laid over white, and grey, CMYK, palette
    /// and 16-bit pictures are converted to 8-bit RGB. Colour profiles are not applied. The sides
    /// are read and bounded before any pixel is.
    ///
    /// # Errors
    /// [`Error::ImageEmpty`], [`Error::ImageUnsupported`] for any other kind of file,
    /// [`Error::ImageTooLarge`] above [`MAX_PIXELS`], [`Error::ImageCorrupt`] for a damaged
    /// picture, and for a JPEG that ends before its end marker.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        if bytes.is_empty() {
            return Err(Error::ImageEmpty);
        }
        let format = image::guess_format(bytes).map_err(|_| Error::ImageUnsupported)?;
        if !matches!(
            format,
            ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP
        ) {
            return Err(Error::ImageUnsupported);
        }

        // A decoder made for too large a picture, or for a header and nothing else, would only say
        // that it is damaged.
        if let Ok(size) = imagesize::blob_size(bytes) {
            let side = |side| u32::try_from(side).unwrap_or(u32::MAX);
            if size.width > 0 && size.height > 0 {
                check_sides(side(size.width), side(size.height))?;
            }
        }
        let mut limits = Limits::default();
        // The largest picture there is: four channels of 16 bits.
        limits.max_alloc = Some(MAX_PIXELS * 8);
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(unreadable)?;
        let (width, height) = decoder.dimensions();
        if width == 0 || height == 0 {
            return Err(Error::ImageCorrupt("its header has no pixels".into()));
        }
        check_sides(width, height)?;
        // The JPEG decoder paints what is missing grey, which must not pass for the picture.
        if format == ImageFormat::Jpeg && jpeg_is_cut_short(bytes) {
            return Err(Error::ImageCorrupt("the file ends too early".into()));
        }

        // A picture is no less readable for what is wrong with its EXIF data.
        let orientation = match format {
            ImageFormat::WebP => webp_orientation(bytes),
            _ => decoder.orientation().ok(),
        };
        let mut image = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
        image.apply_orientation(orientation.unwrap_or(Orientation::NoTransforms));
        let (width, height) = (image.width(), image.height());
        let rgb = if image.color().has_alpha() {
            over_white(&image.into_rgba8())
        } else {
            image.into_rgb8().into_raw()
        };
        Self::from_rgb(width, height, rgb)
    }
}

/// RGBA (not premultiplied) over white, rounded to the nearest.
fn over_white(rgba: &[u8]) -> Vec<u8> {
    let (pixels, _) = rgba.as_chunks::<4>();
    let over = |sample: u8, alpha: u8| {
        let (sample, alpha) = (u32::from(sample), u32::from(alpha));
        // At most 255, as both parts are fractions of one whole.
        ((sample * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    pixels
        .iter()
        .flat_map(|&[r, g, b, a]| [over(r, a), over(g, a), over(b, a)])
        .collect()
}

/// Whether no end marker follows the first scan. Segments before it are skipped by their length,
/// as a thumbnail in there has an end marker of its own.
fn jpeg_is_cut_short(bytes: &[u8]) -> bool {
    const END: [u8; 2] = [0xFF, 0xD9];
    let mut rest = bytes.get(2..).unwrap_or_default();
    loop {
        let Some(start) = rest.windows(2).position(|pair| {
            let [prefix, marker] = [pair[0], pair[1]];
            prefix == 0xFF && marker != 0xFF && marker != 0x00
        }) else {
            return true;
        };
        match rest[start + 1] {
            0x01 | 0xD0..=0xD8 => rest = &rest[start + 2..],
            0xD9 => return false,
            0xDA => return !rest[start + 2..].windows(2).any(|pair| pair == END),
            _ => {
                let Some(&[high, low]) = rest.get(start + 2..start + 4) else {
                    return true;
                };
                let length = usize::from(u16::from_be_bytes([high, low]));
                rest = rest.get(start + 2 + length..).unwrap_or_default();
            }
        }
    }
}

/// The orientation in the EXIF chunk of a WebP picture. The decoder's own reading of it reserves
/// what the chunk's header asks for, up to 4 GiB, which a browser's module does not survive.
fn webp_orientation(bytes: &[u8]) -> Option<Orientation> {
    let mut rest = bytes.get(12..)?;
    loop {
        let (header, content) = rest.split_first_chunk::<8>()?;
        let [a, b, c, d, length @ ..] = *header;
        let length = usize::try_from(u32::from_le_bytes(length)).ok()?;
        let chunk = content.get(..length)?;
        if [a, b, c, d] == *b"EXIF" {
            // Some writers keep the prefix that it has in a JPEG.
            return Orientation::from_exif_chunk(chunk.strip_prefix(b"Exif\0\0").unwrap_or(chunk));
        }
        rest = content.get(length.checked_add(length % 2)?..)?;
    }
}

/// What the decoder says, as one of this crate's errors.
fn unreadable(error: ImageError) -> Error {
    match error {
        ImageError::Unsupported(_) => Error::ImageUnsupported,
        error => {
            let reason = error.to_string();
            Error::ImageCorrupt(reason.trim_end_matches(['.', '\n', ' ']).to_owned())
        }
    }
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
