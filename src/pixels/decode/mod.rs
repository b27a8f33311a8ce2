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
mod webp;

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};

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

/// Output of a format's decoder: 8-bit RGB as stored, and the orientation to apply.
struct Stored {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
    orientation: Option<Orientation>,
}

fn read(bytes: &[u8], admit: impl Fn(u32, u32) -> Result<()>) -> Result<Picture> {
    if bytes.is_empty() {
        return Err(Error::ImageEmpty);
    }
    let admit = |width, height| {
        if width == 0 || height == 0 {
            return Err(Error::ImageCorrupt("its header has no pixels".into()));
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

impl Stored {
    fn upright(self) -> Result<Picture> {
        let Some(orientation) = self.orientation else {
            return Picture::from_rgb(self.width, self.height, self.rgb);
        };
        let Some(image) = RgbImage::from_raw(self.width, self.height, self.rgb) else {
            return Err(damaged());
        };
        let mut image = DynamicImage::ImageRgb8(image);
        image.apply_orientation(orientation);
        let image = image.into_rgb8();
        Picture::from_rgb(image.width(), image.height(), image.into_raw())
    }
}

/// Composites RGBA (not premultiplied) over white, rounding to nearest.
fn over_white(rgba: &[u8]) -> Vec<u8> {
    let (pixels, _) = rgba.as_chunks::<4>();
    let mut rgb = Vec::with_capacity(pixels.len() * 3);
    for &[r, g, b, a] in pixels {
        rgb.extend([over(r, a), over(g, a), over(b, a)]);
    }
    rgb
}

/// Composites one sample over white.
fn over(sample: u8, alpha: u8) -> u8 {
    let (sample, alpha) = (u32::from(sample), u32::from(alpha));
    // At most 255, as the two weights add up to one.
    ((sample * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

/// Decoder messages are meant for developers, so they are not passed on.
fn damaged() -> Error {
    Error::ImageCorrupt("its image data is damaged or incomplete".into())
}

fn cut_short() -> Error {
    Error::ImageCorrupt("the file ends too early".into())
}

#[cfg(test)]
mod tests;
