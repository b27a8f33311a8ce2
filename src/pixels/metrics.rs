//! How near two pictures are: PSNR and SSIM.

use std::collections::VecDeque;

use super::Picture;
use crate::error::{Error, Result};

/// Side of SSIM's window, and the spread of its Gaussian, in pixels.
const WINDOW: usize = 11;
const SIGMA: f64 = 1.5;
/// (K₁L)² and (K₂L)² with K₁ = 0.01, K₂ = 0.03, L = 255.
const C1: f64 = 0.01 * 255.0 * (0.01 * 255.0);
const C2: f64 = 0.03 * 255.0 * (0.03 * 255.0);

/// Peak signal-to-noise ratio in decibels over all samples of 8-bit RGB: `10 log₁₀(255² / MSE)`;
/// infinite for equal pictures.
///
/// # Errors
/// [`Error::ImageSize`] if the pictures differ in size.
pub fn psnr(a: &Picture, b: &Picture) -> Result<f64> {
    check_sizes(a, b)?;
    // At most 2²⁸ samples of at most 2¹⁶, so that the sum is exact.
    let squares: u64 = a
        .rgb()
        .iter()
        .zip(b.rgb())
        .map(|(&a, &b)| u64::from(a.abs_diff(b)).pow(2))
        .sum();
    if squares == 0 {
        return Ok(f64::INFINITY);
    }
    let mean = squares as f64 / a.rgb().len() as f64;
    Ok(10.0 * (255.0 * 255.0 / mean).log10())
}

/// Mean structural similarity of the luma, at most 1, which is for equal pictures.
///
/// As Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity"
/// (2004): a Gaussian window of 11×11 with σ = 1.5, K₁ = 0.01, K₂ = 0.03, L = 255, population
/// covariance, the mean over the places where the whole window is inside. Luma is
/// `0.299 R + 0.587 G + 0.114 B`, not rounded. For a side below 11 pixels the window is the largest
/// odd one that fits.
///
/// # Errors
/// [`Error::ImageSize`] if the pictures differ in size.
pub fn ssim(a: &Picture, b: &Picture) -> Result<f64> {
    check_sizes(a, b)?;
    let (width, height) = (a.width() as usize, a.height() as usize);
    let fitting = WINDOW.min(width).min(height);
    let kernel = gaussian(fitting - (fitting + 1) % 2);
    let places = (width + 1 - kernel.len()) * (height + 1 - kernel.len());

    // Only a window's height of rows is held, so that memory does not grow with the picture.
    let mut rows: VecDeque<Vec<Moments>> = VecDeque::with_capacity(kernel.len());
    let mut total = 0.0;
    let samples = a
        .rgb()
        .chunks_exact(width * 3)
        .zip(b.rgb().chunks_exact(width * 3));
    for (row_a, row_b) in samples {
        if rows.len() == kernel.len() {
            rows.pop_front();
        }
        rows.push_back(across(row_a, row_b, &kernel));
        if rows.len() == kernel.len() {
            total += (0..rows[0].len())
                .map(|x| similarity(weighted(kernel.iter().zip(rows.iter().map(|row| &row[x])))))
                .sum::<f64>();
        }
    }
    Ok(total / places as f64)
}

/// Means of a, b, a², b² and ab under a window.
type Moments = [f64; 5];

/// Normalised Gaussian weights, an odd number of them.
fn gaussian(length: usize) -> Vec<f64> {
    let middle = (length / 2) as f64;
    let weight = |at: usize| (-0.5 * ((at as f64 - middle) / SIGMA).powi(2)).exp();
    let total: f64 = (0..length).map(weight).sum();
    (0..length).map(|at| weight(at) / total).collect()
}

/// The moments of one row under the kernel, at each place where it fits.
fn across(row_a: &[u8], row_b: &[u8], kernel: &[f64]) -> Vec<Moments> {
    let luma = |rgb: &[u8; 3]| {
        let [r, g, b] = rgb.map(f64::from);
        0.299 * r + 0.587 * g + 0.114 * b
    };
    let (row_a, row_b) = (row_a.as_chunks::<3>().0, row_b.as_chunks::<3>().0);
    let moments: Vec<Moments> = row_a
        .iter()
        .zip(row_b)
        .map(|(a, b)| {
            let (a, b) = (luma(a), luma(b));
            [a, b, a * a, b * b, a * b]
        })
        .collect();
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

/// SSIM at one place, equation 13 of the paper.
fn similarity([a, b, aa, bb, ab]: Moments) -> f64 {
    let (var_a, var_b, covariance) = (aa - a * a, bb - b * b, ab - a * b);
    (2.0 * a * b + C1) * (2.0 * covariance + C2) / ((a * a + b * b + C1) * (var_a + var_b + C2))
}

fn check_sizes(a: &Picture, b: &Picture) -> Result<()> {
    let sides = |picture: &Picture| (picture.width(), picture.height());
    if sides(a) == sides(b) {
        return Ok(());
    }
    Err(Error::ImageSize(format!(
        "{}×{} and {}×{}",
        a.width(),
        a.height(),
        b.width(),
        b.height()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::tests::{painted, waves};

    #[test]
    fn equal_pictures() {
        for (width, height) in [(1, 1), (2, 9), (10, 40), (11, 11), (40, 30)] {
            let picture = waves(width, height);
            assert_eq!(psnr(&picture, &picture).unwrap(), f64::INFINITY);
            let ssim = ssim(&picture, &picture).unwrap();
            assert!((ssim - 1.0).abs() < 1e-12, "{width}×{height}: {ssim}");
        }
    }

    #[test]
    fn psnr_of_known_errors() {
        let black = painted(8, 8, |_, _, _| 0);
        let white = painted(8, 8, |_, _, _| 255);
        assert_eq!(psnr(&black, &white).unwrap(), 0.0);
        // One level wrong everywhere: 20 log₁₀ 255.
        let grey = painted(8, 8, |_, _, _| 1);
        assert!((psnr(&black, &grey).unwrap() - 48.130_803_608_679).abs() < 1e-9);
        // In one of three channels only: 10 log₁₀ 3 more.
        let green = painted(8, 8, |_, _, c| u8::from(c == 1));
        assert!((psnr(&black, &green).unwrap() - 52.902_016_155_876).abs() < 1e-9);
    }

    #[test]
    fn ssim_of_flat_pictures_is_their_luminance_term() {
        let dark = painted(20, 20, |_, _, _| 50);
        let light = painted(20, 20, |_, _, _| 100);
        let expected = (2.0 * 50.0 * 100.0 + C1) / (50.0 * 50.0 + 100.0 * 100.0 + C1);
        assert!((ssim(&dark, &light).unwrap() - expected).abs() < 1e-9);
    }

    #[test]
    fn ssim_of_opposite_pictures_is_negative() {
        let picture = waves(30, 30);
        let inverse = painted(30, 30, |x, y, c| {
            255 - picture.rgb()[((y * 30 + x) * 3 + c) as usize]
        });
        assert!(ssim(&picture, &inverse).unwrap() < -0.5);
    }

    #[test]
    fn sizes_must_agree() {
        let error = ssim(&waves(8, 9), &waves(9, 8)).unwrap_err();
        assert_eq!(error, Error::ImageSize("8×9 and 9×8".into()));
        assert_eq!(psnr(&waves(8, 9), &waves(9, 8)).unwrap_err(), error);
    }
}
