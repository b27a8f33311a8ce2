use serde::{Deserialize, Serialize};

use super::Damage;
use crate::error::{Error, Result, one_line};
use crate::models::AutoencoderConfig;
use crate::nn::DiscriminatorConfig;

/// How an autoencoder is trained, as the JSON file that `tesserae train` takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// What is trained.
    pub model: AutoencoderConfig,
    /// Which of its parameters learn.
    #[serde(default)]
    pub parts: Parts,
    /// How pictures become crops.
    pub data: DataConfig,
    /// Crops that pass through the model at once.
    pub batch: usize,
    /// Batches a step, whose gradients are averaged.
    #[serde(default = "one")]
    pub accumulate: usize,
    /// Steps in all.
    pub steps: usize,
    /// How gradients move the parameters.
    pub optimizer: OptimizerConfig,
    /// What is to become small.
    #[serde(default)]
    pub loss: LossConfig,
    /// How the codebook is kept alive; of no meaning to a model without one.
    #[serde(default)]
    pub codebook: CodebookConfig,
    /// The discriminator, for the second half of VQ-GAN's training.
    #[serde(default)]
    pub adversary: Option<AdversaryConfig>,
    /// Seed of the crops, of the noise and, without starting weights, of the weights.
    #[serde(default)]
    pub seed: u64,
}

/// Which parameters learn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Parts {
    /// All of them.
    #[default]
    All,
    /// The decoder alone: pictures keep their tokens.
    Decoder,
    /// The decoder, and the codebook by its moving averages: the encoder stays.
    Codebook,
}

/// How pictures become crops.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Side of a crop in pixels; a multiple of the downsampling factor.
    pub crop: usize,
    /// Whether half of the crops are mirrored.
    #[serde(default = "yes")]
    pub mirror: bool,
    /// Whether contrast and colours are shifted a little.
    #[serde(default = "yes")]
    pub colour: bool,
    /// Whether crops also come from pictures scaled down.
    #[serde(default = "yes")]
    pub scales: bool,
    /// What is done to the crops that the model sees; it is to give them back as they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<Damage>,
}

/// AdamW with warm-up and cosine; Adam where `weight_decay` is 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Steps over which the rate rises from zero.
    #[serde(default = "warmup")]
    pub warmup: usize,
    /// Share of the highest rate that the cosine falls to at the last step.
    #[serde(default = "final_share")]
    pub final_share: f64,
    /// Share that the mean of gradients keeps at each step (VQ-GAN: 0.5).
    #[serde(default = "beta_1")]
    pub beta_1: f32,
    /// Share that the mean of their squares keeps (VQ-GAN: 0.9).
    #[serde(default = "beta_2")]
    pub beta_2: f32,
    /// What the rate times the parameter is multiplied by at each step.
    #[serde(default)]
    pub weight_decay: f32,
    /// The most that the norm over all gradients may be; longer ones are scaled down.
    #[serde(default)]
    pub clip: Option<f32>,
    /// Share that a moving average of the weights keeps at each step. With it the average is what is
    /// written, and not the last step's weights.
    #[serde(default)]
    pub average: Option<f64>,
}

/// How a reconstruction is judged. Differences are of pixels scaled to 0 to 1, but LPIPS's, which
/// is of −1 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LossConfig {
    /// The difference of pixels.
    pub pixel: PixelLoss,
    /// Weight of the difference of gradients at three scales; see
    /// [`gradient_difference`](super::losses::gradient_difference).
    pub gradient: f32,
    /// Weight of the difference of local contrast; see
    /// [`texture_difference`](super::losses::texture_difference).
    pub texture: f32,
    /// Weight of LPIPS, whose weights are then asked for.
    pub perceptual: f32,
    /// Weight β of the commitment term.
    pub beta: f32,
    /// Weight of AutoencoderKL's divergence, summed over a picture's latents, against the
    /// difference of pixels summed over the picture (latent-diffusion: 1e-6).
    pub divergence: f32,
}

impl Default for LossConfig {
    fn default() -> Self {
        Self {
            pixel: PixelLoss::Squared,
            gradient: 0.0,
            texture: 0.0,
            perceptual: 0.0,
            beta: 0.25,
            divergence: 1e-6,
        }
    }
}

/// The difference of pixels that is to become small.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PixelLoss {
    /// The mean of squares over a photo's variance, as VQ-VAE has it.
    #[default]
    Squared,
    /// The mean of absolute values, as VQ-GAN has it.
    Absolute,
}

/// How the codebook follows the latents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CodebookConfig {
    /// What moves it.
    pub update: CodebookUpdate,
    /// Share that a step keeps of the moving averages.
    pub decay: f32,
    /// Steps without quantization before k-means makes the first codebook.
    pub quantize_after: usize,
    /// Batches of latents that k-means sees.
    pub kmeans_batches: usize,
    /// Every so many steps, codes that are chosen less than `dead_below` times a step restart from
    /// latents of the batch.
    pub restart_every: usize,
    /// See `restart_every`; where a step has fewer tokens than there are codes, this share of an
    /// equal use.
    pub dead_below: f32,
}

impl Default for CodebookConfig {
    fn default() -> Self {
        Self {
            update: CodebookUpdate::Average,
            decay: 0.99,
            quantize_after: 300,
            kmeans_batches: 24,
            restart_every: 100,
            dead_below: 0.05,
        }
    }
}

