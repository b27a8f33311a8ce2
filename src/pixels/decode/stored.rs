use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};

use crate::error::{Error, Result};
use crate::pixels::Picture;

/// Output of a format's decoder: 8-bit RGB as stored, and the orientation to apply.
pub struct Stored {
    pub width: u32,
    pub height: u32,
    pub rgb: Vec<u8>,
    pub orientation: Option<Orientation>,
}

impl Stored {
    /// The picture, turned upright.
    pub fn upright(self) -> Result<Picture> {
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
pub fn over_white(rgba: &[u8]) -> Vec<u8> {
    let (pixels, _) = rgba.as_chunks::<4>();
    let mut rgb = Vec::with_capacity(pixels.len() * 3);
    for &[r, g, b, a] in pixels {
        rgb.extend([over(r, a), over(g, a), over(b, a)]);
    }
    rgb
}

/// Composites one sample over white.
pub fn over(sample: u8, alpha: u8) -> u8 {
    let (sample, alpha) = (u32::from(sample), u32::from(alpha));
    // At most 255, as the two weights add up to one.
    ((sample * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

/// Decoder messages are meant for developers, so they are not passed on.
pub fn damaged() -> Error {
    Error::ImageCorrupt("its image data is damaged or incomplete".into())
}

/// The error for a file that ends before its data do.
pub fn cut_short() -> Error {
    Error::ImageCorrupt("the file ends too early".into())
}
