use burn::tensor::{Int, Tensor};

use crate::nn::transformer::Cache;

/// A prior network: how likely each token is, given others.
///
/// # Examples
/// ```
/// # use burn::tensor::{Device, Int, Tensor};
/// # use tesserae::models::{Predictor, Prior};
/// # use tesserae::PriorConfig;
/// # fn main() -> tesserae::Result<()> {
/// let device = Device::flex();
/// let config = PriorConfig::preset("llamagen-tiny")?;
/// let prior = Prior::new(&config, &device)?; // random weights
/// let tokens = Tensor::<2, Int>::zeros([2, 16], &device);
/// let classes = Tensor::<1, Int>::from_ints([3, 0], &device);
/// let logits = match prior.predictor() {
///     Predictor::Raster(raster) => raster.logits(tokens, classes),
///     Predictor::Masked(masked) => masked.logits(tokens, classes),
/// };
/// assert_eq!(logits.dims(), [2, 16, 8]);
/// # Ok(())
/// # }
/// ```
pub trait Predict {
    /// The network, by the order in which it predicts.
    fn predictor(&self) -> Predictor<'_>;
}

/// A prior network by its order.
#[derive(Clone, Copy)]
pub enum Predictor<'a> {
    /// Each token from those before it.
    Raster(&'a dyn Raster),
    /// Each masked token from all that are known.
    Masked(&'a dyn Masked),
}

/// Predicts all tokens at once from those that are known.
pub trait Masked {
    /// Logits of every token, `[batch, n, K + 1]`, where the last is the mask's own.
    ///
    /// # Shapes
    /// - `tokens`: `[batch, n]`, row-major, K where a token is masked
    /// - `classes`: `[batch]`
    fn logits(&self, tokens: Tensor<2, Int>, classes: Tensor<1, Int>) -> Tensor<3>;
}

/// Predicts one token after another, row by row.
pub trait Raster {
    /// The condition's vectors, `[batch, 1, width]`, for classes `[batch]`.
    fn embed_classes(&self, classes: Tensor<1, Int>) -> Tensor<3>;

    /// The tokens' vectors, `[batch, n, width]`, for tokens `[batch, n]`.
    fn embed_tokens(&self, tokens: Tensor<2, Int>) -> Tensor<3>;

    /// Logits `[batch, n, K]` of the token after each of the positions `x`, `[batch, n, width]`,
    /// which follow those in the cache.
    fn next(&self, x: Tensor<3>, cache: &mut Cache) -> Tensor<3>;

    /// Logits of every token given those before it, `[batch, n, K]`.
    ///
    /// # Shapes
    /// - `tokens`: `[batch, n]`, row-major
    /// - `classes`: `[batch]`
    fn logits(&self, tokens: Tensor<2, Int>, classes: Tensor<1, Int>) -> Tensor<3> {
        let count = tokens.dims()[1];
        let condition = self.embed_classes(classes);
        let x = match count {
            0 | 1 => condition,
            _ => {
                let before = self.embed_tokens(tokens.narrow(1, 0, count - 1));
                Tensor::cat(vec![condition, before], 1)
            }
        };
        self.next(x, &mut Cache::default())
    }
}
