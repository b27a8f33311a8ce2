use serde::{Deserialize, Serialize};

use super::{Choice, Schedule};
use crate::error::{Error, Result};
use crate::models::{Order, PriorConfig};

/// How pictures are sampled; the fields that JavaScript passes, too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SampleOptions {
    /// The class, counted from 0; none for an unconditional prior, or for a picture of any class.
    pub class: Option<usize>,
    /// Number of pictures.
    pub count: usize,
    /// Seed of the first picture; the others have the numbers that follow, so that each can be
    /// made again alone.
    pub seed: u64,
    /// Steps of a masked prior, at most the number of masked tokens.
    pub steps: usize,
    /// See [`Choice::temperature`].
    pub temperature: f64,
    /// See [`Choice::top_k`].
    pub top_k: usize,
    /// See [`Choice::top_p`].
    pub top_p: f64,
    /// Classifier-free guidance s: logits are u + s · (c − u), with (c) and without (u) the class. 1
    /// is none. Halton-MaskGIT's w is s − 1.
    pub guidance: f64,
    /// Order in which tokens are revealed; the prior's own if absent.
    pub order: Option<Visit>,
    /// How many are revealed after each step of a masked prior.
    pub schedule: Schedule,
}

/// The order in which tokens are revealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visit {
    /// By a Halton sequence, which spreads them evenly: see [`halton`](super::halton).
    Halton,
    /// Those of which the prior is surest, plus noise that fades.
    Confidence,
    /// Row by row.
    Raster,
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self {
            class: None,
            count: 1,
            seed: 0,
            steps: 16,
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            guidance: 1.0,
            order: None,
            schedule: Schedule::default(),
        }
    }
}

/// Most pictures at once.
const MAX_COUNT: usize = 1024;

impl SampleOptions {
    /// How each token is drawn.
    pub fn choice(&self) -> Choice {
        Choice {
            temperature: self.temperature,
            top_k: self.top_k,
            top_p: self.top_p,
        }
    }

    /// The order in which this prior's tokens are revealed.
    pub fn visit(&self, prior: &PriorConfig) -> Visit {
        self.order.unwrap_or(match prior.order() {
            Order::Raster => Visit::Raster,
            Order::Masked => Visit::Halton,
        })
    }

    /// Checks that a prior can be sampled so.
    ///
    /// # Errors
    /// [`Error::Argument`] says what does not fit.
    pub fn validate(&self, prior: &PriorConfig) -> Result<()> {
        let refused = |message: String| Err(Error::Argument(message));
        if !(1..=MAX_COUNT).contains(&self.count) {
            let told = format!(
                "The number of pictures is {}, outside 1 to {MAX_COUNT}",
                self.count
            );
            return refused(told);
        }
        if self.steps == 0 {
            return refused("Sampling takes at least one step".to_owned());
        }
        if !(self.temperature.is_finite() && self.temperature >= 0.0) {
            return refused("The temperature must be zero or more".to_owned());
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            return refused("Top-p must be above 0 and at most 1".to_owned());
        }
        if !(self.guidance.is_finite() && self.guidance >= 0.0) {
            return refused("The guidance must be zero or more; 1 is none".to_owned());
        }
        if prior.order() == Order::Raster && self.visit(prior) != Visit::Raster {
            return refused("This prior predicts tokens row by row, in no other order".to_owned());
        }
        let classes = prior.classes();
        match (self.class, prior.no_class()) {
            (Some(class), _) if class >= classes => refused(match classes {
                0 => "This prior has no classes".to_owned(),
                _ => format!("Class {class} is outside 0 to {}", classes - 1),
            }),
            (None, None) => refused(format!("This prior needs a class, 0 to {}", classes - 1)),
            (None, Some(_)) if self.guidance != 1.0 => {
                refused("Guidance needs a class to guide to".to_owned())
            }
            (Some(_), None) if self.guidance != 1.0 => refused(
                "This prior was never trained without a class, so it cannot be guided".to_owned(),
            ),
            _ => Ok(()),
        }
    }
}
