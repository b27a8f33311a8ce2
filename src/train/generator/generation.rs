use burn::tensor::Device;
use rand::Rng;

use super::batch::{Batch, batch, drawn};
use super::losses::{Loss, denoising, evidence};
use super::{GeneratorTrainConfig, LabelledPictures, common};
use crate::error::{Error, Result};
use crate::models::{Generator, GeneratorConfig};
use crate::random::stream;
use crate::train::task::{Artifact, Losses, Task};
use crate::train::{Learner, State};
use crate::weights::{About, Storage};

/// Salt for the seed, so that held-out batches are not those trained on.
const HELD_OUT: u64 = 0x4e1d_0007;

/// Trains a generator by the likelihood of pictures, or by denoising them.
pub struct Generation {
    config: GeneratorTrainConfig,
    learner: Learner<Generator>,
    /// With autodiff.
    device: Device,
}

impl Generation {
    /// Starts from `generator`; training runs on its device.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] for a config that cannot be trained so, [`Error::WeightsMismatch`] for
    /// weights that do not match it.
    pub fn new(
        config: GeneratorTrainConfig,
        generator: Generator,
        device: &Device,
    ) -> Result<Self> {
        common::check(&config, &generator, device)?;
        if config.discriminator.is_some() {
            let message = "a GAN is trained against its discriminator, by `Session::train_gan`";
            return Err(Error::ConfigInvalid(message.to_owned()));
        }
        Ok(Self {
            learner: Learner::new(generator, &config.optimizer),
            device: device.clone().autodiff(),
            config,
        })
    }

    /// The trained generator, without gradients.
    pub fn generator(&self) -> Generator {
        self.learner.outcome()
    }

    /// The training config.
    pub fn config(&self) -> &GeneratorTrainConfig {
        &self.config
    }

    /// Mean loss of held-out pictures, with noise by a fixed seed.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device fails.
    pub async fn loss(&self, pictures: &LabelledPictures) -> Result<f64> {
        let generator = self.generator();
        let device = self.device.clone().without_autodiff();
        let (mut sum, mut count) = (0.0, 0);
        let indices: Vec<usize> = (0..pictures.len()).collect();
        for (number, indices) in indices.chunks(self.config.batch).enumerate() {
            let mut rng = stream(self.config.seed ^ HELD_OUT, number);
            let (mut planes, mut classes) = (Vec::new(), Vec::new());
            for index in indices {
                classes.push(pictures.add(*index, &mut planes));
            }
            let batch = batch(&self.config.model, planes, classes, &device);
            let loss = self.loss_of(&generator, batch, &mut rng)?;
            let mut losses = Losses::default();
            losses.add("loss", loss.total);
            for (_, value) in losses.read().await? {
                sum += f64::from(value) * indices.len() as f64;
                count += indices.len();
            }
        }
        Ok(sum / count.max(1) as f64)
    }

    fn loss_of(&self, generator: &Generator, batch: Batch, rng: &mut impl Rng) -> Result<Loss> {
        match (generator, &self.config.model) {
            (Generator::Vae(vae), _) => Ok(evidence(vae, batch, &self.config, rng)),
            (Generator::Diffusion(network), GeneratorConfig::Diffusion(config)) => {
                Ok(denoising(network, config, batch, rng))
            }
            _ => Err(Error::Internal("a generator changed its kind".to_owned())),
        }
    }
}

impl Task for Generation {
    type Data = LabelledPictures;

    async fn step(
        &mut self,
        pictures: &LabelledPictures,
        step: usize,
        steps: usize,
    ) -> Result<Losses> {
        let config = &self.config;
        let mut rng = stream(config.seed, step);
        let batch = drawn(config, pictures, &mut rng, &self.device);
        let loss = self.loss_of(self.learner.module(), batch, &mut rng)?;
        let mut losses = Losses::default();
        for (name, value) in loss.terms {
            losses.add(name, value);
        }
        self.learner.gather(&mut loss.total.backward());
        self.learner.step(self.config.optimizer.rate(step, steps));
        Ok(losses)
    }

    fn identity(&self) -> Result<String> {
        common::identity(&self.config)
    }

    fn is_same(&self, identity: &str) -> Result<bool> {
        Ok(common::is_same(&self.config, identity))
    }

    async fn save(&self, state: &mut State) -> Result<()> {
        self.learner.save("generator", state).await
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let restored = self.learner.read("generator", state)?;
        self.learner.set(restored);
        Ok(())
    }

    async fn artifacts(&self, about: About<'_>, storage: Storage) -> Result<Vec<Artifact>> {
        common::artifacts(&self.config, &self.generator(), about, storage).await
    }
}
