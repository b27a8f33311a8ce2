use burn::tensor::{Int, Tensor, TensorData};

use super::run::Run;
use super::{Canvas, SampleOptions};
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
    steps: usize,
    no_class: usize,
}

impl RasterSampler {
    /// For at most `batch` pictures in one pass, twice as many with guidance.
    pub fn new(config: &PriorConfig, options: &SampleOptions, batch: usize) -> Self {
        Self {
            caches: vec![Cache::default(); options.count.div_ceil(batch)],
            batch,
            steps: config.tokens(),
            no_class: config.no_class().unwrap_or(0),
        }
    }

    /// One for each token.
    pub fn steps(&self) -> usize {
        self.steps
    }

    pub async fn step(
        &mut self,
        prior: &dyn Raster,
        run: Run<'_>,
        pictures: &mut [Canvas],
    ) -> Result<()> {
        let choice = run.options.choice();
        let batches = pictures.chunks_mut(self.batch).zip(&mut self.caches);
        for (batch, (pictures, cache)) in batches.enumerate() {
            let x = match run.step.checked_sub(1) {
                None => prior.embed_classes(run.classes(self.no_class, pictures.len())),
                Some(before) => {
                    let last = pictures
                        .iter()
                        .map(|picture| picture.tokens()[before].unwrap_or(0) as i32);
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
                picture.set(run.step, code as u32);
            }
        }
        if run.step + 1 == self.steps {
            // Decoding needs the memory.
            self.caches.clear();
        }
        Ok(())
    }
}
