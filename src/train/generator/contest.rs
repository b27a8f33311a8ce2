use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::Rng;

use super::batch::{Batch, drawn};
use super::{GeneratorTrainConfig, LabelledPictures, common};
use crate::error::{Error, Result};
use crate::models::{Generator, Method};
use crate::nn::ProjectionDiscriminator;
use crate::random::{normal, stream};
use crate::train::losses::{adversarial, hinge};
use crate::train::task::{Artifact, Losses, Task};
use crate::train::{CriticConfig, Learner, State};
use crate::weights::{About, Storage};

/// Trains a generator against a discriminator by the hinge loss, one step each.
///
/// Source: Goodfellow et al. 2014, <https://arxiv.org/abs/1406.2661>; Miyato and Koyama 2018,
/// <https://arxiv.org/abs/1802.05637>; Heusel et al. 2017, <https://arxiv.org/abs/1706.08500>, for
/// the two learning rates.
pub struct Contest {
    config: GeneratorTrainConfig,
    critic: CriticConfig,
    generator: Learner<Generator>,
    discriminator: Learner<ProjectionDiscriminator>,
    /// With autodiff.
    device: Device,
}

impl Contest {
    /// Starts from `generator`, against a new discriminator; training runs on its device.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] for a config that cannot be trained so, [`Error::WeightsMismatch`]
    /// for weights that do not match it.
    pub fn new(
        config: GeneratorTrainConfig,
        generator: Generator,
        device: &Device,
    ) -> Result<Self> {
        common::check(&config, &generator, device)?;
        let Some(critic) = config.discriminator.clone() else {
            let message = "`discriminator` is missing, against which a GAN is trained";
            return Err(Error::ConfigInvalid(message.to_owned()));
        };
        let [channels, ..] = config.model.shape();
        let discriminator =
            ProjectionDiscriminator::new(channels, config.model.classes(), critic.width, device);
        Ok(Self {
            generator: Learner::new(generator, &config.optimizer),
            discriminator: Learner::new(discriminator, &critic.optimizer),
            device: device.clone().autodiff(),
            critic,
            config,
        })
    }

    /// The trained generator, without gradients.
    pub fn generator(&self) -> Generator {
        self.generator.outcome()
    }

    /// The training config.
    pub fn config(&self) -> &GeneratorTrainConfig {
        &self.config
    }

    /// Pictures of the current generator, of the given classes.
    fn fakes(&self, classes: Tensor<1, Int>, rng: &mut impl Rng) -> Result<Tensor<4>> {
        let count = classes.dims()[0];
        let length: usize = self.config.model.noise().iter().product();
        let z = TensorData::new(normal(rng, count * length), [count, length]);
        match self.generator.module().method() {
            Method::Decode(decoder) => {
                Ok(decoder.decode(Tensor::from_data(z, &self.device), classes))
            }
            Method::Denoise(_) => Err(Error::Internal("a generator changed its kind".to_owned())),
        }
    }
}

impl Task for Contest {
    type Data = LabelledPictures;

    async fn step(
        &mut self,
        pictures: &LabelledPictures,
        step: usize,
        steps: usize,
    ) -> Result<Losses> {
        let mut rng = stream(self.config.seed, step);
        let mut losses = Losses::default();

        let Batch {
            pictures: real,
            classes,
        } = drawn(&self.config, pictures, &mut rng, &self.device);
        let fake = self.fakes(classes.clone(), &mut rng)?.detach();
        let judge = self.discriminator.module();
        let loss = hinge(
            judge.forward(real, classes.clone()),
            judge.forward(fake, classes),
        );
        losses.add("discriminator", loss.clone().inner());
        self.discriminator.gather(&mut loss.backward());
        self.discriminator
            .step(self.critic.optimizer.rate(step, steps));

        // Other classes and noise than the discriminator has just learned from.
        let Batch { classes, .. } = drawn(&self.config, pictures, &mut rng, &self.device);
        let fake = self.fakes(classes.clone(), &mut rng)?;
        let loss = adversarial(self.discriminator.module().forward(fake, classes));
        losses.add("generator", loss.clone().inner());
        self.generator.gather(&mut loss.backward());
        self.generator.step(self.config.optimizer.rate(step, steps));
        Ok(losses)
    }

    fn identity(&self) -> Result<String> {
        common::identity(&self.config)
    }

    fn is_same(&self, identity: &str) -> Result<bool> {
        Ok(common::is_same(&self.config, identity))
    }

    async fn save(&self, state: &mut State) -> Result<()> {
        self.generator.save("generator", state).await?;
        self.discriminator.save("discriminator", state).await
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let generator = self.generator.read("generator", state)?;
        let discriminator = self.discriminator.read("discriminator", state)?;
        self.generator.set(generator);
        self.discriminator.set(discriminator);
        Ok(())
    }

    async fn artifacts(&self, about: About<'_>, storage: Storage) -> Result<Vec<Artifact>> {
        common::artifacts(&self.config, &self.generator(), about, storage).await
    }
}
