//! Bytes to pixels: PNG, JPEG and WebP, known by their content and not by their name.
//!
//! Each format's file is taken apart here as far as is needed to know what it promises: its sides,
//! its kind, which way up it is, and whether its data is there. What the decoders are then given is
//! a plain file with nothing in it but the picture, so that neither a colour profile nor a
//! contradiction between two headers reaches them.

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
    /// Reads a PNG, JPEG or WebP picture, the first frame of an animated one.
    ///
    /// The EXIF orientation is applied, transparency is laid over white, and grey, CMYK, palette
    /// and 16-bit pictures are converted to 8-bit RGB. Colour profiles are not applied. The sides
    /// are read and bounded before any pixel is, and memory is bounded by the sides.
    ///
    /// # Errors
    /// [`Error::ImageEmpty`]; [`Error::ImageUnsupported`] for any other kind of file, and
    /// [`Error::ImageKind`] for kinds of JPEG and PNG that are not read; [`Error::ImageTooLarge`]
    /// above [`MAX_PIXELS`](super::MAX_PIXELS); [`Error::ImageCorrupt`] for a damaged picture, and
    /// for one whose data is not all there.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        contain::contained(|| read(bytes, |_, _| Ok(())))
    }

    /// [Decodes](Self::decode), then [fits](Self::fit). A picture that would still have more than
    /// [`MAX_ENCODED`] pixels is refused from its header, before memory is taken for its own.
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

/// What a format's decoder gives: 8-bit RGB as it is stored, and how it has to be turned.
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

/// RGBA (not premultiplied) over white, rounded to the nearest.
fn over_white(rgba: &[u8]) -> Vec<u8> {
    let (pixels, _) = rgba.as_chunks::<4>();
    let mut rgb = Vec::with_capacity(pixels.len() * 3);
    for &[r, g, b, a] in pixels {
        rgb.extend([over(r, a), over(g, a), over(b, a)]);
    }
    rgb
}

/// One sample over white.
fn over(sample: u8, alpha: u8) -> u8 {
    let (sample, alpha) = (u32::from(sample), u32::from(alpha));
    // At most 255, as both parts are fractions of one whole.
    ((sample * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

/// What a decoder says about its input is for its developers, so none of it is passed on.
fn damaged() -> Error {
    Error::ImageCorrupt("its image data is damaged or incomplete".into())
}

fn cut_short() -> Error {
    Error::ImageCorrupt("the file ends too early".into())
}

#[cfg(test)]
mod tests;
