use serde::{Deserialize, Serialize};

use super::Damage;
use crate::error::{Error, Result, one_line};
use crate::models::AutoencoderConfig;
use crate::nn::DiscriminatorConfig;

/// How an autoencoder is trained; the JSON file that `tesserae train` takes.
///
/// # Examples
/// ```
/// # use burn::tensor::Device;
/// # use pollster::block_on;
/// # use tesserae::train::{Event, Rhythm, Session, Start, TrainConfig};
/// # use tesserae::{Autoencoder, Picture};
/// # fn main() -> tesserae::Result<()> {
/// let config = TrainConfig::from_json(
///     r#"{
///         "model": {"kind": "vqvae", "hidden": 16, "residual_hidden": 8, "residual_layers": 1,
///                   "downsamplings": 2, "embed_dim": 8, "n_embed": 32},
///         "data": {"crop": 16},
///         "batch": 2,
///         "steps": 4,
///         "optimizer": {"learning_rate": 0.001}
///     }"#,
/// )?;
/// let device = Device::flex();
/// let network = Autoencoder::new(&config.model, &device)?;
/// let photos = vec![Picture::from_rgb(20, 20, (0..20 * 20 * 3).map(|i| i as u8).collect())?];
/// let rhythm = Rhythm { save: 2, ..Rhythm::default() };
/// let mut session = Session::train(&config, network, Start::default(), photos, &device, rhythm)?;
/// while let Some(event) = block_on(session.next())? {
///     if event == Event::Save {
///         let checkpoint = block_on(session.checkpoint())?;
///         println!("{} bytes to resume from step {}", checkpoint.len(), session.done());
///     }
/// }
/// assert!(session.finished());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// The model to train.
    pub model: AutoencoderConfig,
    /// Which of its parameters are trained.
    #[serde(default)]
    pub parts: Parts,
    /// How photos are cropped and augmented.
    pub data: DataConfig,
    /// Crops per batch.
    pub batch: usize,
    /// Batches per step (gradient accumulation); gradients are averaged.
    #[serde(default = "one")]
    pub accumulate: usize,
    /// Total number of steps.
    pub steps: usize,
    /// Optimizer of the model.
    pub optimizer: OptimizerConfig,
    /// Loss terms and their weights.
    #[serde(default)]
    pub loss: LossConfig,
    /// Codebook initialisation, updates and restarts; ignored for models without a codebook.
    #[serde(default)]
    pub codebook: CodebookConfig,
    /// The discriminator, for the adversarial part of VQ-GAN's training.
    #[serde(default)]
    pub adversary: Option<AdversaryConfig>,
    /// Seed of the crops, of the noise and, without initial weights, of the weights.
    #[serde(default)]
    pub seed: u64,
}

/// Which parameters are trained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Parts {
    /// All of them.
    #[default]
    All,
    /// Only the decoder: images keep their tokens.
    Decoder,
    /// The decoder, and the codebook by EMA: the encoder is frozen.
    Codebook,
}

/// How photos are cropped and augmented.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Side of a crop in pixels; a multiple of the downsampling factor.
    pub crop: usize,
    /// Whether to mirror half of the crops.
    #[serde(default = "yes")]
    pub mirror: bool,
    /// Whether to jitter contrast and colours slightly.
    #[serde(default = "yes")]
    pub colour: bool,
    /// Whether crops also come from downscaled photos.
    #[serde(default = "yes")]
    pub scales: bool,
    /// Fraction of the crops that are pictures of overlapping shapes with the photos' colours and
    /// textures instead.
    #[serde(default)]
    pub leaves: f64,
    /// Damage applied to the model's input; the target stays clean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<Damage>,
}

/// AdamW with warm-up and cosine decay; Adam if `weight_decay` is 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Warm-up steps, over which the rate rises linearly from zero.
    #[serde(default = "warmup")]
    pub warmup: usize,
    /// Final learning rate as a fraction of the peak.
    #[serde(default = "final_share")]
    pub final_share: f64,
    /// Decay of the first moment (VQ-GAN: 0.5).
    #[serde(default = "beta_1")]
    pub beta_1: f32,
    /// Decay of the second moment (VQ-GAN: 0.9).
    #[serde(default = "beta_2")]
    pub beta_2: f32,
    /// Weight decay: each step subtracts this times the learning rate times the parameter.
    #[serde(default)]
    pub weight_decay: f32,
    /// Maximum norm over all gradients; larger gradients are scaled down.
    #[serde(default)]
    pub clip: Option<f32>,
    /// Decay of an exponential moving average (EMA) of the weights. If set, the average is saved
    /// instead of the last step's weights.
    #[serde(default)]
    pub average: Option<f64>,
}

