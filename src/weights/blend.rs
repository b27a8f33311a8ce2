use super::Loaded;
use crate::error::{Error, Result};
use crate::models::{Config, Part};
use crate::params;

/// Interpolates between two models' weights: a blend factor of 0 gives `from`, 1 gives `to`, and
/// values beyond extrapolate. Between a model trained for low error and the same model trained with
/// a discriminator, the blend factor sets the amount of texture. Computed on the models' device.
///
/// Source: Wang et al. 2018, <https://arxiv.org/abs/1809.00219>, section 3.4, network interpolation.
///
/// # Errors
/// [`Error::WeightsMismatch`] for models with different configs, [`Error::Argument`] for a blend
/// factor that is not finite.
///
/// # Examples
/// ```
/// # use burn::tensor::Device;
/// # use pollster::block_on;
/// # use tesserae::weights::{Loaded, blend};
/// # use tesserae::{Autoencoder, AutoencoderConfig};
/// # fn main() -> tesserae::Result<()> {
/// # let device = Device::flex();
/// # let config = AutoencoderConfig::preset("vqvae-tiny")?;
/// # let random = || block_on(Loaded::of(Autoencoder::new(&config, &device)?, config.clone()));
/// let (smooth, sharp) = (random()?, random()?);
/// let between = block_on(Loaded::of(blend(&smooth, &sharp, 0.5)?, config.clone()))?;
/// assert_ne!(between.hashes.decoder, sharp.hashes.decoder);
/// let end = block_on(Loaded::of(blend(&smooth, &sharp, 0.0)?, config.clone()))?;
/// assert_eq!(end.hashes.decoder, smooth.hashes.decoder);
/// # Ok(())
/// # }
/// ```
pub fn blend<C: Config>(from: &Loaded<C>, to: &Loaded<C>, share: f32) -> Result<C::Network> {
    lerp(from, to, share, |_| true)
}

/// Like [`blend`], for the decoders of two models with the same codebook: the encoder and the
/// codebook remain those of `from`, uncopied.
///
/// # Errors
/// The errors of [`blend`], and [`Error::WeightsMismatch`] for different codebooks.
pub fn blend_decoders<C: Config>(
    from: &Loaded<C>,
    to: &Loaded<C>,
    share: f32,
) -> Result<C::Network> {
    if from.hashes.codebook != to.hashes.codebook {
        let message = "the two models have different codebooks";
        return Err(Error::WeightsMismatch(message.to_owned()));
    }
    lerp(from, to, share, |part| part == Some(Part::Decoder))
}

fn lerp<C: Config>(
    from: &Loaded<C>,
    to: &Loaded<C>,
    share: f32,
    chosen: impl Fn(Option<Part>) -> bool,
) -> Result<C::Network> {
    if from.config.architecture() != to.config.architecture() {
        let message = "the two models have different configs";
        return Err(Error::WeightsMismatch(message.to_owned()));
    }
    if !share.is_finite() {
        return Err(Error::Argument(format!(
            "A blend factor of {share} is not finite"
        )));
    }
    let network = from.network.clone();
    Ok(params::lerp(network, &to.network, share.into(), |name| {
        chosen(from.config.part(name))
    }))
}
