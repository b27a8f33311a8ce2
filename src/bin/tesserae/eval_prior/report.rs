use serde_json::{Value, json};
use tesserae::Result;

use super::neighbours::Coverage;
use crate::terminal;

/// What was measured.
pub struct Report {
    pub samples: usize,
    /// Real pictures that the prior did not learn from.
    pub held_out: usize,
    pub features: &'static str,
    /// Fraction of the samples, and of the held-out pictures, that the classifier takes for what they
    /// are.
    pub right: Option<f64>,
    pub right_held_out: Option<f64>,
    /// Fréchet distance of training pictures to samples, to held-out pictures, and to what their tokens
    /// give when all of them are shuffled.
    pub frechet: f64,
    pub frechet_held_out: f64,
    pub frechet_shuffled: f64,
    pub coverage: Coverage,
    /// Median distance of samples and of held-out pictures to the nearest training picture.
    pub nearest: f64,
    pub nearest_held_out: f64,
    pub bits_per_token: f64,
    /// log₂ of the perplexity of use: what a token takes by its frequency alone.
    pub bits_of_use: f64,
}

impl Report {
    pub fn json(&self) -> Value {
        let Coverage { precision, recall } = self.coverage;
        json!({
            "samples": self.samples, "held_out": self.held_out, "features": self.features,
            "right": self.right, "right_held_out": self.right_held_out,
            "frechet": self.frechet, "frechet_held_out": self.frechet_held_out,
            "frechet_shuffled": self.frechet_shuffled,
            "precision": precision, "recall": recall,
            "nearest": self.nearest, "nearest_held_out": self.nearest_held_out,
            "bits_per_token": self.bits_per_token, "bits_of_use": self.bits_of_use,
        })
    }

    pub fn print(&self) -> Result<()> {
        let Self {
            samples,
            held_out,
            features,
            ..
        } = self;
        let line = |name: &str, value: String| terminal::print(format_args!("{name:<22}{value}"));
        line(
            "compared",
            format!("{samples} samples, {held_out} held-out pictures, by {features} features"),
        )?;
        if let (Some(right), Some(real)) = (self.right, self.right_held_out) {
            let [right, real] = [right, real].map(|share| 100.0 * share);
            line(
                "class as asked",
                format!("{right:.1} %, of held-out pictures {real:.1} %"),
            )?;
        }
        line(
            "Fréchet distance",
            format!(
                "{:.2}, of held-out pictures {:.2}, of shuffled tokens {:.2}",
                self.frechet, self.frechet_held_out, self.frechet_shuffled,
            ),
        )?;
        let Coverage { precision, recall } = self.coverage;
        line("precision, recall", format!("{precision:.3}, {recall:.3}"))?;
        line(
            "nearest in training",
            format!(
                "{:.3}, of held-out pictures {:.3}",
                self.nearest, self.nearest_held_out
            ),
        )?;
        let saved = 100.0 * (1.0 - self.bits_per_token / self.bits_of_use);
        line(
            "bits a token",
            format!(
                "{:.2}, {saved:.1} % below {:.2} by frequency",
                self.bits_per_token, self.bits_of_use
            ),
        )
    }
}
