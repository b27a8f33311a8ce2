//! Decodes PNG, JPEG and WebP, detected by content rather than by file name.
//!
//! Each format's file is parsed here as far as needed to learn its dimensions, kind and
//! orientation, and whether its data is complete. The decoders are then given a minimal file that
//! contains nothing but the picture, so that they never see colour profiles or contradicting
//! headers.

mod contain;
mod exif;
mod jpeg;
mod png;
mod stored;
mod webp;

use super::prepare::fitted;
use super::{MAX_ENCODED, Picture, check_sides};
use crate::error::{Error, Result};

impl Picture {
    /// Decodes a PNG, JPEG or WebP picture; of an animation, the first frame.
    ///
    /// The EXIF orientation is applied, transparency is composited over white, and grey, CMYK,
    /// palette and 16-bit pictures are converted to 8-bit RGB. Colour profiles are not applied. The
    /// dimensions are checked before any pixel is decoded, and bound the memory used.
    ///
    /// # Errors
    /// [`Error::ImageEmpty`]; [`Error::ImageUnsupported`] for any other kind of file, and
    /// [`Error::ImageKind`] for unsupported kinds of JPEG and PNG; [`Error::ImageTooLarge`] above
    /// [`MAX_PIXELS`](super::MAX_PIXELS); [`Error::ImageCorrupt`] for a damaged or truncated
    /// picture.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        contain::contained(|| read(bytes, |_, _| Ok(())))
    }

    /// [Decodes](Self::decode), then [fits](Self::fit). A picture that would still have more than
    /// [`MAX_ENCODED`] pixels is rejected from its header, before memory is allocated for its
    /// pixels.
    ///
    /// # Errors
    /// As [`decode`](Self::decode), and [`Error::ImageTooLarge`] above [`MAX_ENCODED`].
    pub fn decode_fit(bytes: &[u8], max_side: u32, square: bool) -> Result<Self> {
        let admit = |width, height| {
            let (width, height) = fitted(width, height, max_side, square);
            match u64::from(width) * u64::from(height) <= MAX_ENCODED {
                true => Ok(()),
                false => Err(Error::ImageTooLarge {
                    width,
                    height,
                    max_pixels: MAX_ENCODED,
                }),
            }
        };
        let picture = contain::contained(|| read(bytes, admit))?;
        Ok(picture.into_fit(max_side, square))
    }
}

fn read(bytes: &[u8], admit: impl Fn(u32, u32) -> Result<()>) -> Result<Picture> {
    if bytes.is_empty() {
        return Err(Error::ImageEmpty);
    }
    let admit = |width, height| {
        if width == 0 || height == 0 {
            return Err(Error::ImageCorrupt(
                "its header states a size of zero".into(),
            ));
        }
        check_sides(width, height)?;
        admit(width, height)
    };
    let stored = if bytes.starts_with(png::SIGNATURE) {
        png::read(bytes, admit)?
    } else if bytes.starts_with(jpeg::SIGNATURE) {
        jpeg::read(bytes, admit)?
    } else if webp::is_webp(bytes) {
        webp::read(bytes, admit)?
    } else {
        return Err(Error::ImageUnsupported);
    };
    stored.upright()
}

#[cfg(test)]
mod tests;
