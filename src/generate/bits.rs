use std::f64::consts::LN_2;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::halton;
use super::run::batch;
use crate::error::{Error, Result};
use crate::models::{Masked, Predictor, Prior, PriorConfig, Raster};
use crate::readback::read;

/// Most tokens of a grid for which a masked prior is asked, each of which takes a pass.
const MAX_PLACES: usize = 64;

/// Mean bits a token of `grids`, row-major, each with its class, under a prior, without guidance: −log₂
/// of the probability that it gives to each token after those before it, in its natural order. That
/// is row by row, or one token at a time in the order of [`halton`]; of a masked prior's grid of more
/// than 64 tokens only as many are measured, evenly spread over the order, others in each grid.
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
    let (mut sum, mut count) = (0.0, 0);
    for grids in grids.chunks(batch(config)) {
        let examples = Examples::new(grids, config, device);
        let (nats, tokens) = match prior.predictor() {
            Predictor::Raster(prior) => examples.raster(prior).await?,
            Predictor::Masked(prior) => examples.masked(prior, config).await?,
        };
        sum += nats;
        count += tokens;
    }
    match sum.is_finite() {
        true => Ok(sum / count as f64 / LN_2),
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

    /// The tokens as a tensor, by the number of the grid, the cell, and the token that is there.
    fn tokens(&self, token: impl Fn(usize, usize, u32) -> i32) -> Tensor<2, Int> {
        let grids = self.grids.iter().enumerate();
        let grids = grids.flat_map(|(grid, (tokens, _))| {
            let cells = tokens.iter().enumerate();
            let token = &token;
            cells.map(move |(cell, known)| token(grid, cell, *known))
        });
        let tokens: Vec<i32> = grids.collect();
        let shape = [self.grids.len(), tokens.len() / self.grids.len()];
        Tensor::from_data(TensorData::new(tokens, shape), self.device)
    }

    /// Nats of all tokens, each after those before it, and their number.
    async fn raster(&self, prior: &dyn Raster) -> Result<(f64, usize)> {
        let tokens = self.tokens(|_, _, token| token as i32);
        let logits = prior.logits(tokens.clone(), self.classes.clone());
        let [grids, count] = tokens.dims();
        Ok((nats(logits, tokens).await?, grids * count))
    }

    /// The same one after the other, as far as they are measured.
    async fn masked(&self, prior: &dyn Masked, config: &PriorConfig) -> Result<(f64, usize)> {
        let [rows, columns] = config.grid();
        let (order, mask) = (halton(rows, columns), config.codes());
        let length = order.len();
        let mut place = vec![0; length];
        for (step, cell) in order.iter().enumerate() {
            place[*cell] = step;
        }
        let stride = length.div_ceil(MAX_PLACES);
        let (mut sum, mut count) = (0.0, 0);
        for first in (0..length).step_by(stride) {
            // Where they do not divide evenly, the last token may be measured for its neighbours.
            let step = |grid: usize| (first + grid % stride).min(length - 1);
            let known = |grid: usize, cell: usize, token| match place[cell] < step(grid) {
                true => token as i32,
                false => mask as i32,
            };
            let logits = prior.logits(self.tokens(known), self.classes.clone());
            let grids = self.grids.iter().enumerate();
            let wanted = grids.map(|(grid, (tokens, _))| (grid, order[step(grid)], tokens));
            let [rows, targets]: [Vec<i32>; 2] = [
                wanted
                    .clone()
                    .map(|(grid, cell, _)| (grid * length + cell) as i32)
                    .collect(),
                wanted
                    .map(|(_, cell, tokens)| tokens[cell] as i32)
                    .collect(),
            ];
            let batch = rows.len();
            let rows = Tensor::from_data(TensorData::new(rows, [batch]), self.device);
            let targets = Tensor::from_data(TensorData::new(targets, [1, batch]), self.device);
            let logits = logits.reshape([batch * length, mask + 1]);
            let logits = logits.select(0, rows).narrow(1, 0, mask);
            sum += nats(logits.unsqueeze(), targets).await?;
            count += batch;
        }
        Ok((sum, count))
    }
}

/// The sum of −ln p of `targets`, `[batch, n]`, by logits `[batch, n, K]`.
async fn nats(logits: Tensor<3>, targets: Tensor<2, Int>) -> Result<f64> {
    let right = log_softmax(logits, 2).gather(2, targets.unsqueeze_dim(2));
    Ok(-read(right).await?.into_iter().map(f64::from).sum::<f64>())
}
