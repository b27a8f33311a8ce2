use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, one_line};
use crate::fields::{MAX_WIDTH, within};
use crate::models::GeneratorConfig;
use crate::train::OptimizerConfig;

/// How a generator is trained; the JSON file that `tesserae train` takes for one.
///
/// # Examples
/// ```
/// # use tesserae::train::GeneratorTrainConfig;
/// let config = GeneratorTrainConfig::from_json(
///     r#"{
///         "model": {"kind": "vae", "channels": 1, "side": 8, "classes": 2, "width": 4,
///                   "hidden": 16, "latent": 2},
///         "batch": 2,
///         "steps": 4,
///         "optimizer": {"learning_rate": 0.001}
///     }"#,
/// )?;
/// assert_eq!(config.free_bits, 0.0);
/// # Ok::<(), tesserae::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratorTrainConfig {
    /// The generator to train.
    pub model: GeneratorConfig,
    /// Pictures per batch.
    pub batch: usize,
    /// Total number of steps.
    pub steps: usize,
    /// Optimizer of the generator.
    pub optimizer: OptimizerConfig,
    /// Fraction of the pictures whose class is left out.
    #[serde(default = "tenth")]
    pub label_drop: f64,
    /// Each picture is shifted by at most this many pixels in both directions.
    #[serde(default)]
    pub shift: u32,
    /// For a VAE, nats of each number of the latent that cost nothing, against its collapse.
    #[serde(default)]
    pub free_bits: f64,
    /// For a VAE, weight of the divergence: above 1 the latent says less of the picture (Higgins et
    /// al. 2017, "beta-VAE").
    #[serde(default = "one")]
    pub beta: f64,
    /// For a GAN, what it is trained against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discriminator: Option<CriticConfig>,
    /// Seed of the batches and, without initial weights, of the weights.
    #[serde(default)]
    pub seed: u64,
}

/// The discriminator of a GAN; see [`ProjectionDiscriminator`](crate::nn::ProjectionDiscriminator).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CriticConfig {
    /// Channels after the first layer.
    pub width: usize,
    /// Its optimizer.
    pub optimizer: OptimizerConfig,
}

fn tenth() -> f64 {
    0.1
}

fn one() -> f64 {
    1.0
}

impl GeneratorTrainConfig {
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
        let invalid = |message| Err(Error::ConfigInvalid(message));
        self.model.validate()?;
        within("batch", self.batch, 1 << 14)?;
        within("steps", self.steps, u32::MAX as usize)?;
        if !(0.0..1.0).contains(&self.label_drop) {
            return invalid("`label_drop` must be at least 0 and below 1".to_owned());
        }
        if self.shift > 64 {
            return invalid(format!("`shift` is {}, above 64", self.shift));
        }
        if !(0.0..=1e3).contains(&self.free_bits) {
            return invalid("`free_bits` must be 0 to 1000".to_owned());
        }
        if !(0.0..=1e3).contains(&self.beta) {
            return invalid("`beta` must be 0 to 1000".to_owned());
        }
        if (self.free_bits > 0.0 || self.beta != 1.0)
            && !matches!(self.model, GeneratorConfig::Vae(_))
        {
            return invalid("`free_bits` and `beta` are for a VAE only".to_owned());
        }
        let adversarial = matches!(self.model, GeneratorConfig::Gan(_));
        match (&self.discriminator, adversarial) {
            (Some(critic), true) => {
                within("discriminator.width", critic.width, MAX_WIDTH / 4)?;
                critic.optimizer.validate()?;
            }
            (None, false) => {}
            (Some(_), false) => return invalid("`discriminator` is for a GAN only".to_owned()),
            (None, true) => return invalid("missing field `discriminator`".to_owned()),
        }
        self.optimizer.validate()
    }
}
