use std::f64::consts::FRAC_PI_2;

use serde::{Deserialize, Serialize};

/// How many tokens a masked prior has revealed after each step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// ⌊N · (1 − 2/π · arccos(s/S))⌋: Halton-MaskGIT's, almost even at first.
    #[default]
    Arccos,
    /// N − ⌊N · cos(π/2 · s/S)⌋: MaskGIT's, few at first.
    Cosine,
}

impl Schedule {
    /// Number of `tokens` revealed after step `step`, counted from 1, of `steps`: at least one more
    /// each step, and all after the last. `steps` is at most `tokens`.
    ///
    /// Source: valeoai/Halton-MaskGIT `Sampler/halton_sampler.py`; google-research/maskgit
    /// `libml/mask_schedule.py`.
    ///
    /// # Examples
    /// ```
    /// # use tesserae::generate::Schedule;
    /// let revealed = [1, 2, 31, 32].map(|step| Schedule::Arccos.revealed(256, step, 32));
    /// assert_eq!(revealed, [5, 10, 215, 256]);
    /// ```
    pub fn revealed(self, tokens: usize, step: usize, steps: usize) -> usize {
        if step >= steps {
            return tokens;
        }
        let ratio = step as f64 / steps as f64;
        let revealed = match self {
            Self::Arccos => (tokens as f64 * (1.0 - ratio.acos() / FRAC_PI_2)) as usize,
            Self::Cosine => tokens - (tokens as f64 * (FRAC_PI_2 * ratio).cos()) as usize,
        };
        // What is left must do for the steps to come.
        revealed.max(step).min(tokens - (steps - step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_reveals_something_and_the_last_one_everything() {
        for schedule in [Schedule::Arccos, Schedule::Cosine] {
            for tokens in [1, 2, 49, 256] {
                for steps in 1..=tokens {
                    let counts = (1..=steps).map(|step| schedule.revealed(tokens, step, steps));
                    let counts: Vec<usize> = [0].into_iter().chain(counts).collect();
                    assert!(
                        counts.windows(2).all(|pair| pair[0] < pair[1]),
                        "{schedule:?}, {tokens} in {steps}: {counts:?}"
                    );
                    assert_eq!(counts.last(), Some(&tokens));
                }
            }
        }
    }
}
