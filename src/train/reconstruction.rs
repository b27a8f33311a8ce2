use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::losses::{adaptive_weight, feature_difference};
use super::reconstruction_loss::ReconstructionLoss;
use super::task::{Artifact, Losses, Role, Task};
use super::{
    Adversary, CodebookUpdate, Codebooks, CropSampler, Learner, Parts, State, TrainConfig,
};
use crate::error::{Error, Result};
use crate::models::{Autoencoder, Config, Kl, Pass};
use crate::nn::{Discriminator, FeatureNetwork, Lpips};
use crate::params;
use crate::random::{noise, stream};
use crate::tokens::Usage;
use crate::weights::{About, Storage, save, save_discriminator};

/// Salts for the seed, so that no two random streams are alike.
const NOISE: u64 = 0x6e01_5e00;
const CODES: u64 = 0x7e55_e7ae;

/// Trains an autoencoder of any kind except Gumbel by reconstruction: VQ-VAE, VQ-GAN with its
/// discriminator, AutoencoderKL.
///
/// Source: van den Oord et al. 2017, equation 3; Esser et al. 2021, section 3.1; Kingma and Welling
/// 2013.
pub struct Reconstruction {
    config: TrainConfig,
    generator: Learner<Autoencoder>,
    codebooks: Codebooks,
    adversary: Option<Adversary>,
    loss: ReconstructionLoss,
    /// With autodiff.
    device: Device,
}

/// Initial weights besides the model's.
#[derive(Debug, Default)]
pub struct Start {
    /// The model's codebook is already trained: skip the warm-up without quantization and k-means.
    pub trained: bool,
    /// Replaces a randomly initialised discriminator.
    pub discriminator: Option<Discriminator>,
    /// LPIPS, if the config gives it a weight.
    pub perceptual: Option<Lpips>,
    /// The network of features, if the config gives it a weight.
    pub features: Option<FeatureNetwork>,
}

impl Reconstruction {
    /// Starts from `model`; training runs on its device.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] for a config that cannot be trained, [`Error::WeightsMismatch`] for
    /// weights that do not match it.
    pub(super) fn new(
        config: TrainConfig,
        model: Autoencoder,
        start: Start,
        device: &Device,
    ) -> Result<Self> {
        config.validate()?;
        let grids = config.model.grids();
        if params::shapes(&model) != params::shapes(&Autoencoder::new(&config.model, device)?) {
            return Err(Error::WeightsMismatch(
                "the model does not match the config".to_owned(),
            ));
        }
        if model.vector_quantizers().len() != grids.len() {
            return Err(Error::ConfigInvalid(
                "training needs a quantizer that picks the nearest code".to_owned(),
            ));
        }
        if config.parts != Parts::All && !start.trained {
            return Err(Error::ConfigInvalid(
                "`parts` leaves the encoder out, so there must be weights to start from".to_owned(),
            ));
        }
        if config.parts == Parts::Codebook && grids.is_empty() {
            return Err(Error::ConfigInvalid(
                "`parts` is `codebook`, but this model has none".to_owned(),
            ));
        }
        if start.discriminator.is_some() && config.adversary.is_none() {
            return Err(Error::ConfigInvalid(
                "a discriminator was given, but the config has no `adversary`".to_owned(),
            ));
        }
        let crops = config.batch * config.accumulate;
        let tokens = |factor: &usize| crops * (config.data.crop / factor).pow(2);
        let per_step: Vec<usize> = grids.iter().map(tokens).collect();
        let autodiff = device.clone().autodiff();
        let loss = ReconstructionLoss::new(&config, start.perceptual, start.features, &autodiff)?;
        let adversary = config.adversary.as_ref();
        let adversary = adversary.map(|a| Adversary::new(a, start.discriminator, device));
        Ok(Self {
            codebooks: Codebooks::new(&config.codebook, &model, start.trained, &per_step),
            generator: Learner::new(model, &config.optimizer),
            adversary: adversary.transpose()?,
            loss,
            device: autodiff,
            config,
        })
    }

    /// The trained model, without gradients. Codebooks are excluded from the EMA of the weights:
    /// they are averages themselves, and restarts make them jump.
    pub fn model(&self) -> Autoencoder {
        let mut model = self.generator.outcome();
        let now = self.generator.module().valid();
        let codebooks = now.vector_quantizers();
        for (ours, now) in model.vector_quantizers_mut().into_iter().zip(codebooks) {
            ours.set_codebook(now.embedding.weight.val());
        }
        model
    }

    /// The training config.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// What must match for a checkpoint to be resumed.
    fn identity_config(&self) -> TrainConfig {
        TrainConfig {
            model: self.config.model.architecture(),
            ..self.config.clone()
        }
    }

    /// The current discriminator, without gradients.
    pub fn discriminator(&self) -> Option<Discriminator> {
        self.adversary.as_ref().map(Adversary::outcome)
    }

    /// Codebook usage since the last call.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device fails.
    pub async fn take_usage(&mut self) -> Result<Usage> {
        self.codebooks.take_usage().await
    }

