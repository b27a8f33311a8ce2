//! Structural similarity, single-scale and multi-scale.

use std::collections::VecDeque;

use super::{check_sizes, luma};
use crate::error::Result;
use crate::pixels::Picture;

/// Window size, and the standard deviation of its Gaussian, in pixels.
const WINDOW: usize = 11;
const SIGMA: f64 = 1.5;
/// (K₁L)² and (K₂L)² with K₁ = 0.01, K₂ = 0.03, L = 255.
const C1: f64 = 0.01 * 255.0 * (0.01 * 255.0);
const C2: f64 = 0.03 * 255.0 * (0.03 * 255.0);
/// Exponents of the MS-SSIM scales, finest first.
const WEIGHTS: [f64; 5] = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

/// Mean structural similarity of the luma, at most 1, which is reached for identical pictures.
///
/// Follows Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity"
/// (2004): an 11×11 Gaussian window with σ = 1.5, K₁ = 0.01, K₂ = 0.03, L = 255, population
/// covariance, averaged over the positions where the whole window fits. Luma is unrounded
/// `0.299 R + 0.587 G + 0.114 B`. If a side is shorter than 11 pixels, the window is the largest odd
/// one that fits.
///
/// # Errors
/// [`Error::ImageSize`](crate::Error::ImageSize) if the pictures differ in size.
///
/// # Examples
/// ```
/// # use tesserae::Picture;
/// # use tesserae::pixels::metrics::ssim;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let photo = Picture::decode_fit(&std::fs::read("www/samples/coffee.png")?, 64, true)?;
/// let flat = Picture::from_rgb(64, 64, vec![128; 64 * 64 * 3])?;
/// assert!(ssim(&photo, &photo)? > 0.999);
/// assert!(ssim(&photo, &flat)? < 0.5);
/// # Ok(())
/// # }
/// ```
pub fn ssim(a: &Picture, b: &Picture) -> Result<f64> {
    check_sizes(a, b)?;
    Ok(means(sides(a), luma(a), luma(b)).whole)
}

/// Multi-scale structural similarity of the luma, from 0 to 1, which is reached for identical
/// pictures.
///
/// Follows Wang et al., "Multi-scale structural similarity for image quality assessment" (2003):
/// the product over five scales of the mean contrast and structure terms (at the coarsest scale, of
/// the full similarity), each raised to its weight; a negative mean counts as 0. Window, constants
/// and luma are those of [`ssim`]. Each scale averages 2×2 blocks of the previous one, dropping an
/// odd last row or column. Five scales require a width and height of at least 176 pixels; a smaller
/// picture uses as many as keep both at 11 or more, at least one, with the weights rescaled to the
/// same sum.
///
/// # Errors
/// [`Error::ImageSize`](crate::Error::ImageSize) if the pictures differ in size.
pub fn ms_ssim(a: &Picture, b: &Picture) -> Result<f64> {
    check_sizes(a, b)?;
    let [width, height] = sides(a);
    let smaller = (1..WEIGHTS.len()).take_while(|scale| width.min(height) >> scale >= WINDOW);
    let weights = &WEIGHTS[..=smaller.count()];
    // 1 for five scales; the published weights sum to 1.0001.
    let share = WEIGHTS.iter().sum::<f64>() / weights.iter().sum::<f64>();

    // The finest scale is never materialised.
    let mut levels = vec![means([width, height], luma(a), luma(b))];
    let mut halves = [Vec::new(), Vec::new()];
    for scale in 1..weights.len() {
        halves = match scale {
            1 => [halved(luma(a)), halved(luma(b))],
            _ => halves.map(|rows| halved(rows.into_iter())),
        };
        let [a, b] = &halves;
        levels.push(means([width >> scale, height >> scale], a.iter(), b.iter()));
    }
    let last = levels.len() - 1;
    let factors = levels.iter().zip(weights).enumerate();
    Ok(factors
        .map(|(scale, (level, weight))| {
            let value = if scale == last {
                level.whole
            } else {
                level.structure
            };
            value.max(0.0).powf(weight * share)
        })
        .product())
}

fn sides(picture: &Picture) -> [usize; 2] {
    [picture.width() as usize, picture.height() as usize]
}

/// Averages 2×2 blocks, dropping an odd last row or column.
fn halved(mut rows: impl Iterator<Item = Vec<f64>>) -> Vec<Vec<f64>> {
    let mut halves = Vec::new();
    while let (Some(above), Some(below)) = (rows.next(), rows.next()) {
        let (above, below) = (above.as_chunks::<2>().0, below.as_chunks::<2>().0);
        let quads = above.iter().zip(below);
        halves.push(
            quads
                .map(|([a, b], [c, d])| (a + b + c + d) / 4.0)
                .collect(),
        );
    }
    halves
}

/// The means of one scale over all positions.
struct Level {
    whole: f64,
    /// Contrast and structure, without luminance.
    structure: f64,
}

