use burn::tensor::{Device, Tensor};

use super::learner::Restored;
use super::losses::{adversarial, hinge};
use super::{AdversaryConfig, Learner, State};
use crate::error::{Error, Result};
use crate::nn::Discriminator;
use crate::params;

/// The discriminator in training, and the adversarial loss for the generator.
pub struct Adversary {
    config: AdversaryConfig,
    learner: Learner<Discriminator>,
}

impl Adversary {
    /// Starts from `discriminator`, or from random weights on `device`, which must not have
    /// autodiff.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`], and [`Error::WeightsMismatch`] for a discriminator of another
    /// size.
    pub fn new(
        config: &AdversaryConfig,
        discriminator: Option<Discriminator>,
        device: &Device,
    ) -> Result<Self> {
        let fresh = Discriminator::new(&config.discriminator, device)?;
        let given = discriminator.as_ref().map(params::shapes);
        if given.is_some_and(|shapes| shapes != params::shapes(&fresh)) {
            let message = "the discriminator does not have the size in the config";
            return Err(Error::WeightsMismatch(message.to_owned()));
        }
        Ok(Self {
            learner: Learner::new(discriminator.unwrap_or(fresh), &config.optimizer),
            config: config.clone(),
        })
    }

    /// The training config.
    pub fn config(&self) -> &AdversaryConfig {
        &self.config
    }

    /// The current discriminator, without gradients.
    pub fn outcome(&self) -> Discriminator {
        self.learner.outcome()
    }

    /// The discriminator's activations on images, `[batch, channels, height, width]`, layer by
    /// layer; the last are the logits.
    pub fn layers(&self, pictures: Tensor<4>) -> Vec<Tensor<4>> {
        self.learner.module().layers(pictures)
    }

    /// The generator's adversarial loss, from the discriminator's activations on its output.
    pub fn generator_loss(layers: &[Tensor<4>]) -> Option<Tensor<1>> {
        layers.last().cloned().map(adversarial)
    }

    /// Accumulates the gradients of one batch, weighted by `share`: `real` are the activations on
    /// real images, `fake` are generated images, detached. Returns the loss.
    pub fn learn(&mut self, real: &[Tensor<4>], fake: Tensor<4>, share: f32) -> Option<Tensor<1>> {
        let fake = self.learner.module().forward(fake);
        let loss = hinge(real.last()?.clone(), fake);
        let mut gradients = loss.clone().mul_scalar(share).backward();
        self.learner.gather(&mut gradients);
        Some(loss.inner())
    }

    /// Takes optimizer step `step` of `steps`.
    pub fn step(&mut self, step: usize, steps: usize) {
        let (from, to) = (self.config.start, steps);
        let optimizer = &self.config.optimizer;
        let rate = optimizer.rate(step.saturating_sub(from), to.saturating_sub(from));
        self.learner.step(rate);
    }

    /// Saves all state that the next step depends on.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device fails.
    pub async fn save(&self, state: &mut State) -> Result<()> {
        self.learner.save("discriminator", state).await
    }

    /// Reads what [`Adversary::save`] wrote, without applying it.
    ///
    /// # Errors
    /// The errors of [`Learner::read`].
    pub fn read(&self, state: &State) -> Result<Restored<Discriminator>> {
        self.learner.read("discriminator", state)
    }

    /// Applies restored state.
    pub fn set(&mut self, restored: Restored<Discriminator>) {
        self.learner.set(restored);
    }
}
