use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, one_line};
use crate::models::PriorConfig;
use crate::train::OptimizerConfig;

/// How a prior is trained; the JSON file that `tesserae train` takes for one.
///
/// # Examples
/// ```
/// # use tesserae::train::PriorTrainConfig;
/// let config = PriorTrainConfig::from_json(
///     r#"{
///         "model": {"kind": "maskgit", "codes": 8, "rows": 4, "columns": 4, "classes": 2,
///                   "width": 16, "layers": 2, "heads": 2, "hidden": 32},
///         "batch": 2,
///         "steps": 4,
///         "optimizer": {"learning_rate": 0.001}
///     }"#,
/// )?;
/// assert_eq!(config.label_drop, 0.1);
/// # Ok::<(), tesserae::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriorTrainConfig {
    /// The prior to train.
    pub model: PriorConfig,
    /// Grids per batch.
    pub batch: usize,
    /// Total number of steps.
    pub steps: usize,
    /// Optimizer of the prior.
    pub optimizer: OptimizerConfig,
    /// Fraction of the grids whose class is left out, so that guidance has a prediction without
    /// one.
    #[serde(default = "tenth")]
    pub label_drop: f64,
    /// Fraction of the tokens given to the prior that are replaced by random codes, against
    /// learning a small set by heart; the targets stay.
    #[serde(default)]
    pub noise: f64,
    /// Whether pictures are also encoded mirrored.
    #[serde(default)]
    pub mirror: bool,
    /// Pictures are also encoded shifted by this many pixels to each of four sides.
    #[serde(default)]
    pub shift: u32,
    /// Seed of the batches and, without initial weights, of the weights.
    #[serde(default)]
    pub seed: u64,
}

fn tenth() -> f64 {
    0.1
}

impl PriorTrainConfig {
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
        let invalid = |message: String| Err(Error::ConfigInvalid(message));
        self.model.validate()?;
        for (name, value, max) in [
            ("batch", self.batch, 1 << 14),
            ("steps", self.steps, u32::MAX as usize),
        ] {
            if !(1..=max).contains(&value) {
                return invalid(format!("`{name}` is {value}, outside 1 to {max}"));
            }
        }
        for (name, value) in [("label_drop", self.label_drop), ("noise", self.noise)] {
            if !(0.0..1.0).contains(&value) {
                return invalid(format!("`{name}` must be at least 0 and below 1"));
            }
        }
        if self.shift > 64 {
            return invalid(format!("`shift` is {}, above 64", self.shift));
        }
        self.optimizer.validate()
    }
}
