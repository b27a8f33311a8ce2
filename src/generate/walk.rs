use serde::{Deserialize, Serialize};

use crate::random::noise;

/// Vectors with a smaller angle between them, in radians, are taken as parallel.
const PARALLEL: f64 = 1e-4;

/// The way from the noise of one seed to that of another.
///
/// # Examples
/// ```
/// # use tesserae::generate::{Route, Walk};
/// # use tesserae::random::noise;
/// let walk = Walk { to: 9, route: Route::Straight };
/// assert_eq!(walk.noise(4, 0, 5, 16), noise(4, 16));
/// assert_eq!(walk.noise(4, 4, 5, 16), noise(9, 16));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Walk {
    /// Seed at its end.
    pub to: u64,
    /// Its shape.
    #[serde(default)]
    pub route: Route,
}

/// The shape of a way between two vectors of noise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// The line between them, whose middle is shorter than noise usually is.
    Straight,
    /// The arc between them, on which all vectors have about the length of noise (Shoemake 1985,
    /// "Animating Rotation with Quaternion Curves", section 3.3; White 2016,
    /// <https://arxiv.org/abs/1609.04468>, for latents).
    #[default]
    Spherical,
}

impl Walk {
    /// The noise, `length` values, at point `number` of `count` from that of seed `from` on.
    pub fn noise(self, from: u64, number: usize, count: usize, length: usize) -> Vec<f32> {
        let share = number as f64 / count.saturating_sub(1).max(1) as f64;
        between(
            [from, self.to].map(|seed| noise(seed, length)),
            share,
            self.route,
        )
    }
}

fn between([from, to]: [Vec<f32>; 2], share: f64, route: Route) -> Vec<f32> {
    let [near, far] = match route {
        Route::Straight => [1.0 - share, share],
        Route::Spherical => arc(&from, &to, share),
    };
    let values = from.into_iter().zip(to);
    let mixed = values.map(|(a, b)| near * f64::from(a) + far * f64::from(b));
    mixed.map(|value| value as f32).collect()
}

/// Factors of the two vectors at `share` of the arc between them.
fn arc(from: &[f32], to: &[f32], share: f64) -> [f64; 2] {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
        products.sum()
    };
    let lengths = (dot(from, from) * dot(to, to)).sqrt();
    let angle = (dot(from, to) / lengths).clamp(-1.0, 1.0).acos();
    match angle.sin() > PARALLEL {
        true => [1.0 - share, share].map(|part| (part * angle).sin() / angle.sin()),
        // Parallel, or one of them is zero.
        false => [1.0 - share, share],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arc_keeps_the_length_and_the_line_cuts_the_corner() {
        let unit = |x: f32, y: f32| vec![x, y];
        let middle = |route| between([unit(1.0, 0.0), unit(0.0, 1.0)], 0.5, route);
        let close = |found: Vec<f32>, wanted: f32| {
            let off = found.iter().map(|value| (value - wanted).abs());
            assert!(off.fold(0.0, f32::max) < 1e-6, "{found:?}");
        };
        close(middle(Route::Straight), 0.5);
        close(middle(Route::Spherical), std::f32::consts::FRAC_1_SQRT_2);
    }

    #[test]
    fn a_walk_is_defined_for_equal_seeds_and_for_one_point() {
        for route in [Route::Straight, Route::Spherical] {
            let walk = Walk { to: 3, route };
            for number in 0..3 {
                let noise = noise(3, 8);
                let found = walk.noise(3, number, 3, 8);
                let off = found.iter().zip(&noise).map(|(a, b)| (a - b).abs());
                assert!(off.fold(0.0, f32::max) < 1e-6);
            }
            assert_eq!(walk.noise(7, 0, 1, 8), noise(7, 8));
        }
    }
}
