//! Memory is planned up front: the device's limits set the window size and which inputs are
//! rejected.

use crate::error::{Error, Result};
use crate::models::AutoencoderConfig;
use crate::pixels::MAX_ENCODED;
use crate::weights::Survey;

/// Longest side, in pixels, that is encoded or decoded in one window.
const MAX_WINDOW: usize = 512;

/// Memory limits of a device and its host, in bytes.
///
/// # Examples
/// ```
/// # use burn::tensor::Device;
/// # use tesserae::Codec;
/// # use tesserae::codec::Limits;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let weights = std::fs::read("www/models/digits.safetensors")?;
/// let codec = Codec::from_weights(weights, &Device::flex())?;
/// let little = Limits { host: 1 << 20, ..Limits::CPU };
/// let most = codec.max_pixels();
/// assert!(codec.within(little).max_pixels() < most);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest range of a buffer that a shader can bind: WebGPU's `maxStorageBufferBindingSize`.
    pub binding: u64,
    /// Largest buffer, and so the largest weight tensor: WebGPU's `maxBufferSize`.
    pub buffer: u64,
    /// All weights of a model, in f32.
    pub model: u64,
    /// An image's planes and latents on the host, while they are split into windows and blended.
    pub host: u64,
}

impl Limits {
    /// What every WebGPU device and browser tab provides: 128 MiB per binding, 256 MiB per buffer,
    /// and what a 32-bit address space leaves.
    ///
    /// Source: the default limits of <https://www.w3.org/TR/webgpu/#limits>.
    pub const PORTABLE: Self = Self {
        binding: 128 << 20,
        buffer: 256 << 20,
        model: 3 << 30,
        host: 1 << 30,
    };

    /// The CPU: memory is contiguous there, so only the total bounds a tensor.
    pub const CPU: Self = Self {
        buffer: if cfg!(target_pointer_width = "32") {
            1 << 30
        } else {
            1 << 40
        },
        model: if cfg!(target_pointer_width = "32") {
            3 << 30
        } else {
            1 << 40
        },
        ..Self::PORTABLE
    };

    /// Checks that the model of a weight file can be built and fits, from the file's header alone: its
    /// values may be gigabytes to read.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] for a file that does not match its model or holds no autoencoder,
    /// [`Error::ModelTooLarge`].
    pub fn admit_file(&self, survey: &Survey) -> Result<()> {
        survey.fits()?;
        let config = survey.config.autoencoder()?;
        self.admit(config, survey.parameters(), survey.largest())
    }

    /// The same for a file with a prior.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] for a file that does not match its model or holds no prior,
    /// [`Error::ModelTooLarge`].
    pub fn admit_prior_file(&self, survey: &Survey) -> Result<()> {
        survey.fits()?;
        let config = survey.config.prior()?;
        let bytes = |values: u64| values.saturating_mul(4);
        let logits = config.tokens() as u64 * (config.codes() as u64 + 1);
        for (needed, limit) in [
            (bytes(survey.parameters()), self.model),
            (bytes(survey.largest()), self.buffer),
            (bytes(config.scores() as u64), self.binding),
            (bytes(logits), self.binding),
        ] {
            if needed > limit {
                return Err(Error::ModelTooLarge { needed, limit });
            }
        }
        Ok(())
    }

    /// The same for a file with a generator of pictures.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] for a file that does not match its model or holds no generator,
    /// [`Error::ModelTooLarge`].
    pub fn admit_generator_file(&self, survey: &Survey) -> Result<()> {
        survey.fits()?;
        survey.config.generator()?;
        let bytes = |values: u64| values.saturating_mul(4);
        for (needed, limit) in [
            (bytes(survey.parameters()), self.model),
            (bytes(survey.largest()), self.buffer),
        ] {
            if needed > limit {
                return Err(Error::ModelTooLarge { needed, limit });
            }
        }
        Ok(())
    }

    /// Checks that a model with `parameters` values, `largest` of them in its largest tensor, fits.
    /// Everything needed is in a weight file's header, so a model can be rejected before its data
    /// are read.
    ///
    /// # Errors
    /// [`Error::ModelTooLarge`].
    pub fn admit(&self, config: &AutoencoderConfig, parameters: u64, largest: u64) -> Result<()> {
        let bytes = |values: u64| values.saturating_mul(4);
        let smallest_window = (config.factor() as u64)
            .saturating_pow(2)
            .saturating_mul(config.widest()? as u64);
        for (needed, limit) in [
            (bytes(parameters), self.model),
            (bytes(largest), self.buffer),
            (bytes(smallest_window), self.binding),
            (bytes(palette(config)), self.host),
        ] {
            if needed > limit {
                return Err(Error::ModelTooLarge { needed, limit });
            }
        }
        Ok(())
    }

    /// Maximum values per activation: half of a binding, since a fused shader binds two.
    pub(super) fn activation(&self) -> usize {
        usize::try_from(self.binding / 8).unwrap_or(usize::MAX)
    }

    /// Longest side of a window, in pixels.
    pub(super) fn window(&self, config: &AutoencoderConfig) -> Result<usize> {
        let side = (self.activation() / config.widest()?).isqrt();
        Ok(side.min(MAX_WINDOW))
    }

