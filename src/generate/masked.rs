use std::collections::BTreeMap;

use burn::tensor::{Int, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::run::Run;
use super::windows::Windows;
use super::{Canvas, Choice, SampleOptions, Schedule, Visit, halton};
use crate::error::Result;
use crate::models::{Masked, PriorConfig};
use crate::random::stream;

/// Noise added to the logarithms of the probabilities when tokens are revealed by confidence, at
/// first; it fades to nothing. Halton-MaskGIT and MaskGIT use 4.5.
const CONFIDENCE_NOISE: f64 = 4.5;

/// Of the numbers of a picture's seed, those that rotate its order.
const ROTATION: usize = u32::MAX as usize;

/// Reveals several masked tokens a step.
#[derive(Debug)]
pub(super) struct MaskedSampler {
    /// The masked tokens of each picture in the order in which they are revealed; empty if that
    /// depends on what the prior predicts.
    orders: Vec<Vec<usize>>,
    visit: Visit,
    schedule: Schedule,
    steps: usize,
    /// Number of tokens masked at first.
    masked: usize,
    windows: Windows,
    codes: usize,
    no_class: usize,
    batch: usize,
}

impl MaskedSampler {
    /// For at most `batch` pictures in one pass, twice as many with guidance.
    pub fn new(
        config: &PriorConfig,
        options: &SampleOptions,
        start: &Canvas,
        batch: usize,
    ) -> Self {
        let visit = options.visit(config);
        let mut order = match visit {
            Visit::Halton => halton(start.rows(), start.columns()),
            Visit::Raster => start.masked(),
            Visit::Confidence => Vec::new(),
        };
        order.retain(|cell| start.tokens()[*cell].is_none());
        let rotated = |number: usize| {
            let mut order = order.clone();
            // So that pictures differ in where they begin; at temperature 0 they do not.
            if visit == Visit::Halton && options.temperature > 0.0 {
                let seed = options.seed.wrapping_add(number as u64);
                let by = stream(seed, ROTATION).random_range(0..order.len());
                order.rotate_left(by);
            }
            order
        };
        let masked = start.masked().len();
        Self {
            windows: Windows::new(start, config.grid()),
            orders: (0..options.count).map(rotated).collect(),
            visit,
            schedule: options.schedule,
            steps: options.steps.min(masked),
            masked,
            codes: config.codes(),
            no_class: config.no_class().unwrap_or(0),
            batch,
        }
    }

    /// At most one for each masked token.
    pub fn steps(&self) -> usize {
        self.steps
    }

    pub async fn step(
        &mut self,
        prior: &dyn Masked,
        run: Run<'_>,
        pictures: &mut [Canvas],
    ) -> Result<()> {
        let reached = |step| match step {
            0 => 0,
            step => self.schedule.revealed(self.masked, step, self.steps),
        };
        let (from, to) = (reached(run.step), reached(run.step + 1));
        for (batch, pictures) in pictures.chunks_mut(self.batch).enumerate() {
            let first = batch * self.batch;
            let cells: Vec<Vec<usize>> = match self.visit {
                Visit::Confidence => pictures.iter().map(Canvas::masked).collect(),
                _ => self.orders[first..first + pictures.len()]
                    .iter()
                    .map(|order| order[from..to].to_vec())
                    .collect(),
            };
            let mut logits = self.logits(prior, run, pictures, &cells).await?.into_iter();
            for (i, (picture, cells)) in pictures.iter_mut().zip(cells).enumerate() {
                let seed = run.options.seed.wrapping_add((first + i) as u64);
                let mut rng = stream(seed, run.step);
                let choice = run.options.choice();
                let logits = logits.by_ref().take(cells.len());
                let drawn = draw(choice, &cells, logits, &mut rng)?;
                let kept = match self.visit {
                    Visit::Confidence => self.surest(drawn, to - from, run, &mut rng),
                    _ => drawn,
                };
                for token in kept {
                    picture.set(token.cell, token.code);
                }
            }
        }
        Ok(())
    }

    /// Logits of the codes, without the mask's, at `cells` of each picture, one after the other.
    async fn logits(
        &self,
        prior: &dyn Masked,
        run: Run<'_>,
        pictures: &[Canvas],
        cells: &[Vec<usize>],
    ) -> Result<Vec<Vec<f32>>> {
        // For each window with cells to draw: which logits they are among all, and their places.
        let mut wanted: BTreeMap<(usize, usize), Vec<(usize, usize)>> = BTreeMap::new();
        let all = cells.iter().enumerate();
        let all = all.flat_map(|(picture, cells)| cells.iter().map(move |cell| (picture, *cell)));
        for (number, (picture, cell)) in all.enumerate() {
            let (window, local) = self.windows.of(cell);
            let places = wanted.entry((picture, window)).or_default();
            places.push((number, local));
        }
        let mut logits = vec![Vec::new(); cells.iter().map(Vec::len).sum()];
        let wanted: Vec<_> = wanted.into_iter().collect();
        for wanted in wanted.chunks(self.batch) {
            let inputs = wanted
                .iter()
                .map(|((picture, window), _)| self.windows.cut(*window, &pictures[*picture]));
            let places = wanted.iter().map(|(_, places)| places);
            let drawn = self
                .pass(prior, run, inputs.collect(), places.clone())
                .await?;
            for ((number, _), drawn) in places.flatten().zip(drawn) {
                logits[*number] = drawn;
            }
        }
        Ok(logits)
    }

    /// Logits at `places` of each of `inputs`, in one pass of the prior.
    async fn pass<'a>(
        &self,
        prior: &dyn Masked,
        run: Run<'_>,
        inputs: Vec<Vec<Option<u32>>>,
        places: impl Iterator<Item = &'a Vec<(usize, usize)>>,
    ) -> Result<Vec<Vec<f32>>> {
        let count = inputs.len();
        let known = inputs.iter().flatten();
        let known = known.map(|token| token.map_or(self.codes as i32, |code| code as i32));
        let mut inputs: Vec<i32> = known.collect();
        let length = inputs.len() / count;
        let mut wanted: Vec<i32> = places
            .enumerate()
            .flat_map(|(input, places)| {
                let places = places.iter();
                places.map(move |(_, local)| (input * length + local) as i32)
            })
            .collect();
        let mut batch = count;
        if run.guided() {
            inputs.extend_from_within(..);
            let again = wanted.iter().map(|row| row + (count * length) as i32);
            let again: Vec<i32> = again.collect();
            wanted.extend(again);
            batch *= 2;
        }
        let inputs = TensorData::new(inputs, [batch, length]);
        let inputs = Tensor::<2, Int>::from_data(inputs, run.device);
        let logits = prior.logits(inputs, run.classes(self.no_class, count));
        let rows = wanted.len();
        let wanted = Tensor::<1, Int>::from_data(TensorData::new(wanted, [rows]), run.device);
        let logits = logits.reshape([batch * length, self.codes + 1]);
        let logits = logits.select(0, wanted).narrow(1, 0, self.codes);
        run.read(logits, self.guidance(run)).await
    }

    /// By confidence, guidance rises from none.
    fn guidance(&self, run: Run<'_>) -> f64 {
        match self.visit {
            Visit::Confidence => 1.0 + (run.options.guidance - 1.0) * self.progress(run),
            _ => run.options.guidance,
        }
    }

    /// 0 in the first step, 1 in the last.
    fn progress(&self, run: Run<'_>) -> f64 {
        match self.steps {
            0 | 1 => 1.0,
            steps => run.step as f64 / (steps - 1) as f64,
        }
    }

    /// The `count` tokens of which the prior is surest.
    ///
    /// Source: Chang et al. 2022, <https://arxiv.org/abs/2202.04200>, section 3.2;
    /// valeoai/Halton-MaskGIT `Sampler/confidence_sampler.py`.
    fn surest(
        &self,
        drawn: Vec<Drawn>,
        count: usize,
        run: Run<'_>,
        rng: &mut ChaCha8Rng,
    ) -> Vec<Drawn> {
        let greedy = run.options.temperature == 0.0;
        let noise = match greedy {
            true => 0.0,
            false => CONFIDENCE_NOISE * (1.0 - self.progress(run)),
        };
        let mut scored: Vec<(f64, Drawn)> = drawn
            .into_iter()
            .map(|token| {
                // Above 0, as `random` is below 1.
                let gumbel = -(-(1.0 - rng.random::<f64>()).ln()).ln();
                (confidence(token.probability, noise, gumbel), token)
            })
            .collect();
        scored.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        scored.truncate(count);
        scored.into_iter().map(|(_, token)| token).collect()
    }
}

/// ln p + noise · Gumbel.
fn confidence(probability: f64, noise: f64, gumbel: f64) -> f64 {
    match noise {
        0.0 => probability.ln(),
        noise => probability.ln() + noise * gumbel,
    }
}

/// A token drawn for a cell.
#[derive(Debug, Clone, Copy)]
struct Drawn {
    cell: usize,
    code: u32,
    probability: f64,
}

fn draw(
    choice: Choice,
    cells: &[usize],
    logits: impl Iterator<Item = Vec<f32>>,
    rng: &mut ChaCha8Rng,
) -> Result<Vec<Drawn>> {
    let drawn = cells.iter().zip(logits).map(|(&cell, logits)| {
        let (code, probability) = choice.draw(&logits, rng)?;
        Ok(Drawn {
            cell,
            code: code as u32,
            probability,
        })
    });
    drawn.collect()
}
