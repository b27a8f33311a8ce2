use image::imageops::{self, FilterType};
use image::{ExtendedColorType, ImageBuffer, ImageEncoder, Rgb, codecs::jpeg::JpegEncoder};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::pixels::Picture;
use crate::random::noise;

/// Damage that a restoration model learns to undo.
///
/// # Examples
/// ```
/// # use tesserae::Picture;
/// # use tesserae::pixels::metrics::psnr;
/// # use tesserae::train::Damage;
/// # fn main() -> tesserae::Result<()> {
/// let picture = Picture::from_rgb(32, 32, vec![128; 32 * 32 * 3])?;
/// let noisy = Damage::Noise(10.0).apply(&picture, 7)?;
/// assert!(psnr(&picture, &noisy)? < 30.0);
/// assert_eq!(noisy, Damage::Noise(10.0).apply(&picture, 7)?); // by its seed
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Damage {
    /// Gaussian noise on every sample, with this standard deviation in 8-bit levels.
    Noise(f32),
    /// JPEG compression at this quality, 1 to 100.
    Jpeg(u8),
    /// Gaussian blur with this standard deviation in pixels.
    Blur(f32),
    /// Downscaling by this factor, then upscaling.
    Small(f32),
}

impl Damage {
    /// Rejects parameters that cannot be applied.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] names the damage.
    pub fn validate(self) -> Result<()> {
        let (name, value, range) = match self {
            Self::Noise(deviation) => ("noise", deviation, 0.0..=255.0),
            Self::Jpeg(quality) => ("jpeg", quality.into(), 1.0..=100.0),
            Self::Blur(deviation) => ("blur", deviation, 0.1..=64.0),
            Self::Small(factor) => ("small", factor, 1.0..=64.0),
        };
        match range.contains(&value) {
            true => Ok(()),
            false => Err(Error::ConfigInvalid(format!(
                "`{name}` is {value}, outside {} to {}",
                range.start(),
                range.end()
            ))),
        }
    }

    /// Applies the damage to an image; `seed` makes noise reproducible.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] as in [`Damage::validate`]; [`Error::Internal`] if JPEG encoding
    /// fails, which is not known to happen at the size of a crop.
    pub fn apply(self, picture: &Picture, seed: u64) -> Result<Picture> {
        self.validate()?;
        let (width, height) = (picture.width(), picture.height());
        let rgb = match self {
            Self::Noise(deviation) => {
                let noise = noise(seed, picture.rgb().len());
                let samples = picture.rgb().iter().zip(noise);
                // The cast saturates.
                let noisy = samples.map(|(s, n)| (f32::from(*s) + deviation * n).round() as u8);
                noisy.collect()
            }
            Self::Jpeg(quality) => {
                let mut file = Vec::new();
                JpegEncoder::new_with_quality(&mut file, quality)
                    .write_image(picture.rgb(), width, height, ExtendedColorType::Rgb8)
                    .map_err(|e| Error::Internal(e.to_string()))?;
                return Picture::decode(&file);
            }
            Self::Blur(deviation) => imageops::blur(&view(picture)?, deviation).into_raw(),
            Self::Small(factor) => {
                let side = |side: u32| ((side as f32 / factor).round() as u32).max(1);
                let view = view(picture)?;
                let (narrow, low) = (side(width), side(height));
                let small = imageops::resize(&view, narrow, low, FilterType::Triangle);
                imageops::resize(&small, width, height, FilterType::CatmullRom).into_raw()
            }
        };
        Picture::from_rgb(width, height, rgb)
    }
}

fn view(picture: &Picture) -> Result<ImageBuffer<Rgb<u8>, &[u8]>> {
    ImageBuffer::from_raw(picture.width(), picture.height(), picture.rgb())
        .ok_or_else(|| Error::Internal("a picture has three bytes per pixel".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::metrics::psnr;

    fn painted() -> Picture {
        let rgb = (0..64 * 48).flat_map(|i: u32| {
            let (x, y) = (i % 64, i / 64);
            [
                (x * 4) as u8,
                (y * 5) as u8,
                if (x / 8 + y / 8) % 2 == 0 { 40 } else { 200 },
            ]
        });
        Picture::from_rgb(64, 48, rgb.collect()).unwrap()
    }

    #[test]
    fn more_damage_is_further_from_the_picture() {
        let picture = painted();
        let off = |damage: Damage| {
            let damaged = damage.apply(&picture, 7).unwrap();
            assert_eq!((damaged.width(), damaged.height()), (64, 48));
            psnr(&picture, &damaged).unwrap()
        };
        for [less, more] in [
            [Damage::Noise(5.0), Damage::Noise(40.0)],
            [Damage::Jpeg(90), Damage::Jpeg(5)],
            [Damage::Blur(0.5), Damage::Blur(3.0)],
            [Damage::Small(1.5), Damage::Small(6.0)],
        ] {
            let (less, more) = (off(less), off(more));
            assert!(
                less.is_finite() && less > more + 3.0,
                "{less} dB and {more} dB"
            );
        }
        // 20 · log₁₀(255 / 25) = 20.2 dB, less the clipped values.
        let noisy = off(Damage::Noise(25.0));
        assert!((19.5..21.5).contains(&noisy), "{noisy}");
    }

    #[test]
    fn noise_repeats_by_seed() {
        let apply = |seed| Damage::Noise(20.0).apply(&painted(), seed).unwrap();
        assert_eq!(apply(3), apply(3));
        assert_ne!(apply(3), apply(4));
    }

    #[test]
    fn what_no_picture_could_be_damaged_by_is_refused_by_name() {
        for (damage, name) in [
            (Damage::Noise(f32::NAN), "`noise`"),
            (Damage::Jpeg(0), "`jpeg`"),
            (Damage::Blur(-1.0), "`blur`"),
            (Damage::Small(0.5), "`small`"),
        ] {
            let error = damage.apply(&painted(), 0).unwrap_err();
            assert_eq!(error.code(), "config_invalid");
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