    /// The model's input and target for batch `number`.
    fn batch(&self, crops: &CropSampler, number: usize) -> Result<[Tensor<4>; 2]> {
        let (count, side) = (self.config.batch, crops.side());
        let tensor = |values| {
            let data = TensorData::new(values, [count, 3, side, side]);
            Tensor::from_data(data, &self.device)
        };
        let clean = crops.batch(number, count);
        let seen = crops.seen(number, &clean)?.map(tensor);
        let clean = tensor(clean);
        Ok([seen.unwrap_or_else(|| clean.clone()), clean])
    }

    /// Runs k-means on the latents of some batches that no step trains on.
    fn start_codebooks(&mut self, crops: &CropSampler, steps: usize) -> Result<()> {
        let first = steps * self.config.accumulate;
        let batches: Vec<Tensor<4>> = (first..first + self.config.codebook.kmeans_batches)
            .map(|number| self.batch(crops, number).map(|[x, _]| x.inner()))
            .collect::<Result<_>>()?;
        let mut rng = stream(self.config.seed ^ CODES, steps);
        self.codebooks
            .start(self.generator.module_mut(), &batches, &mut rng)
    }

    /// Forward pass on the batch `number`, with AutoencoderKL's divergence.
    fn pass(&mut self, x: Tensor<4>, number: usize) -> Result<(Pass, Option<Tensor<1>>)> {
        let model = self.generator.module();
        if self.config.parts != Parts::All {
            let still = model.valid();
            let grids = self.tokens(&still, x.inner())?;
            let grids: Vec<Tensor<4>> = grids.into_iter().map(Tensor::from_inner).collect();
            return Ok((self.decoded(&grids)?, None));
        }
        if let Some(moments) = model.moments(&x) {
            let mean = Kl::mean(moments.clone());
            let values = noise(
                self.config.seed ^ NOISE ^ number as u64,
                mean.shape().num_elements(),
            );
            let noise = Tensor::from_data(TensorData::new(values, mean.shape()), &self.device);
            let z = Kl::sample(moments.clone(), noise);
            return Ok((self.decoded(&[z])?, Some(Kl::divergence(moments))));
        }
        if self.codebooks.in_use()
            && let Some(pass) = model.forward(x.clone())
        {
            self.codebooks.watch(model, &pass);
            return Ok((pass, None));
        }
        let mut grids = Vec::new();
        for quantizer in model.vector_quantizers() {
            grids.push(quantizer.prepare(model.latents(x.clone(), &grids)));
        }
        Ok((self.decoded(&grids)?, None))
    }

    /// Each grid's codebook entries, or AutoencoderKL's means, without gradients.
    fn tokens(&mut self, still: &Autoencoder, x: Tensor<4>) -> Result<Vec<Tensor<4>>> {
        let count = self.config.model.grids().len();
        if count == 0 {
            return Ok(vec![still.latents(x, &[])]);
        }
        let mut grids = Vec::new();
        for grid in 0..count {
            let z = still.latents(x.clone(), &grids);
            let indices = still.indices(grid, z.clone())?;
            let rows: Tensor<1, Int> = indices.clone().flatten(0, 2);
            if self.config.parts == Parts::Codebook {
                self.codebooks.see(still, grid, z, rows.clone());
            }
            self.codebooks.count(grid, rows);
            grids.push(still.lookup(grid, indices)?);
        }
        Ok(grids)
    }

    fn decoded(&self, grids: &[Tensor<4>]) -> Result<Pass> {
        let model = self.generator.module();
        let features = model.features(grids)?;
        Ok(Pass {
            output: model.picture(features.clone()),
            features,
            latents: Vec::new(),
            quantized: Vec::new(),
        })
    }

    /// The gradient of all reconstruction and adversarial losses at the output, detached: LPIPS and
    /// the discriminator are each back-propagated once, then the generator once for all of them.
    fn pull(
        &mut self,
        x: &Tensor<4>,
        pass: &Pass,
        number: usize,
        judged: bool,
        losses: &mut Losses,
    ) -> Result<Tensor<4>> {
        let share = 1.0 / self.config.accumulate as f32;
        let mut add = |name, value: &Tensor<1>| {
            losses.add(name, value.clone().inner().mul_scalar(share));
        };
        let fake = Tensor::from_inner(pass.output.clone().inner()).require_grad();
        let sum = self.loss.of(&fake, x, number, &mut add);
        let adversary = self.adversary.as_mut().filter(|_| judged);
        let Some(adversary) = adversary else {
            return gradient(&fake, sum);
        };

        let real_layers = adversary.layers(x.clone());
        let fake_layers = adversary.layers(fake.clone());
        let Some(mut generator) = Adversary::generator_loss(&fake_layers) else {
            return gradient(&fake, sum);
        };
        add("generator", &generator);
        let matching = adversary.config().feature_matching;
        if matching > 0.0 {
            let still: Vec<_> = real_layers.iter().map(|l| l.clone().detach()).collect();
            if let Some(term) = feature_difference(&still, &fake_layers) {
                add("feature_matching", &term);
                generator = generator + term.mul_scalar(matching);
            }
        }
        let reconstruction = gradient(&fake, sum)?;
        let adversarial = gradient(&fake, generator)?;
        let model = self.generator.module();
        let at_last = |pull: &Tensor<4>| last_gradient(model, pass, pull);
        let weight = match (at_last(&reconstruction), at_last(&adversarial)) {
            (Some(a), Some(b)) => adaptive_weight(a, b),
            _ => Tensor::ones([1], &adversarial.device()),
        };
        let weight = weight.mul_scalar(adversary.config().weight);
        losses.add("adaptive_weight", weight.clone().mul_scalar(share));
        if let Some(loss) = adversary.learn(&real_layers, fake.detach(), share) {
            losses.add("discriminator", loss.mul_scalar(share));
        }
        Ok(reconstruction + adversarial * weight.reshape([1; 4]))
    }
}