/// `a` and `b` each have `height` rows of `width` samples.
fn means<Row: AsRef<[f64]>>(
    [width, height]: [usize; 2],
    a: impl Iterator<Item = Row>,
    b: impl Iterator<Item = Row>,
) -> Level {
    let fitting = WINDOW.min(width).min(height);
    let kernel = gaussian(fitting - (fitting + 1) % 2);
    let places = (width + 1 - kernel.len()) * (height + 1 - kernel.len());

    // Only as many rows as the window is high are kept, so memory does not grow with the picture's
    // height.
    let mut rows: VecDeque<Vec<Moments>> = VecDeque::with_capacity(kernel.len());
    let (mut whole, mut structure) = (0.0, 0.0);
    for (row_a, row_b) in a.zip(b) {
        if rows.len() == kernel.len() {
            rows.pop_front();
        }
        rows.push_back(across(row_a.as_ref(), row_b.as_ref(), &kernel));
        if rows.len() == kernel.len() {
            for x in 0..rows[0].len() {
                let under = kernel.iter().zip(rows.iter().map(|row| &row[x]));
                let [luminance, rest] = similarity(weighted(under));
                whole += luminance * rest;
                structure += rest;
            }
        }
    }
    let [whole, structure] = [whole, structure].map(|sum| sum / places as f64);
    Level { whole, structure }
}

/// Windowed means of a, b, a², b² and ab.
type Moments = [f64; 5];

/// Normalised Gaussian weights; `length` is odd.
fn gaussian(length: usize) -> Vec<f64> {
    let middle = (length / 2) as f64;
    let weight = |at: usize| (-0.5 * ((at as f64 - middle) / SIGMA).powi(2)).exp();
    let total: f64 = (0..length).map(weight).sum();
    (0..length).map(|at| weight(at) / total).collect()
}

/// The moments of one row under the kernel, at each position where it fits.
fn across(row_a: &[f64], row_b: &[f64], kernel: &[f64]) -> Vec<Moments> {
    let pairs = row_a.iter().zip(row_b);
    let moments: Vec<Moments> = pairs.map(|(a, b)| [*a, *b, a * a, b * b, a * b]).collect();
    moments
        .windows(kernel.len())
        .map(|window| weighted(kernel.iter().zip(window)))
        .collect()
}

fn weighted<'a>(parts: impl Iterator<Item = (&'a f64, &'a Moments)>) -> Moments {
    parts.fold([0.0; 5], |mut sum, (weight, moments)| {
        for (sum, moment) in sum.iter_mut().zip(moments) {
            *sum += weight * moment;
        }
        sum
    })
}

/// The two factors of SSIM at one position, equation 13 of the paper: luminance, and contrast times
/// structure.
fn similarity([a, b, aa, bb, ab]: Moments) -> [f64; 2] {
    let (var_a, var_b, covariance) = (aa - a * a, bb - b * b, ab - a * b);
    [
        (2.0 * a * b + C1) / (a * a + b * b + C1),
        (2.0 * covariance + C2) / (var_a + var_b + C2),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::tests::{painted, waves};

    fn flat(side: u32, value: u8) -> Picture {
        painted(side, side, |_, _, _| value)
    }

    fn inverse(picture: &Picture) -> Picture {
        let rgb = picture.rgb().iter().map(|sample| 255 - sample).collect();
        Picture::from_rgb(picture.width(), picture.height(), rgb).unwrap()
    }

    #[test]
    fn flat_pictures_have_their_luminance_term() {
        let expected: f64 = (2.0 * 50.0 * 100.0 + C1) / (50.0 * 50.0 + 100.0 * 100.0 + C1);
        // Only the coarsest scale has luminance, in proportion to its weight.
        let of_two = WEIGHTS[1] / (WEIGHTS[0] + WEIGHTS[1]);
        for (side, exponent) in [(20, 1.0), (22, of_two), (43, of_two), (176, 0.1333)] {
            let (dark, light) = (flat(side, 50), flat(side, 100));
            assert!((ssim(&dark, &light).unwrap() - expected).abs() < 1e-9);
            let found = ms_ssim(&dark, &light).unwrap();
            // The published weights sum to 1.0001.
            assert!(
                (found - expected.powf(exponent)).abs() < 1e-4,
                "{side}: {found}"
            );
        }
    }

    #[test]
    fn opposite_pictures_are_below_zero_and_at_zero() {
        let picture = waves(30, 30);
        assert!(ssim(&picture, &inverse(&picture)).unwrap() < -0.5);
        assert_eq!(ms_ssim(&picture, &inverse(&picture)).unwrap(), 0.0);
    }

    #[test]
    fn coarse_scales_see_past_fine_noise() {
        let picture = waves(200, 200);
        let noisy = painted(200, 200, |x, y, c| {
            let sample = picture.rgb()[((y * 200 + x) * 3 + c) as usize];
            if (x + y) % 2 == 0 {
                sample / 2 + 80
            } else {
                sample / 2 + 40
            }
        });
        let (one, several) = (ssim(&picture, &noisy), ms_ssim(&picture, &noisy));
        assert!(one.unwrap() < several.unwrap());
    }

    #[test]
    fn odd_sides_lose_their_last_row_and_column() {
        assert_eq!(
            halved([vec![1.0, 2.0, 9.0], vec![3.0, 6.0, 9.0], vec![9.0; 3]].into_iter()),
            [[3.0]]
        );
    }
}
