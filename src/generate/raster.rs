use burn::tensor::{Int, Tensor, TensorData};

use super::SampleOptions;
use super::run::Run;
use crate::error::Result;
use crate::models::{PriorConfig, Raster};
use crate::nn::transformer::Cache;
use crate::random::stream;

/// Draws one token a step, row by row.
#[derive(Debug)]
pub(super) struct RasterSampler {
    /// What each batch of pictures keeps of the tokens so far.
    caches: Vec<Cache>,
    batch: usize,
    no_class: usize,
}

impl RasterSampler {
    /// For at most `batch` pictures in one pass, twice as many with guidance.
    pub fn new(config: &PriorConfig, options: &SampleOptions, batch: usize) -> Self {
        Self {
            caches: vec![Cache::default(); options.count.div_ceil(batch)],
            batch,
            no_class: config.no_class().unwrap_or(0),
        }
    }

    pub async fn step(
        &mut self,
        prior: &dyn Raster,
        run: Run<'_>,
        tokens: &mut [Vec<Option<u32>>],
    ) -> Result<()> {
        let choice = run.options.choice();
        let batches = tokens.chunks_mut(self.batch).zip(&mut self.caches);
        for (batch, (pictures, cache)) in batches.enumerate() {
            let x = match run.step.checked_sub(1) {
                None => prior.embed_classes(run.classes(self.no_class, pictures.len())),
                Some(before) => {
                    let last = pictures
                        .iter()
                        .map(|tokens| tokens[before].unwrap_or(0) as i32);
                    let mut last: Vec<i32> = last.collect();
                    if run.guided() {
                        last.extend_from_within(..);
                    }
                    let count = last.len();
                    let last = TensorData::new(last, [count, 1]);
                    prior.embed_tokens(Tensor::<2, Int>::from_data(last, run.device))
                }
            };
            let logits = prior.next(x, cache).squeeze_dim::<2>(1);
            let logits = run.read(logits, run.options.guidance).await?;
            for (i, (picture, logits)) in pictures.iter_mut().zip(logits).enumerate() {
                let number = (batch * self.batch + i) as u64;
                let mut rng = stream(run.options.seed.wrapping_add(number), run.step);
                let (code, _) = choice.draw(&logits, &mut rng)?;
                picture[run.step] = Some(code as u32);
            }
        }
        Ok(())
    }
}
