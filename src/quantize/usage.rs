use serde::Serialize;

/// How a codebook is used by some tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Usage {
    /// Number of different codes that occur.
    pub used: usize,
    /// exp of the entropy of the codes, from 1 (one code) to K (all alike).
    pub perplexity: f64,
}

impl Usage {
    /// Of tokens in `0..codes`; others are not counted. No tokens have perplexity 1.
    pub fn of(indices: impl IntoIterator<Item = u32>, codes: usize) -> Self {
        let mut counts = vec![0_u64; codes];
        for index in indices {
            if let Some(count) = counts.get_mut(index as usize) {
                *count += 1;
            }
        }
        Self::of_counts(&counts)
    }

    /// Of how often each code occurs.
    pub fn of_counts(counts: &[u64]) -> Self {
        let total: u64 = counts.iter().sum();
        let entropy: f64 = counts
            .iter()
            .filter(|&&n| n > 0)
            .map(|&n| {
                let p = n as f64 / total as f64;
                -p * p.ln()
            })
            .sum();
        Self {
            used: counts.iter().filter(|&&n| n > 0).count(),
            perplexity: entropy.exp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perplexity_counts_the_codes_that_are_used_alike() {
        let usage = Usage::of([0, 1, 2, 3, 0, 1, 2, 3], 16);
        assert_eq!(usage.used, 4);
        assert!((usage.perplexity - 4.0).abs() < 1e-12);
        assert_eq!(Usage::of([5, 5, 5], 16).perplexity, 1.0);
        assert_eq!(Usage::of([], 16).perplexity, 1.0);
        assert_eq!(Usage::of([99], 16).used, 0);
    }
}
