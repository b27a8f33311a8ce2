use burn::module::Module;
use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{CodebookConfig, CodebookUpdate, State};
use crate::error::{Error, Result};
use crate::models::{Autoencoder, Pass};
use crate::quantize::{EmaCodebook, VectorQuantizer, flatten, kmeans, replaced};
use crate::readback::{read, unread};
use crate::tokens::Usage;

/// K-means iterations for the initial codebook.
const ROUNDS: usize = 10;

/// Maintains a model's codebooks, one per grid: k-means initialisation, EMA updates and restarts of
/// dead codes.
pub struct Codebooks {
    config: CodebookConfig,
    /// Empty until k-means has initialised the codebooks.
    averages: Vec<EmaCodebook>,
    /// How often each code was chosen since the last report, `[K]`.
    chosen: Vec<Tensor<1>>,
    /// Latents and codes of this step's batches, per grid.
    seen: Vec<Vec<(Tensor<2>, Tensor<1, Int>)>>,
}

impl Codebooks {
    /// Starts from the codebooks of `model`, without gradients, if it is `trained`; otherwise waits
    /// for k-means. `per_step` is the number of tokens per step in each grid.
    pub fn new(
        config: &CodebookConfig,
        model: &Autoencoder,
        trained: bool,
        per_step: &[usize],
    ) -> Self {
        let quantizers = model.vector_quantizers();
        let start = |(quantizer, tokens): (&&VectorQuantizer, &usize)| {
            let mut average = EmaCodebook::new(quantizer.codebook(), config.decay);
            // The EMA of a trained codebook starts as if all codes were equally used.
            let [codes] = average.cluster_size.dims();
            let share = *tokens as f32 / codes as f32;
            average.cluster_size = average.cluster_size.mul_scalar(share);
            average.embed_sum = average.embed_sum.mul_scalar(share);
            average
        };
        Self {
            averages: match trained {
                true => quantizers.iter().zip(per_step).map(start).collect(),
                false => Vec::new(),
            },
            chosen: quantizers
                .iter()
                .map(|quantizer| {
                    let codebook = quantizer.codebook();
                    Tensor::zeros([codebook.dims()[0]], &codebook.device())
                })
                .collect(),
            seen: vec![Vec::new(); quantizers.len()],
            config: config.clone(),
        }
    }

    /// Whether latents are quantized: not until the codebooks are initialised.
    pub fn in_use(&self) -> bool {
        !self.averages.is_empty()
    }

    /// Whether k-means must initialise the codebooks before `step`.
    pub fn are_due(&self, step: usize) -> bool {
        !self.in_use() && !self.chosen.is_empty() && step >= self.config.quantize_after
    }

    /// Initialises the codebooks of `model` by k-means on the latents of `batches`; finer grids are
    /// initialised on latents conditioned on the coarser ones.
    ///
    /// # Errors
    /// The errors of [`Autoencode::indices`](crate::models::Autoencode::indices).
    pub fn start(
        &mut self,
        model: &mut Autoencoder,
        batches: &[Tensor<4>],
        rng: &mut ChaCha8Rng,
    ) -> Result<()> {
        let mut coarser: Vec<Vec<Tensor<4>>> = vec![Vec::new(); batches.len()];
        for grid in 0..self.chosen.len() {
            // Without gradients, and again for each grid: the coarser grid's codebook has just
            // changed.
            let still = model.valid();
            let latents: Vec<Tensor<4>> = batches
                .iter()
                .zip(&coarser)
                .map(|(x, coarser)| still.latents(x.clone(), coarser))
                .collect();
            let Some(quantizer) = still.vector_quantizers().get(grid).copied() else {
                break;
            };
            let rows = latents
                .iter()
                .map(|z| flatten(quantizer.prepare(z.clone())))
                .collect();
            let rows: Tensor<2> = Tensor::cat(rows, 0);
            let [codes] = self.chosen[grid].dims();
            let picks = draw(rng, codes, rows.dims()[0], &rows.device());
            let codebook = kmeans(rows.clone(), rows.select(0, picks), ROUNDS);
            set(model, grid, codebook.clone());
            self.averages
                .push(EmaCodebook::new(codebook, self.config.decay));

            let still = model.valid();
            for (coarser, z) in coarser.iter_mut().zip(latents) {
                coarser.push(still.lookup(grid, still.indices(grid, z)?)?);
            }
        }
        Ok(())
    }

    /// Records the latents and codes of one batch.
    pub fn watch(&mut self, model: &Autoencoder, pass: &Pass) {
        for (grid, (z, quantized)) in pass.latents.iter().zip(&pass.quantized).enumerate() {
            let indices: Tensor<1, Int> = quantized.indices.clone().inner().flatten(0, 2);
            self.count(grid, indices.clone());
            self.see(model, grid, z.clone(), indices);
        }
    }

    /// Records the latents of one grid, towards which its codebook will move.
    pub fn see(&mut self, model: &Autoencoder, grid: usize, z: Tensor<4>, indices: Tensor<1, Int>) {
        if let Some(quantizer) = model.vector_quantizers().get(grid) {
            let rows = flatten(quantizer.prepare(z)).inner();
            self.seen[grid].push((rows, indices));
        }
    }

    /// Records code usage only.
    pub fn count(&mut self, grid: usize, indices: Tensor<1, Int>) {
        let ones = Tensor::ones(indices.dims(), &indices.device());
        let chosen = self.chosen[grid].clone();
        self.chosen[grid] = chosen.select_assign(0, indices, ones, IndexingUpdateOp::Add);
    }

