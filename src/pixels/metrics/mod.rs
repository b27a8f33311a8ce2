//! Similarity of two pictures (PSNR, SSIM, MS-SSIM), and how much detail each has.

mod ssim;

pub use ssim::{ms_ssim, ssim};

use super::Picture;
use crate::error::{Error, Result};

/// Peak signal-to-noise ratio in decibels over all samples of 8-bit RGB: `10 log₁₀(255² / MSE)`;
/// infinite for identical pictures.
///
/// # Errors
/// [`Error::ImageSize`] if the pictures differ in size.
///
/// # Examples
/// ```
/// # use tesserae::Picture;
/// # use tesserae::pixels::metrics::psnr;
/// # fn main() -> tesserae::Result<()> {
/// let black = Picture::from_rgb(8, 8, vec![0; 8 * 8 * 3])?;
/// let grey = Picture::from_rgb(8, 8, vec![16; 8 * 8 * 3])?;
/// assert!((psnr(&black, &grey)? - 24.05).abs() < 0.01);
/// assert_eq!(psnr(&grey, &grey)?, f64::INFINITY);
/// # Ok(())
/// # }
/// ```
pub fn psnr(a: &Picture, b: &Picture) -> Result<f64> {
    check_sizes(a, b)?;
    // At most 2²⁸ samples of at most 2¹⁶ each, so the sum is exact.
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

/// Mean squared finite difference of the luma over all horizontally and vertically adjacent pixels:
/// from 0, for a flat picture, to 255².
///
/// A blurred picture has less of it than its original. The ratio of the two shows how much fine
/// detail is preserved, or invented, where PSNR and SSIM favour blur.
///
/// # Examples
/// ```
/// # use tesserae::Picture;
/// # use tesserae::pixels::metrics::gradient_energy;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let photo = Picture::decode_fit(&std::fs::read("www/samples/coffee.png")?, 64, true)?;
/// let flat = Picture::from_rgb(64, 64, vec![128; 64 * 64 * 3])?;
/// assert!(gradient_energy(&photo) > 100.0);
/// assert_eq!(gradient_energy(&flat), 0.0);
/// # Ok(())
/// # }
/// ```
pub fn gradient_energy(picture: &Picture) -> f64 {
    let squares = |a: &[f64], b: &[f64]| -> f64 {
        let differences = a.iter().zip(b).map(|(a, b)| a - b);
        differences.map(|difference| difference * difference).sum()
    };
    let mut total = 0.0;
    let mut above: Option<Vec<f64>> = None;
    for row in luma(picture) {
        total += squares(&row, &row[1..]);
        total += above.map_or(0.0, |above| squares(&above, &row));
        above = Some(row);
    }
    let [width, height] = [picture.width(), picture.height()].map(u64::from);
    let pairs = (width - 1) * height + width * (height - 1);
    // A single pixel has no pairs and a total of 0.
    total / pairs.max(1) as f64
}

/// `0.299 R + 0.587 G + 0.114 B`, unrounded, row by row.
fn luma(picture: &Picture) -> impl Iterator<Item = Vec<f64>> {
    let luma = |rgb: &[u8; 3]| {
        let [r, g, b] = rgb.map(f64::from);
        0.299 * r + 0.587 * g + 0.114 * b
    };
    let rows = picture.rgb().chunks_exact(picture.width() as usize * 3);
    rows.map(move |row| row.as_chunks().0.iter().map(luma).collect())
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
        for (width, height) in [(1, 1), (2, 9), (10, 40), (11, 11), (40, 30), (200, 180)] {
            let picture = waves(width, height);
            assert_eq!(psnr(&picture, &picture).unwrap(), f64::INFINITY);
            for measure in [ssim, ms_ssim] {
                let one = measure(&picture, &picture).unwrap();
                assert!((one - 1.0).abs() < 1e-12, "{width}×{height}: {one}");
            }
        }
    }

    #[test]
    fn psnr_of_known_errors() {
        let black = painted(8, 8, |_, _, _| 0);
        let white = painted(8, 8, |_, _, _| 255);
        assert_eq!(psnr(&black, &white).unwrap(), 0.0);
        // Off by one level everywhere: 20 log₁₀ 255.
        let grey = painted(8, 8, |_, _, _| 1);
        assert!((psnr(&black, &grey).unwrap() - 48.130_803_608_679).abs() < 1e-9);
        // In only one of three channels: 10 log₁₀ 3 more.
        let green = painted(8, 8, |_, _, c| u8::from(c == 1));
        assert!((psnr(&black, &green).unwrap() - 52.902_016_155_876).abs() < 1e-9);
    }

    #[test]
    fn gradient_energy_of_known_pictures() {
        let near = |picture: &Picture, expected: f64| {
            let found = gradient_energy(picture);
            assert!((found - expected).abs() < 1e-9 * expected, "{found}");
        };
        // One-pixel stripes: every pair across them is black and white, none along them.
        near(&painted(5, 1, |x, _, _| (x % 2 * 255) as u8), 65_025.0);
        near(&painted(1, 5, |_, y, _| (y % 2 * 255) as u8), 65_025.0);
        near(&painted(8, 8, |x, _, _| (x % 2 * 255) as u8), 32_512.5);
        // Steps of 3 to the right and 4 downwards.
        near(&painted(9, 9, |x, y, _| (3 * x + 4 * y) as u8), 12.5);
        // Red only, so 0.299 of it.
        let red = painted(9, 1, |x, _, c| if c == 0 { 10 * x as u8 } else { 7 });
        near(&red, 2.99 * 2.99);
        for (width, height) in [(1, 1), (7, 5)] {
            assert_eq!(
                gradient_energy(&painted(width, height, |_, _, c| c as u8 * 50)),
                0.0
            );
        }
    }

    #[test]
    fn sizes_must_agree() {
        let error = ssim(&waves(8, 9), &waves(9, 8)).unwrap_err();
        assert_eq!(error, Error::ImageSize("8×9 and 9×8".into()));
        for measure in [psnr, ms_ssim] {
            assert_eq!(measure(&waves(8, 9), &waves(9, 8)).unwrap_err(), error);
        }
    }
}