/// What moves the codebook.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CodebookUpdate {
    /// Moving averages of the latents (van den Oord et al. 2017, appendix A.1).
    #[default]
    Average,
    /// The gradient of the codebook term (the same, equation 3).
    Gradient,
}

/// The discriminator, and what it is for the generator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdversaryConfig {
    /// What it is made of.
    pub discriminator: DiscriminatorConfig,
    /// How it learns.
    pub optimizer: OptimizerConfig,
    /// First step, counted from 0, at which it learns and counts.
    #[serde(default)]
    pub start: usize,
    /// What the adaptive weight λ is multiplied by.
    #[serde(default = "adversary_weight")]
    pub weight: f32,
    /// Weight of the difference between the discriminator's layers on the picture and on its
    /// reconstruction, against the logits; λ scales both together.
    #[serde(default)]
    pub feature_matching: f32,
}

/// Its four poolings leave a pixel of this.
const SMALLEST_FOR_LPIPS: usize = 16;

fn one() -> usize {
    1
}
fn yes() -> bool {
    true
}
fn warmup() -> usize {
    300
}
fn final_share() -> f64 {
    0.01
}
fn beta_1() -> f32 {
    0.9
}
fn beta_2() -> f32 {
    0.99
}
fn adversary_weight() -> f32 {
    0.8
}

fn invalid<T>(message: String) -> Result<T> {
    Err(Error::ConfigInvalid(message))
}

/// Refuses what is no number or negative.
fn not_negative(name: &str, value: f32) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    invalid(format!("`{name}` must be zero or more"))
}

/// Refuses what is no share below the whole.
fn share(name: &str, value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    invalid(format!("`{name}` must be from 0 to below 1"))
}

impl TrainConfig {
    /// Reads a config from JSON.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] names the field.
    pub fn from_json(json: &str) -> Result<Self> {
        let config: Self =
            serde_json::from_str(json).map_err(|e| Error::ConfigInvalid(one_line(e)))?;
        config.validate()?;
        Ok(config)
    }

    /// Checks the numbers that no training could start with.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] names the field.
    pub fn validate(&self) -> Result<()> {
        self.model.validate()?;
        let (crop, factor) = (self.data.crop, self.model.factor());
        if !crop.is_multiple_of(factor) {
            return invalid(format!("`crop` must be a multiple of {factor}"));
        }
        if let Some(damage) = self.data.damage {
            damage.validate()?;
        }
        let pixels = self.batch.saturating_mul(crop.saturating_pow(2));
        for (name, value, max) in [
            ("crop", crop, 1 << 11),
            ("batch", self.batch, 1 << 14),
            ("accumulate", self.accumulate, 1 << 14),
            ("steps", self.steps, u32::MAX as usize),
            ("kmeans_batches", self.codebook.kmeans_batches, 1 << 10),
            (
                "restart_every",
                self.codebook.restart_every,
                u32::MAX as usize,
            ),
            // Together they are what a step holds in memory.
            ("batch × crop²", pixels, 1 << 26),
        ] {
            if !(1..=max).contains(&value) {
                return invalid(format!("`{name}` is {value}, outside 1 to {max}"));
            }
        }
        for (name, value) in [
            ("gradient", self.loss.gradient),
            ("texture", self.loss.texture),
            ("perceptual", self.loss.perceptual),
            ("beta", self.loss.beta),
            ("divergence", self.loss.divergence),
            ("dead_below", self.codebook.dead_below),
        ] {
            not_negative(name, value)?;
        }
        if self.loss.perceptual > 0.0 && crop < SMALLEST_FOR_LPIPS {
            return invalid(format!(
                "`crop` must be at least {SMALLEST_FOR_LPIPS} for LPIPS"
            ));
        }
        share("decay", self.codebook.decay.into())?;
        self.optimizer.validate()?;
        let Some(adversary) = &self.adversary else {
            return Ok(());
        };
        if adversary.start >= self.steps {
            return invalid("`start` must be below `steps`".into());
        }
        adversary.validate(crop)
    }
}

impl OptimizerConfig {
    fn validate(&self) -> Result<()> {
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return invalid("`learning_rate` must be positive".into());
        }
        if !(0.0..=1.0).contains(&self.final_share) {
            return invalid("`final_share` must be from 0 to 1".into());
        }
        if self.clip.is_some_and(|clip| clip.is_nan() || clip <= 0.0) {
            return invalid("`clip` must be positive".into());
        }
        not_negative("weight_decay", self.weight_decay)?;
        share("beta_1", self.beta_1.into())?;
        share("beta_2", self.beta_2.into())?;
        share("average", self.average.unwrap_or_default())
    }

    /// The learning rate at `step` of `steps`, counted from 0.
    pub fn rate(&self, step: usize, steps: usize) -> f64 {
        let rise = ((step + 1) as f64 / self.warmup.max(1) as f64).min(1.0);
        let done = (step as f64 / steps.max(1) as f64).min(1.0);
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
        let fall = self.final_share + (1.0 - self.final_share) * cosine;
        self.learning_rate * rise * fall
    }
}

impl AdversaryConfig {
    fn validate(&self, crop: usize) -> Result<()> {
        self.discriminator.validate()?;
        let smallest = self.discriminator.smallest();
        if crop < smallest {
            return invalid(format!(
                "`crop` must be at least {smallest} for this discriminator"
            ));
        }
        not_negative("weight", self.weight)?;
        not_negative("feature_matching", self.feature_matching)?;
        self.optimizer.validate()
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
