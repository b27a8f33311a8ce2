use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{CropSampler, TrainConfig};
use crate::error::{Error, Result};
use crate::models::Autoencoder;
use crate::quantize::{EmaCodebook, flatten, kmeans};
use crate::tokens::Usage;

/// Trains an autoencoder by reconstruction, with a codebook that follows by moving averages.
///
/// The loss is the mean squared error over the variance of a photo's pixels, plus β times the
/// commitment term (van den Oord et al. 2017, equation 3, with the codebook term replaced by the
/// moving averages of appendix A.1).
pub struct Trainer {
    config: TrainConfig,
    model: Autoencoder,
    optimizer: ModuleOptimizer,
    /// Absent until k-means has made the first codebook.
    ema: Option<EmaCodebook>,
    step: usize,
    /// Codes chosen since the last report.
    chosen: Vec<u32>,
    rng: ChaCha8Rng,
    device: Device,
}

/// What one step did.
#[derive(Debug, Clone, Copy)]
pub struct StepReport {
    /// Steps done so far.
    pub step: usize,
    /// Mean squared error of the reconstruction, pixels scaled to 0 to 1.
    pub mse: f32,
    /// The commitment term, unweighted.
    pub commitment: f32,
    /// Learning rate of the step.
    pub learning_rate: f64,
}

impl Trainer {
    /// Starts from `model`, whose device decides where training runs. `trained` says that its
    /// codebook is in use already, so that neither warm-up without quantization nor k-means is
    /// wanted.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] for a config that cannot be trained with this trainer.
    pub fn new(
        config: TrainConfig,
        model: Autoencoder,
        trained: bool,
        device: &Device,
    ) -> Result<Self> {
        config.validate()?;
        let Some(quantizer) = model.vector_quantizer() else {
            return Err(Error::ConfigInvalid(format!(
                "this trainer needs one nearest-code quantizer, which this `{}` has not",
                config.model.kind()
            )));
        };
        let codes = config.model.codes();
        // Moving averages of a trained codebook start as if every code were in equal use.
        let ema = trained.then(|| {
            let mut ema = EmaCodebook::new(quantizer.codebook().inner(), config.ema_decay);
            let tokens = config.batch * (config.crop / config.model.factor()).pow(2);
            let share = tokens as f32 / codes as f32;
            ema.cluster_size = ema.cluster_size.mul_scalar(share);
            ema.embed_sum = ema.embed_sum.mul_scalar(share);
            ema
        });
        Ok(Self {
            optimizer: AdamConfig::new()
                .with_beta_2(0.99)
                .with_epsilon(1e-8)
                .init(),
            model: model.train(),
            ema,
            step: 0,
            chosen: Vec::new(),
            rng: ChaCha8Rng::seed_from_u64(config.seed ^ 0x7e55_e7ae),
            device: device.clone().autodiff(),
            config,
        })
    }

    /// The model as it is now, without gradients.
    pub fn model(&self) -> Autoencoder {
        self.model.valid()
    }

    /// Whether all steps are done.
    pub fn finished(&self) -> bool {
        self.step >= self.config.steps
    }

    /// Use of the codebook since the last call.
    pub fn take_usage(&mut self) -> Usage {
        Usage::of(std::mem::take(&mut self.chosen))
    }

    /// One step on the next batch of `crops`.
    ///
    /// # Errors
    /// [`Error::Internal`] when the loss is no longer a number, or when the device fails.
    pub async fn step(&mut self, crops: &mut CropSampler) -> Result<StepReport> {
        if self.ema.is_none() && self.step >= self.config.quantize_after {
            self.start_codebook(crops)?;
        }
        let x = self.batch(crops);
        let z = self.model.latents(x.clone(), &[]);
        let (z_q, commitment, chosen) = match (&self.ema, self.model.vector_quantizer()) {
            (Some(_), Some(quantizer)) => {
                let q = quantizer.forward(z.clone());
                let rows = flatten(quantizer.prepare(z)).inner();
                (q.z_q, q.commitment, Some((rows, q.indices.inner())))
            }
            _ => (z, Tensor::zeros([1], &self.device), None),
        };
        let error = (self.model.decode(&[z_q])? - x).square().mean();
        let [low, high] = self.config.model.input_range();
        let scale = (high - low).powi(2);
        // A photo's pixels have a standard deviation of about a quarter of their range.
        let loss = error.clone().mul_scalar(16.0 / scale)
            + commitment.clone().mul_scalar(self.config.beta);
        let grads = GradientsParams::from_grads(loss.backward(), &self.model);
        let rate = self.config.learning_rate_at(self.step);
        self.model = self.optimizer.step(rate, self.model.clone(), grads);

        self.step += 1;
        if let Some((rows, indices)) = chosen {
            self.follow(rows, indices).await?;
        }
        let mse = read_scalar(error.inner()).await? / scale;
        if !mse.is_finite() {
            return Err(Error::Internal(format!(
                "the loss is not a number after {} steps; a lower learning rate may help",
                self.step
            )));
        }
        Ok(StepReport {
            step: self.step,
            mse,
            commitment: read_scalar(commitment.inner()).await?,
            learning_rate: rate,
        })
    }

