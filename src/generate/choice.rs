use rand::{Rng, RngExt};

use crate::error::{Error, Result};

/// How a token is drawn from its logits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// Divides the logits: below 1 sharper, above 1 flatter. 0 takes the largest, the first of
    /// equals.
    pub temperature: f64,
    /// Keeps this many of the largest logits, and any that equal the last of them; 0 keeps all.
    pub top_k: usize,
    /// Then keeps the largest whose probabilities reach this sum together; 1 keeps all.
    pub top_p: f64,
}

impl Choice {
    /// The probability of each code.
    ///
    /// # Errors
    /// [`Error::LogitsNotFinite`].
    ///
    /// Source: LlamaGen `autoregressive/models/generate.py`, `top_k_top_p_filtering`.
    pub fn probabilities(&self, logits: &[f32]) -> Result<Vec<f64>> {
        let largest = finite_max(logits)?;
        if self.temperature == 0.0 {
            let first = logits.iter().position(|logit| *logit == largest);
            let one = |code| f64::from(Some(code) == first);
            return Ok((0..logits.len()).map(one).collect());
        }
        let largest = f64::from(largest);
        let weight = |logit: &f32| ((f64::from(*logit) - largest) / self.temperature).exp();
        let mut weights: Vec<f64> = logits.iter().map(weight).collect();
        let filters = (1..logits.len()).contains(&self.top_k) || self.top_p < 1.0;
        if filters {
            let mut codes: Vec<usize> = (0..logits.len()).collect();
            // Stable, so that of equals the first comes first.
            codes.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
            for code in &codes[self.kept(&codes, logits, &weights)..] {
                weights[*code] = 0.0;
            }
        }
        let sum: f64 = weights.iter().sum();
        Ok(weights.into_iter().map(|weight| weight / sum).collect())
    }

    /// How many of `codes`, sorted by falling logits, are kept.
    fn kept(&self, codes: &[usize], logits: &[f32], weights: &[f64]) -> usize {
        let most = match codes.get(self.top_k.wrapping_sub(1)) {
            Some(last) => codes.partition_point(|code| logits[*code] >= logits[*last]),
            None => codes.len(),
        };
        let sum: f64 = codes[..most].iter().map(|code| weights[*code]).sum();
        let mut before = 0.0;
        let crosses = |code: &usize| {
            let reached = before > self.top_p * sum;
            before += weights[*code];
            reached
        };
        // The code that crosses the sum stays, so at least one does.
        let kept = codes[..most].iter().position(crosses).unwrap_or(most);
        kept.max(1)
    }

    /// Draws a code, and returns it with its probability; that of the largest logit at temperature 0
    /// is what it would have at 1.
    ///
    /// # Errors
    /// [`Error::LogitsNotFinite`].
    pub fn draw(&self, logits: &[f32], rng: &mut impl Rng) -> Result<(usize, f64)> {
        let mut probabilities = self.probabilities(logits)?;
        // Drawn in any case, so that the numbers that follow do not depend on the temperature.
        let mut left: f64 = rng.random();
        let last = probabilities.iter().rposition(|p| *p > 0.0);
        let below = |p: &f64| {
            left -= p;
            left < 0.0
        };
        let code = probabilities.iter().position(below).or(last).unwrap_or(0);
        if self.temperature == 0.0 {
            let plain = Self {
                temperature: 1.0,
                top_k: 0,
                top_p: 1.0,
            };
            probabilities = plain.probabilities(logits)?;
        }
        Ok((code, probabilities[code]))
    }
}

/// The largest of the logits.
fn finite_max(logits: &[f32]) -> Result<f32> {
    match logits.iter().all(|logit| logit.is_finite()) {
        true => Ok(logits.iter().copied().fold(f32::MIN, f32::max)),
        false => Err(Error::LogitsNotFinite),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    const PLAIN: Choice = Choice {
        temperature: 1.0,
        top_k: 0,
        top_p: 1.0,
    };

    #[test]
    fn draws_follow_the_probabilities() {
        let logits = [0.1f32, 0.2, 0.3, 0.4].map(f32::ln);
        let mut rng = stream(3, 0);
        let mut counts = [0.0_f64; 4];
        for _ in 0..20_000 {
            counts[PLAIN.draw(&logits, &mut rng).unwrap().0] += 1.0 / 20_000.0;
        }
        for (count, expected) in counts.iter().zip([0.1, 0.2, 0.3, 0.4]) {
            // Four standard errors.
            assert!((count - expected).abs() < 0.014, "{counts:?}");
        }
    }

    #[test]
    fn temperature_zero_takes_the_first_of_the_largest() {
        let greedy = Choice {
            temperature: 0.0,
            ..PLAIN
        };
        let drawn = greedy.draw(&[1.0, 2.0, 2.0, -3.0], &mut stream(1, 0));
        let (code, probability) = drawn.unwrap();
        assert_eq!(code, 1);
        assert!((probability - 0.421).abs() < 0.001, "{probability}");
    }

    #[test]
    fn a_logit_that_is_no_number_stops() {
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let error = PLAIN.probabilities(&[0.0, wrong]).unwrap_err();
            assert_eq!(error.code(), "logits_not_finite");
        }
    }
}
