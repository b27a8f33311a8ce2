//! Pictures without tensors: decoding, encoding, scaling, padding, tiling and comparing.
//!
//! Everything here works on 8-bit sRGB ([`Picture`]) or on planar `f32` (`[channels, height,
//! width]`, row-major), and is shared by the browser and the command line.

mod decode;
mod encode;
pub mod metrics;
pub mod pad;
mod prepare;
pub mod tile;

use crate::error::{Error, Result};

/// Maximum number of pixels in a picture: 64 Mi, a square of 8192 pixels a side.
pub const MAX_PIXELS: u64 = 64 * 1024 * 1024;

/// Maximum number of pixels that can be encoded, regardless of available memory: 16 Mi, a square of
/// 4096 pixels a side.
pub const MAX_ENCODED: u64 = 16 * 1024 * 1024;

/// A non-empty 8-bit sRGB picture, row-major, three bytes per pixel.
///
/// # Examples
/// ```
/// # use tesserae::Picture;
/// # use tesserae::pixels::metrics::psnr;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let photo = Picture::decode(&std::fs::read("www/samples/coffee.png")?)?;
/// let small = photo.fit(64, true); // the centre square, scaled down
/// assert_eq!((small.width(), small.height()), (64, 64));
/// let again = Picture::decode(&small.png()?)?;
/// assert_eq!(psnr(&small, &again)?, f64::INFINITY);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Picture {
    /// Creates a picture from its samples, `width * height * 3` bytes, row-major.
    ///
    /// # Errors
    /// [`Error::ImageEmpty`] without pixels, [`Error::ImageTooLarge`] above [`MAX_PIXELS`],
    /// [`Error::Argument`] if the number of bytes does not match the dimensions.
    pub fn from_rgb(width: u32, height: u32, rgb: Vec<u8>) -> Result<Self> {
        let pixels = check_sides(width, height)?;
        // At most 192 Mi, so nothing here can overflow.
        if rgb.len() as u64 != pixels * 3 {
            return Err(Error::Argument(format!(
                "A picture of {width}×{height} pixels takes {} bytes, not {}",
                pixels * 3,
                rgb.len()
            )));
        }
        Ok(Self { width, height, rgb })
    }

    /// Width in pixels, at least 1.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels, at least 1.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The samples, row-major, as interleaved red, green and blue.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The samples as RGBA with opaque alpha, as a canvas expects them.
    pub fn to_rgba(&self) -> Vec<u8> {
        let (pixels, _) = self.rgb.as_chunks::<3>();
        pixels
            .iter()
            .flat_map(|&[r, g, b]| [r, g, b, 255])
            .collect()
    }
}

impl std::fmt::Debug for Picture {
    /// Only the dimensions: the samples would flood test messages.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}×{})", self.width, self.height)
    }
}

/// The number of pixels, if it is from 1 to [`MAX_PIXELS`].
fn check_sides(width: u32, height: u32) -> Result<u64> {
    match u64::from(width) * u64::from(height) {
        0 => Err(Error::ImageEmpty),
        pixels if pixels > MAX_PIXELS => Err(Error::ImageTooLarge {
            width,
            height,
            max_pixels: MAX_PIXELS,
        }),
        pixels => Ok(pixels),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A picture with every sample equal to `sample(x, y, channel)`.
    pub(crate) fn painted(
        width: u32,
        height: u32,
        sample: impl Fn(u32, u32, u32) -> u8,
    ) -> Picture {
        let rgb = (0..height)
            .flat_map(|y| (0..width).flat_map(move |x| (0..3).map(move |c| (x, y, c))))
            .map(|(x, y, c)| sample(x, y, c))
            .collect();
        Picture::from_rgb(width, height, rgb).unwrap()
    }

    /// A smooth picture that differs in every channel.
    pub(crate) fn waves(width: u32, height: u32) -> Picture {
        painted(width, height, |x, y, c| {
            let phase = x as f64 * 0.31 + y as f64 * 0.17 + c as f64;
            (127.5 + 120.0 * phase.sin()).round() as u8
        })
    }

    #[test]
    fn sides_and_bytes_must_agree() {
        assert!(Picture::from_rgb(2, 1, vec![0; 6]).is_ok());
        for wrong in [0, 5, 7] {
            let error = Picture::from_rgb(2, 1, vec![0; wrong]).unwrap_err();
            assert!(matches!(error, Error::Argument(_)), "{error}");
        }
        assert_eq!(
            Picture::from_rgb(0, 4, Vec::new()).unwrap_err(),
            Error::ImageEmpty
        );
        let error = Picture::from_rgb(u32::MAX, u32::MAX, Vec::new()).unwrap_err();
        assert_eq!(error.code(), "image_too_large");
    }

    #[test]
    fn rgba_is_opaque() {
        let picture = Picture::from_rgb(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!(picture.to_rgba(), [1, 2, 3, 255, 4, 5, 6, 255]);
        assert_eq!(format!("{picture:?}"), "Picture(2×1)");
    }
}