impl Task for Reconstruction {
    type Data = CropSampler;

    async fn step(&mut self, crops: &CropSampler, step: usize, steps: usize) -> Result<Losses> {
        if self.codebooks.are_due(step) {
            self.start_codebooks(crops, steps)?;
        }
        let start = self.config.adversary.as_ref().map(|a| a.start);
        let judged = start.is_some_and(|start| step >= start);
        let share = 1.0 / self.config.accumulate as f32;
        let mut losses = Losses::default();
        for part in 0..self.config.accumulate {
            let number = step * self.config.accumulate + part;
            let [x, target] = self.batch(crops, number)?;
            let (pass, divergence) = self.pass(x, number)?;
            let pull = self.pull(&target, &pass, number, judged, &mut losses)?;
            let mut objective = (pass.output * Tensor::from_inner(pull)).sum();
            for quantized in &pass.quantized {
                let commitment = quantized.commitment.clone();
                losses.add("commitment", commitment.clone().inner().mul_scalar(share));
                objective = objective + commitment.mul_scalar(self.config.loss.beta);
                if self.config.codebook.update == CodebookUpdate::Gradient {
                    objective = objective + quantized.codebook.clone();
                }
            }
            if let Some(divergence) = divergence {
                losses.add("divergence", divergence.clone().inner().mul_scalar(share));
                // The other terms are means over the image's values.
                let values = target.dims()[1..].iter().product::<usize>() as f32;
                let weight = self.config.loss.divergence / values;
                objective = objective + divergence.mul_scalar(weight);
            }
            let mut gradients = objective.mul_scalar(share).backward();
            self.generator.gather(&mut gradients);
        }
        self.generator.step(self.config.optimizer.rate(step, steps));
        if let Some(adversary) = self.adversary.as_mut().filter(|_| judged) {
            adversary.step(step, steps);
        }
        let mut rng = stream(self.config.seed ^ CODES, step);
        let model = self.generator.module_mut();
        self.codebooks.follow(model, step + 1, &mut rng).await?;
        Ok(losses)
    }

    fn identity(&self) -> Result<String> {
        serde_json::to_string(&self.identity_config()).map_err(|e| Error::Internal(e.to_string()))
    }

    fn is_same(&self, identity: &str) -> Result<bool> {
        let other: Option<TrainConfig> = serde_json::from_str(identity).ok();
        Ok(other.is_some_and(|other| other == self.identity_config()))
    }

    async fn save(&self, state: &mut State) -> Result<()> {
        self.generator.save("model", state).await?;
        self.codebooks.save(state).await?;
        match &self.adversary {
            Some(adversary) => adversary.save(state).await,
            None => Ok(()),
        }
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let generator = self.generator.read("model", state)?;
        let device = self.device.clone().without_autodiff();
        let codebooks = self.codebooks.read(state, &device)?;
        if let Some(adversary) = &mut self.adversary {
            let restored = adversary.read(state)?;
            adversary.set(restored);
        }
        self.generator.set(generator);
        self.codebooks.set(codebooks);
        Ok(())
    }

    async fn artifacts(&self, about: About<'_>, storage: Storage) -> Result<Vec<Artifact>> {
        let mut artifacts = vec![Artifact {
            role: Role::Weights,
            bytes: save(&self.model(), &self.config.model, about, storage).await?,
        }];
        if let Some(discriminator) = self.discriminator() {
            artifacts.push(Artifact {
                role: Role::Discriminator,
                bytes: save_discriminator(&discriminator, about.name, storage).await?,
            });
        }
        Ok(artifacts)
    }
}

/// Gradient of `loss` with respect to `leaf`, detached.
fn gradient(leaf: &Tensor<4>, loss: Tensor<1>) -> Result<Tensor<4>> {
    leaf.grad(&loss.backward())
        .ok_or_else(|| Error::Internal("a loss does not depend on the picture".to_owned()))
}

/// Gradient at the last layer's weights, given the gradient `pull` at its output.
fn last_gradient(model: &Autoencoder, pass: &Pass, pull: &Tensor<4>) -> Option<Tensor<4>> {
    let last = model.last()?;
    let features = Tensor::from_inner(pass.features.clone().inner());
    let picture = last.forward(features);
    let gradients = (picture * Tensor::from_inner(pull.clone()))
        .sum()
        .backward();
    last.weight().grad(&gradients)
}

#[cfg(test)]
#[path = "reconstruction_tests.rs"]
mod tests;
