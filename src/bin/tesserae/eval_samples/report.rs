use serde_json::{Value, json};
use tesserae::Result;

use super::neighbours::Coverage;
use crate::terminal;

/// What was measured.
pub struct Report {
    pub samples: usize,
    /// Real pictures that the model did not learn from.
    pub held_out: usize,
    pub features: &'static str,
    /// Fraction of the samples, and of the held-out pictures, that the classifier takes for what they
    /// are.
    pub right: Option<f64>,
    pub right_held_out: Option<f64>,
    /// Fréchet distance of training pictures to samples, to held-out pictures, and, for a prior, to
    /// what their tokens give when all of them are shuffled.
    pub frechet: f64,
    pub frechet_held_out: f64,
    pub frechet_shuffled: Option<f64>,
    pub coverage: Coverage,
    /// Median distance of samples and of held-out pictures to the nearest training picture.
    pub nearest: f64,
    pub nearest_held_out: f64,
    /// Only for a prior.
    pub token_bits: Option<TokenBits>,
}

/// Bits that a held-out token takes.
pub struct TokenBits {
    /// By the prior.
    pub of_prior: f64,
    /// By its frequency alone: log₂ of the perplexity of use.
    pub of_use: f64,
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
            "bits_per_token": self.token_bits.as_ref().map(|bits| bits.of_prior),
            "bits_of_use": self.token_bits.as_ref().map(|bits| bits.of_use),
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
        let shuffled = self.frechet_shuffled;
        let shuffled = shuffled.map(|distance| format!(", of shuffled tokens {distance:.2}"));
        let shuffled = shuffled.unwrap_or_default();
        line(
            "Fréchet distance",
            format!(
                "{:.2}, of held-out pictures {:.2}{shuffled}",
                self.frechet, self.frechet_held_out
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
        let Some(TokenBits { of_prior, of_use }) = self.token_bits else {
            return Ok(());
        };
        let saved = 100.0 * (1.0 - of_prior / of_use);
        line(
            "bits a token",
            format!("{of_prior:.2}, {saved:.1} % below {of_use:.2} by frequency"),
        )
    }
}
