//! Seeded random numbers, generated on the host so that every device gets the same values.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The random number generator of one step, independent of earlier steps, so that training can
/// resume from any step.
pub fn stream(seed: u64, step: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(step as u64);
    rng
}

/// `count` samples from a standard normal distribution; `seed` makes them reproducible.
///
/// Source: Box and Muller 1958.
///
/// # Examples
/// ```
/// # use tesserae::random::noise;
/// assert_eq!(noise(7, 1000), noise(7, 1000));
/// let mean = noise(7, 1000).iter().sum::<f32>() / 1000.0;
/// assert!(mean.abs() < 0.1);
/// ```
pub fn noise(seed: u64, count: usize) -> Vec<f32> {
    normal(&mut ChaCha8Rng::seed_from_u64(seed), count)
}

/// `count` samples from a standard normal distribution, drawn from `rng`; see [`noise`].
pub fn normal(rng: &mut impl Rng, count: usize) -> Vec<f32> {
    let mut values = Vec::with_capacity(count + 1);
    while values.len() < count {
        // Avoids 0, whose logarithm is infinite.
        let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
        let (sine, cosine) = (std::f64::consts::TAU * rng.random::<f64>()).sin_cos();
        values.extend([(radius * cosine) as f32, (radius * sine) as f32]);
    }
    values.truncate(count);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_normal_and_repeats_by_seed() {
        let drawn = noise(5, 40_001);
        assert_eq!(drawn.len(), 40_001);
        assert_eq!(noise(5, 100), drawn[..100]);
        assert_ne!(noise(6, 100), drawn[..100]);
        let moment = |power: i32| {
            drawn.iter().map(|v| f64::from(*v).powi(power)).sum::<f64>() / drawn.len() as f64
        };
        // 0, 1, 0 and 3, within four standard errors.
        for (power, expected, error) in [
            (1, 0.0, 0.005),
            (2, 1.0, 0.0071),
            (3, 0.0, 0.02),
            (4, 3.0, 0.05),
        ] {
            let found = moment(power);
            assert!((found - expected).abs() < 4.0 * error, "{power}: {found}");
        }
    }
}