/// The reconstruction loss. Pixels are scaled to 0…1 for every term except LPIPS, which takes −1…1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LossConfig {
    /// The pixel loss.
    pub pixel: PixelLoss,
    /// Weight of the image gradient difference at three scales; see
    /// [`gradient_difference`](super::losses::gradient_difference).
    pub gradient: f32,
    /// Weight of the local contrast difference; see
    /// [`texture_difference`](super::losses::texture_difference).
    pub texture: f32,
    /// Weight of LPIPS; if nonzero, its weights must be given.
    pub perceptual: f32,
    /// Weight of the distance between the features of
    /// [`FeatureNetwork`](crate::nn::FeatureNetwork); if nonzero, its weights must be given.
    pub features: f32,
    /// Weight of the difference of the features' local contrast, relative to `features`.
    pub feature_contrast: f32,
    /// Weight β of the commitment loss.
    pub beta: f32,
    /// Weight of AutoencoderKL's KL divergence, summed over an image's latents, relative to a pixel
    /// loss summed over the image (latent-diffusion: 1e-6).
    pub divergence: f32,
}

impl Default for LossConfig {
    fn default() -> Self {
        Self {
            pixel: PixelLoss::Squared,
            gradient: 0.0,
            texture: 0.0,
            perceptual: 0.0,
            features: 0.0,
            feature_contrast: 0.0,
            beta: 0.25,
            divergence: 1e-6,
        }
    }
}

/// The pixel loss.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PixelLoss {
    /// Mean squared error divided by the variance of a photo, as in VQ-VAE.
    #[default]
    Squared,
    /// Mean absolute error, as in VQ-GAN.
    Absolute,
}

/// How the codebook is initialised, updated and restarted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CodebookConfig {
    /// How codebook entries are updated.
    pub update: CodebookUpdate,
    /// Decay of the EMA.
    pub decay: f32,
    /// Steps without quantization before k-means initialises the codebook.
    pub quantize_after: usize,
    /// Batches of latents that k-means runs on.
    pub kmeans_batches: usize,
    /// Every this many steps, codes chosen fewer than `dead_below` times per step restart from
    /// latents of the batch.
    pub restart_every: usize,
    /// See `restart_every`; if a step has fewer tokens than codes, this fraction of uniform use.
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

/// How codebook entries are updated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CodebookUpdate {
    /// EMA of the latents (van den Oord et al. 2017, appendix A.1).
    #[default]
    Average,
    /// Gradient of the codebook loss (same paper, equation 3).
    Gradient,
}

/// The discriminator and its role in the generator's loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdversaryConfig {
    /// The discriminator's layers.
    pub discriminator: DiscriminatorConfig,
    /// Optimizer of the discriminator.
    pub optimizer: OptimizerConfig,
    /// First step, counted from 0, at which it is trained and contributes to the loss.
    #[serde(default)]
    pub start: usize,
    /// Factor applied to the adaptive weight λ.
    #[serde(default = "adversary_weight")]
    pub weight: f32,
    /// Weight of feature matching, the difference between the discriminator's activations on the
    /// image and on its reconstruction, relative to the adversarial loss; λ scales both.
    #[serde(default)]
    pub feature_matching: f32,
}

/// LPIPS pools four times, so a side of 16 leaves one pixel.
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

/// Requires a number ≥ 0.
fn not_negative(name: &str, value: f32) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    invalid(format!("`{name}` must be zero or more"))
}

/// Requires 0 ≤ value < 1.
fn share(name: &str, value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    invalid(format!("`{name}` must be at least 0 and below 1"))
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

    /// Rejects values that training could not start with.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] names the field.
    pub fn validate(&self) -> Result<()> {
        self.model.validate()?;
        let (crop, factor) = (self.data.crop, self.model.factor());
        if !crop.is_multiple_of(factor) {
            return invalid(format!("`crop` must be a multiple of {factor}"));
        }
        if !(0.0..=1.0).contains(&self.data.leaves) {
            return invalid("`leaves` must be from 0 to 1".into());
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
            // Together they determine a step's memory.
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
            ("features", self.loss.features),
            ("feature_contrast", self.loss.feature_contrast),
            ("beta", self.loss.beta),
            ("divergence", self.loss.divergence),
            ("dead_below", self.codebook.dead_below),
        ] {
            not_negative(name, value)?;
        }
        if self.loss.feature_contrast > 0.0 && self.loss.features == 0.0 {
            return invalid("`feature_contrast` needs `features` above 0".into());
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
    pub(super) fn validate(&self) -> Result<()> {
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
