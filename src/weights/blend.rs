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
