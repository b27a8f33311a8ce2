use super::Loaded;
use crate::error::{Error, Result};
use crate::models::Config;
use crate::params;

/// Interpolates between two models' weights: a blend factor of 0 gives `from`, 1 gives `to`, and
/// values beyond extrapolate. Between a model trained for low error and the same model trained with
/// a discriminator, the blend factor sets the amount of texture.
///
/// Source: Wang et al. 2018, <https://arxiv.org/abs/1809.00219>, section 3.4, network interpolation.
///
/// # Errors
/// [`Error::WeightsMismatch`] for models with different configs, [`Error::Argument`] for a blend
/// factor that is not finite, [`Error::DeviceLost`] when the device fails.
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
/// let between = block_on(Loaded::of(block_on(blend(&smooth, &sharp, 0.5))?, config.clone()))?;
/// assert_ne!(between.hashes.decoder, sharp.hashes.decoder);
/// let end = block_on(Loaded::of(block_on(blend(&smooth, &sharp, 0.0))?, config.clone()))?;
/// assert_eq!(end.hashes.decoder, smooth.hashes.decoder);
/// # Ok(())
/// # }
/// ```
pub async fn blend<C: Config>(from: &Loaded<C>, to: &Loaded<C>, share: f32) -> Result<C::Network> {
    if from.config.architecture() != to.config.architecture() {
        let message = "the two models have different configs";
        return Err(Error::WeightsMismatch(message.to_owned()));
    }
    if !share.is_finite() {
        return Err(Error::Argument(format!(
            "A blend factor of {share} is not finite"
        )));
    }
    let ours = params::values(&from.network).await?;
    let mut theirs = params::values(&to.network).await?;
    params::fill(from.network.clone(), |name| {
        let pair = ours.get(name).zip(theirs.remove(name));
        let Some((from, to)) = pair else {
            return Err(Error::WeightsMismatch(format!("`{name}` is missing")));
        };
        // Values that are equal in both stay bit-identical.
        let pairs = from.values.iter().zip(to.values);
        Ok(pairs.map(|(from, to)| from + share * (to - from)).collect())
    })
}
