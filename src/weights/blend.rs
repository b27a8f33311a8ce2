use super::{Loaded, params};
use crate::error::{Error, Result};
use crate::models::Autoencoder;

/// The weights a share of the way from `from` to `to`: 0 is the one, 1 the other, more lies beyond.
/// Between a model trained for few errors and the same one trained against a discriminator, the
/// share sets how much texture there is.
///
/// Source: Wang et al. 2018, <https://arxiv.org/abs/1809.00219>, section 3.4, network interpolation.
///
/// # Errors
/// [`Error::WeightsMismatch`] for models of two configs, [`Error::Argument`] for a share that is no
/// number, [`Error::DeviceLost`] when the device fails.
pub async fn blend(from: &Loaded, to: &Loaded, share: f32) -> Result<Autoencoder> {
    if from.config != to.config {
        let message = "the two models were made with different configs";
        return Err(Error::WeightsMismatch(message.to_owned()));
    }
    if !share.is_finite() {
        return Err(Error::Argument(format!("A share of {share} is no number")));
    }
    let (ours, mut theirs) = (
        params::values(&from.model).await?,
        params::values(&to.model).await?,
    );
    params::fill(from.model.clone(), |name| {
        let pair = ours.get(name).zip(theirs.remove(name));
        let Some(((_, from), (_, to))) = pair else {
            return Err(Error::WeightsMismatch(format!("`{name}` is missing")));
        };
        // What is equal in both stays equal to the bit.
        Ok(from
            .iter()
            .zip(to)
            .map(|(from, to)| from + share * (to - from))
            .collect())
    })
}