    /// Maximum number of pixels in an image for this model.
    pub fn max_pixels(&self, config: &AutoencoderConfig) -> u64 {
        // Planes before and after padding, the blended sum with its weights, and the result; then,
        // per latent, the blended sum with its weights, and the result. A Gaussian stores two
        // values per latent value.
        const PLANES: u64 = 48;
        let latent = |factor: usize, gaussian: u64| {
            let values = 8 * (gaussian * config.embed_dim() as u64 + 1);
            values.div_ceil((factor as u64).pow(2))
        };
        let latents: u64 = match config.grids().as_slice() {
            [] => latent(config.factor(), 2),
            grids => grids.iter().map(|&factor| latent(factor, 1)).sum(),
        };
        (self.host / (PLANES + latents)).min(MAX_ENCODED)
    }

    /// Checks that an image of this size fits.
    ///
    /// # Errors
    /// [`Error::ImageTooLarge`], with the size that would fit.
    pub fn fit(&self, config: &AutoencoderConfig, width: u32, height: u32) -> Result<()> {
        let max_pixels = self.max_pixels(config);
        if u64::from(width) * u64::from(height) > max_pixels {
            return Err(Error::ImageTooLarge {
                width,
                height,
                max_pixels,
            });
        }
        Ok(())
    }
}

/// Values in memory while the codes' colours are chosen: the codebook and its covariance.
fn palette(config: &AutoencoderConfig) -> u64 {
    let (codes, dim) = (config.codes() as u64, config.embed_dim() as u64);
    match codes {
        0 => 0,
        codes => dim.saturating_mul(codes.saturating_add(dim)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preset(name: &str) -> AutoencoderConfig {
        AutoencoderConfig::preset(name).unwrap()
    }

    #[test]
    fn published_models_fit_the_portable_limits() {
        for (name, parameters, largest) in [
            ("photos-f8", 2_931_827, 65_536),
            ("imagenet-f16-16384", 76_000_000, 16_384 * 256),
            ("ldm-vq-f8", 68_000_000, 512 * 512 * 9),
            ("kl-f8", 84_000_000, 512 * 512 * 9),
        ] {
            let config = preset(name);
            Limits::PORTABLE
                .admit(&config, parameters, largest)
                .unwrap();
            assert_eq!(Limits::PORTABLE.max_pixels(&config), MAX_ENCODED, "{name}");
        }
        // Wide outer layers mean smaller windows.
        let window = |name: &str| Limits::PORTABLE.window(&preset(name)).unwrap();
        assert_eq!(window("photos-f8"), 512);
        assert_eq!(window("imagenet-f16-16384"), 362);
    }

    #[test]
    fn a_palette_that_does_not_fit_is_refused_with_the_model() {
        let AutoencoderConfig::VqGan(mut config) = preset("vqgan-tiny") else {
            panic!("a preset of another kind");
        };
        let mut admit = |embed_dim: usize, n_embed: usize| {
            config.embed_dim = embed_dim;
            config.n_embed = n_embed;
            let config = AutoencoderConfig::VqGan(config.clone());
            Limits::PORTABLE.admit(&config, 1 << 20, 1 << 20)
        };
        admit(1 << 12, 1 << 10).unwrap();
        // Every tensor is small; the codes' covariance alone is a gigabyte.
        let error = admit(1 << 14, 1 << 10).unwrap_err();
        let needed = 4 * ((1 << 28) + (1 << 24));
        assert_eq!(
            error,
            Error::ModelTooLarge {
                needed,
                limit: 1 << 30
            }
        );
    }

    #[test]
    fn sizes_past_32_bits_do_not_wrap() {
        let config = preset("photos-f8");
        for parameters in [1 << 30, 1 << 32, u64::MAX] {
            let result = Limits::CPU.admit(&config, parameters, 1);
            assert_eq!(
                result.is_err(),
                parameters.saturating_mul(4) > Limits::CPU.model,
                "{parameters}"
            );
        }
    }

    #[test]
    fn what_does_not_fit_is_told_with_what_does() {
        let config = preset("photos-f8");
        let code = |parameters, largest| {
            let result = Limits::PORTABLE.admit(&config, parameters, largest);
            result.map_err(|e| e.code())
        };
        assert_eq!(code(1 << 29, 1 << 20), Ok(()));
        assert_eq!(code(1 << 30, 1 << 20), Err("model_too_large"));
        assert_eq!(code(1 << 29, (1 << 26) + 1), Err("model_too_large"));

        let small = Limits {
            host: 64 << 20,
            ..Limits::PORTABLE
        };
        let most = small.max_pixels(&config);
        assert!((1 << 20..1 << 21).contains(&most), "{most}");
        small.fit(&config, 1024, 1024).unwrap();
        let error = small.fit(&config, 2000, 1000).unwrap_err();
        assert_eq!(error.code(), "image_too_large");
        // The message suggests a size with the same aspect ratio that fits.
        let Error::ImageTooLarge { max_pixels, .. } = error else {
            panic!("{error}");
        };
        let (width, height) = crate::error::largest(2000, 1000, max_pixels);
        small.fit(&config, width, height).unwrap();
        assert!(small.fit(&config, width + 20, height + 10).is_err());
        assert!(error.to_string().contains(&format!("{width}×{height}")));
    }
}