    /// Moves the codebooks towards the step's latents and restarts dead codes. `step` counts from
    /// 1.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device fails.
    pub async fn follow(
        &mut self,
        model: &mut Autoencoder,
        step: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<()> {
        let seen: Vec<_> = self.seen.iter_mut().map(std::mem::take).collect();
        for (grid, (average, seen)) in self.averages.iter_mut().zip(seen).enumerate() {
            let (rows, indices): (Vec<_>, Vec<_>) = seen.into_iter().unzip();
            if rows.is_empty() {
                continue;
            }
            let rows = Tensor::cat(rows, 0);
            let mut codebook = average.update(rows.clone(), Tensor::cat(indices, 0));
            if self.config.update == CodebookUpdate::Gradient {
                // The averages only show which codes are dead.
                codebook = current(model, grid);
            }
            if step.is_multiple_of(self.config.restart_every) {
                let [tokens, _] = rows.dims();
                let dead = dead(average, self.config.dead_below, tokens).await?;
                let dead = drawn(rng, dead, tokens);
                if !dead.is_empty() {
                    let device = rows.device();
                    let fresh = draw(rng, dead.len(), rows.dims()[0], &device);
                    let fresh = rows.select(0, fresh);
                    let dead = Tensor::from_data(TensorData::from(dead.as_slice()), &device);
                    average.restart(dead.clone(), fresh.clone(), 1.0);
                    codebook = match self.config.update {
                        CodebookUpdate::Gradient => replaced(codebook, dead, fresh),
                        CodebookUpdate::Average => average.codebook(),
                    };
                }
            }
            set(model, grid, codebook);
        }
        Ok(())
    }

    /// Codebook usage since the last call.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device fails.
    pub async fn take_usage(&mut self) -> Result<Usage> {
        let mut counts = Vec::new();
        for chosen in &mut self.chosen {
            let data = chosen.clone().into_data_async().await;
            let data = data.map_err(|e| unread(&chosen.device(), e))?;
            counts.extend(data.iter::<f64>());
            *chosen = chosen.zeros_like();
        }
        Ok(Usage::of_counts(counts))
    }

    /// Saves all state that the next step depends on.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device fails.
    pub async fn save(&self, state: &mut State) -> Result<()> {
        state.put_note("codebooks", self.averages.len().to_string());
        for (grid, average) in self.averages.iter().enumerate() {
            let [size, sum] = names(grid);
            state
                .put(vec![(size, average.cluster_size.clone())])
                .await?;
            state.put(vec![(sum, average.embed_sum.clone())]).await?;
        }
        Ok(())
    }

    /// Reads the averages that [`Codebooks::save`] wrote, without applying them.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] for the state of another model.
    pub fn read(&self, state: &State, device: &Device) -> Result<Vec<EmaCodebook>> {
        let other = || Error::WeightsMismatch("the training state has different codebooks".into());
        let count: Option<usize> = state.note("codebooks")?.parse().ok();
        let count = count.filter(|count| *count == 0 || *count == self.chosen.len());
        let averages: Vec<EmaCodebook> = (0..count.ok_or_else(other)?)
            .map(|grid| {
                let [size, sum] = names(grid);
                let mut average = EmaCodebook::new(state.tensor(&sum, device)?, self.config.decay);
                average.cluster_size = state.tensor(&size, device)?;
                Ok(average)
            })
            .collect::<Result<_>>()?;
        let fits = |(average, chosen): (&EmaCodebook, &Tensor<1>)| {
            let codes = average.cluster_size.dims();
            codes == chosen.dims() && average.embed_sum.dims()[0] == codes[0]
        };
        match averages.iter().zip(&self.chosen).all(fits) {
            true => Ok(averages),
            false => Err(other()),
        }
    }

    /// Applies restored state.
    pub fn set(&mut self, averages: Vec<EmaCodebook>) {
        self.averages = averages;
        self.seen.iter_mut().for_each(Vec::clear);
        for chosen in &mut self.chosen {
            *chosen = chosen.zeros_like();
        }
    }
}

fn names(grid: usize) -> [String; 2] {
    ["cluster_size", "embed_sum"].map(|what| format!("codebook.{grid}.{what}"))
}

/// Codes chosen fewer than `least` times per step; with fewer `tokens` per step than codes, `least`
/// is a fraction of uniform use.
async fn dead(average: &EmaCodebook, least: f32, tokens: usize) -> Result<Vec<i32>> {
    let [codes] = average.cluster_size.dims();
    let least = least * (tokens as f32 / codes as f32).min(1.0);
    let sizes = read(average.cluster_size.clone()).await?;
    let codes = (0..).zip(sizes);
    let dead = codes.filter(|(_, size)| *size < least);
    Ok(dead.map(|(code, _)| code).collect())
}

/// At most `most` random elements of `all`, in any order.
fn drawn(rng: &mut ChaCha8Rng, mut all: Vec<i32>, most: usize) -> Vec<i32> {
    all.shuffle(rng);
    all.truncate(most);
    all
}

/// The stored codebook, `[K, D]`, without gradients.
fn current(model: &Autoencoder, grid: usize) -> Tensor<2> {
    model.vector_quantizers()[grid]
        .embedding
        .weight
        .val()
        .inner()
}

fn set(model: &mut Autoencoder, grid: usize, codebook: Tensor<2>) {
    if let Some(quantizer) = model.vector_quantizers_mut().into_iter().nth(grid) {
        quantizer.set_codebook(Tensor::from_inner(codebook));
    }
}

/// `count` random numbers below `n`, as indices.
fn draw(rng: &mut ChaCha8Rng, count: usize, n: usize, device: &Device) -> Tensor<1, Int> {
    let picks: Vec<i32> = (0..count).map(|_| rng.random_range(0..n) as i32).collect();
    Tensor::from_data(TensorData::from(picks.as_slice()), device)
}