    fn batch(&self, crops: &mut CropSampler) -> Tensor<4> {
        let (count, side) = (self.config.batch, self.config.crop);
        let data = TensorData::new(crops.batch(count), [count, 3, side, side]);
        Tensor::from_data(data, &self.device)
    }

    /// K-means on the latents of some batches.
    fn start_codebook(&mut self, crops: &mut CropSampler) -> Result<()> {
        let model = self.model.valid();
        let Some(quantizer) = model.vector_quantizer() else {
            return Ok(());
        };
        let batches = (0..self.config.kmeans_batches)
            .map(|_| flatten(quantizer.prepare(model.latents(self.batch(crops).inner(), &[]))))
            .collect();
        let z: Tensor<2> = Tensor::cat(batches, 0);
        let codes = self.config.model.codes();
        let rows = self.draw(codes, z.dims()[0]);
        let codebook = kmeans(z.clone(), z.select(0, rows), 10);
        self.set_codebook(codebook.clone());
        self.ema = Some(EmaCodebook::new(codebook, self.config.ema_decay));
        Ok(())
    }

    /// Moves the codebook towards the latents, and restarts codes that nothing chooses.
    async fn follow(&mut self, z: Tensor<2>, indices: Tensor<3, Int>) -> Result<()> {
        let n = z.dims()[0];
        let flat: Tensor<1, Int> = indices.reshape([n]);
        let chosen = flat.clone().into_data_async().await.map_err(device_error)?;
        self.chosen.extend(chosen.iter::<u32>());
        let Some(mut ema) = self.ema.take() else {
            return Ok(());
        };
        let mut codebook = ema.update(z.clone(), flat);
        if self.step.is_multiple_of(self.config.restart_every) {
            let sizes = ema.cluster_size.clone().into_data_async().await;
            let dead: Vec<i32> = sizes
                .map_err(device_error)?
                .iter::<f32>()
                .enumerate()
                .filter(|(_, size)| *size < self.config.dead_below)
                .map(|(code, _)| code as i32)
                .take(n)
                .collect();
            if !dead.is_empty() {
                let rows = z.select(0, self.draw(dead.len(), n));
                let device = rows.device();
                let dead = Tensor::from_data(TensorData::from(dead.as_slice()), &device);
                ema.restart(dead, rows, 1.0);
                codebook = ema.codebook();
            }
        }
        self.ema = Some(ema);
        self.set_codebook(codebook);
        Ok(())
    }

    fn set_codebook(&mut self, codebook: Tensor<2>) {
        if let Some(quantizer) = self.model.vector_quantizer_mut() {
            quantizer.set_codebook(Tensor::from_inner(codebook));
        }
    }

    /// `count` random numbers below `n`, as indices on the device without gradients.
    fn draw(&mut self, count: usize, n: usize) -> Tensor<1, Int> {
        let picks: Vec<i32> = (0..count)
            .map(|_| self.rng.random_range(0..n) as i32)
            .collect();
        Tensor::from_data(
            TensorData::from(picks.as_slice()),
            &self.device.clone().without_autodiff(),
        )
    }
}

async fn read_scalar(value: Tensor<1>) -> Result<f32> {
    let data = value.into_data_async().await.map_err(device_error)?;
    data.iter::<f32>()
        .next()
        .ok_or_else(|| Error::Internal("an empty tensor where a number was expected".into()))
}

fn device_error(error: impl std::fmt::Display) -> Error {
    Error::Internal(error.to_string())
}
