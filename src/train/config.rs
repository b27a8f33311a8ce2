use serde::{Deserialize, Serialize};

use crate::config::ModelConfig;
use crate::error::{Error, Result, one_line};

/// How a model is trained, as the JSON file that `tesserae train` takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// What is trained.
    pub model: ModelConfig,
    /// Side of a training crop in pixels; a multiple of the downsampling factor.
    pub crop: usize,
    /// Crops a step.
    pub batch: usize,
    /// Steps in all; the learning rate falls to a hundredth along a cosine over them.
    pub steps: usize,
    /// Highest learning rate of Adam.
    pub learning_rate: f64,
    /// Steps over which the learning rate rises from zero.
    #[serde(default = "warmup")]
    pub warmup: usize,
    /// Weight β of the commitment term.
    #[serde(default = "beta")]
    pub beta: f32,
    /// Share that a step keeps of the codebook's moving averages.
    #[serde(default = "decay")]
    pub ema_decay: f32,
    /// Steps without quantization before k-means makes the first codebook.
    #[serde(default = "warmup")]
    pub quantize_after: usize,
    /// Batches of latents that k-means sees.
    #[serde(default = "kmeans_batches")]
    pub kmeans_batches: usize,
    /// Every so many steps, codes that are chosen less than `dead_below` times a step restart from
    /// latents of the batch.
    #[serde(default = "restart_every")]
    pub restart_every: usize,
    /// See `restart_every`.
    #[serde(default = "dead_below")]
    pub dead_below: f32,
    /// Seed of the crops and, without starting weights, of the weights.
    #[serde(default)]
    pub seed: u64,
}

fn warmup() -> usize {
    300
}
fn beta() -> f32 {
    0.25
}
fn decay() -> f32 {
    0.99
}
fn kmeans_batches() -> usize {
    24
}
fn restart_every() -> usize {
    100
}
fn dead_below() -> f32 {
    0.05
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
        let invalid = |message: String| Err(Error::ConfigInvalid(message));
        if let ModelConfig::Kl(_) | ModelConfig::VqVae2(_) = self.model {
            let kind = self.model.kind();
            return invalid(format!("a model of the kind `{kind}` is not trained here"));
        }
        let factor = self.model.factor();
        if !self.crop.is_multiple_of(factor) {
            return invalid(format!("`crop` must be a multiple of {factor}"));
        }
        for (name, value, max) in [
            ("crop", self.crop, 1 << 11),
            ("batch", self.batch, 1 << 14),
            ("steps", self.steps, u32::MAX as usize),
            ("kmeans_batches", self.kmeans_batches, 1 << 14),
            ("restart_every", self.restart_every, u32::MAX as usize),
            // Together they are what a step holds in memory.
            (
                "batch × crop²",
                self.batch.saturating_mul(self.crop.saturating_pow(2)),
                1 << 26,
            ),
        ] {
            if !(1..=max).contains(&value) {
                return invalid(format!("`{name}` is {value}, outside 1 to {max}"));
            }
        }
        for (name, value) in [("beta", self.beta), ("dead_below", self.dead_below)] {
            if !(value.is_finite() && value >= 0.0) {
                return invalid(format!("`{name}` must be zero or more"));
            }
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return invalid("`learning_rate` must be positive".into());
        }
        if !(0.0..1.0).contains(&self.ema_decay) {
            return invalid("`ema_decay` must be from 0 to below 1".into());
        }
        Ok(())
    }

    /// Adam's learning rate at `step`, counted from 0.
    pub fn learning_rate_at(&self, step: usize) -> f64 {
        let rise = ((step + 1) as f64 / self.warmup.max(1) as f64).min(1.0);
        let done = (step as f64 / self.steps as f64).min(1.0);
        let fall = 0.01 + 0.99 * 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
        self.learning_rate * rise * fall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> TrainConfig {
        let model = ModelConfig::preset("vqgan-tiny")
            .unwrap()
            .to_json()
            .unwrap();
        TrainConfig::from_json(&format!(
            r#"{{"model": {model}, "crop": 16, "batch": 2, "steps": 100, "learning_rate": 0.001, "warmup": 10}}"#
        ))
        .unwrap()
    }

    #[test]
    fn the_rate_rises_then_falls_to_a_hundredth() {
        let config = config();
        assert!(config.learning_rate_at(0) < config.learning_rate_at(9));
        assert!(config.learning_rate_at(9) > config.learning_rate_at(60));
        assert!((config.learning_rate_at(100) - 1e-5).abs() < 1e-9);
    }

    #[test]
    fn sizes_that_no_memory_holds_are_refused() {
        for bad in [
            TrainConfig {
                batch: usize::MAX,
                ..config()
            },
            TrainConfig {
                crop: usize::MAX & !7,
                ..config()
            },
            TrainConfig {
                crop: 0,
                ..config()
            },
            TrainConfig {
                beta: -3.0,
                ..config()
            },
            TrainConfig {
                dead_below: f32::NAN,
                ..config()
            },
        ] {
            assert_eq!(bad.validate().unwrap_err().code(), "config_invalid");
        }
    }

    #[test]
    fn a_crop_that_does_not_fit_the_factor_is_refused() {
        let bad = TrainConfig {
            crop: 18,
            ..config()
        };
        assert_eq!(bad.validate().unwrap_err().code(), "config_invalid");
    }
}
