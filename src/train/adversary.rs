use burn::tensor::{Device, Tensor};

use super::losses::{adversarial, hinge};
use super::{AdversaryConfig, Learner, State};
use crate::error::Result;
use crate::nn::Discriminator;

/// The discriminator in training, and what it says of the generator's pictures.
pub struct Adversary {
    config: AdversaryConfig,
    learner: Learner<Discriminator>,
}

impl Adversary {
    /// Starts from `discriminator`, or from random weights on `device`, which has no gradients.
    ///
    /// # Errors
    /// [`crate::Error::ConfigInvalid`].
    pub fn new(
        config: &AdversaryConfig,
        discriminator: Option<Discriminator>,
        device: &Device,
    ) -> Result<Self> {
        let discriminator = match discriminator {
            Some(discriminator) => discriminator,
            None => Discriminator::new(&config.discriminator, device)?,
        };
        Ok(Self {
            learner: Learner::new(discriminator, &config.optimizer),
            config: config.clone(),
        })
    }

    /// How it is trained.
    pub fn config(&self) -> &AdversaryConfig {
        &self.config
    }

    /// The discriminator as it is now, without gradients.
    pub fn outcome(&self) -> Discriminator {
        self.learner.outcome()
    }

    /// The discriminator's layers on pictures, `[batch, channels, height, width]`; the last are the
    /// logits.
    pub fn layers(&self, pictures: Tensor<4>) -> Vec<Tensor<4>> {
        self.learner.module().layers(pictures)
    }

    /// What the generator makes small, from the layers on its pictures.
    pub fn generator_loss(layers: &[Tensor<4>]) -> Option<Tensor<1>> {
        layers.last().cloned().map(adversarial)
    }

    /// Gathers gradients from one batch, `share` of the step: `real` are the layers on real
    /// pictures, `fake` are generated pictures, without gradients. Returns the loss.
    pub fn learn(&mut self, real: &[Tensor<4>], fake: Tensor<4>, share: f32) -> Option<Tensor<1>> {
        let fake = self.learner.module().forward(fake);
        let loss = hinge(real.last()?.clone(), fake);
        let mut gradients = loss.clone().mul_scalar(share).backward();
        self.learner.gather(&mut gradients);
        Some(loss.inner())
    }

    /// Ends step `step` of `steps`.
    pub fn step(&mut self, step: usize, steps: usize) {
        let (from, to) = (self.config.start, steps);
        let optimizer = &self.config.optimizer;
        let rate = optimizer.rate(step.saturating_sub(from), to.saturating_sub(from));
        self.learner.step(rate);
    }

    /// Writes everything that the next step depends on.
    ///
    /// # Errors
    /// [`crate::Error::Internal`] when the device fails.
    pub async fn save(&self, state: &mut State) -> Result<()> {
        self.learner.save("discriminator", state).await
    }

    /// Takes over what [`Adversary::save`] wrote.
    ///
    /// # Errors
    /// As [`Learner::restore`].
    pub fn restore(&mut self, state: &State) -> Result<()> {
        self.learner.restore("discriminator", state)
    }
}
