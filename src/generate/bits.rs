use std::f64::consts::LN_2;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::halton;
use super::run::batch;
use crate::error::{Error, Result};
use crate::models::{Masked, Predictor, Prior, PriorConfig, Raster};
use crate::readback::read;

/// Mean bits a token of `grids`, row-major, each with its class, under a prior, without guidance: −log₂
/// of the probability that it gives to each token after those before it, in its natural order. That
/// is row by row, or one token at a time in the order of [`halton`].
///
/// # Errors
/// [`Error::Argument`] for a grid or a class that does not fit, [`Error::LogitsNotFinite`], and
/// [`Error::DeviceLost`] when the device fails.
///
/// # Examples
/// ```
/// # use burn::tensor::Device;
/// # use pollster::block_on;
/// # use tesserae::generate::bits;
/// # use tesserae::models::Prior;
/// # use tesserae::PriorConfig;
/// # fn main() -> tesserae::Result<()> {
/// let device = Device::flex();
/// let config = PriorConfig::preset("llamagen-tiny")?;
/// let prior = Prior::new(&config, &device)?; // random weights know little
/// let grids = [(vec![3; 16], 0), (vec![5; 16], 1)];
/// let bits = block_on(bits(&prior, &config, &grids, &device))?;
/// assert!((2.5..3.5).contains(&bits)); // of 8 codes
/// # Ok(())
/// # }
/// ```
pub async fn bits(
    prior: &Prior,
    config: &PriorConfig,
    grids: &[(Vec<u32>, usize)],
    device: &Device,
) -> Result<f64> {
    let (length, codes, classes) = (config.tokens(), config.codes(), config.classes());
    let fits = |(tokens, class): &(Vec<u32>, usize)| {
        tokens.len() == length
            && tokens.iter().all(|token| (*token as usize) < codes)
            && (classes == 0 || *class < classes)
    };
    if grids.is_empty() || !grids.iter().all(fits) {
        let message = "There are no tokens, or some that do not fit the prior";
        return Err(Error::Argument(message.to_owned()));
    }
    let mut sum = 0.0;
    for grids in grids.chunks(batch(config)) {
        let examples = Examples::new(grids, config, device);
        sum += match prior.predictor() {
            Predictor::Raster(prior) => examples.raster(prior).await?,
            Predictor::Masked(prior) => examples.masked(prior, config).await?,
        };
    }
    match sum.is_finite() {
        true => Ok(sum / (grids.len() * length) as f64 / LN_2),
        false => Err(Error::LogitsNotFinite),
    }
}

/// Some grids with their classes.
struct Examples<'a> {
    grids: &'a [(Vec<u32>, usize)],
    classes: Tensor<1, Int>,
    device: &'a Device,
}

impl<'a> Examples<'a> {
    fn new(grids: &'a [(Vec<u32>, usize)], config: &PriorConfig, device: &'a Device) -> Self {
        let class = |(_, class): &(_, usize)| match config.classes() {
            0 => 0,
            _ => *class as i32,
        };
        let classes: Vec<i32> = grids.iter().map(class).collect();
        let classes = TensorData::new(classes, [grids.len()]);
        Self {
            grids,
            classes: Tensor::from_data(classes, device),
            device,
        }
    }

    /// The tokens as a tensor, each given its place in its grid.
    fn tokens(&self, token: impl Fn(usize, u32) -> i32) -> Tensor<2, Int> {
        let grids = self.grids.iter().flat_map(|(tokens, _)| {
            let cells = tokens.iter().enumerate();
            cells.map(|(cell, known)| token(cell, *known))
        });
        let tokens: Vec<i32> = grids.collect();
        let shape = [self.grids.len(), tokens.len() / self.grids.len()];
        Tensor::from_data(TensorData::new(tokens, shape), self.device)
    }

    /// Nats of all tokens, each after those before it.
    async fn raster(&self, prior: &dyn Raster) -> Result<f64> {
        let tokens = self.tokens(|_, token| token as i32);
        let logits = prior.logits(tokens.clone(), self.classes.clone());
        nats(logits, tokens).await
    }

    /// Nats of all tokens, one after the other.
    async fn masked(&self, prior: &dyn Masked, config: &PriorConfig) -> Result<f64> {
        let [rows, columns] = config.grid();
        let (order, mask) = (halton(rows, columns), config.codes());
        let mut place = vec![0; order.len()];
        for (step, cell) in order.iter().enumerate() {
            place[*cell] = step;
        }
        let mut sum = 0.0;
        for (step, cell) in order.iter().enumerate() {
            let known = |cell: usize, token| match place[cell] < step {
                true => token as i32,
                false => mask as i32,
            };
            let logits = prior.logits(self.tokens(known), self.classes.clone());
            let logits = logits.narrow(1, *cell, 1).narrow(2, 0, mask);
            let target = self.tokens(|_, token| token as i32).narrow(1, *cell, 1);
            sum += nats(logits, target).await?;
        }
        Ok(sum)
    }
}

/// The sum of −ln p of `targets`, `[batch, n]`, by logits `[batch, n, K]`.
async fn nats(logits: Tensor<3>, targets: Tensor<2, Int>) -> Result<f64> {
    let right = log_softmax(logits, 2).gather(2, targets.unsqueeze_dim(2));
    Ok(-read(right).await?.into_iter().map(f64::from).sum::<f64>())
}
