//! Tiling for pictures larger than the model's limit: overlapping windows, blended back together.

use crate::error::{Error, Result};

/// A rectangular part of a picture, in tokens or, [scaled](Window::scaled), in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Rows above the window.
    pub y: usize,
    /// Columns to the left of the window.
    pub x: usize,
    /// Number of rows in the window.
    pub height: usize,
    /// Number of columns in the window.
    pub width: usize,
}

impl Window {
    /// The same window with all coordinates multiplied by `factor`: tokens to pixels.
    pub fn scaled(self, factor: usize) -> Self {
        Self {
            y: self.y * factor,
            x: self.x * factor,
            height: self.height * factor,
            width: self.width * factor,
        }
    }

    /// Copies this window out of planar `data`, `[channels, height, width]`.
    ///
    /// # Errors
    /// [`Error::Argument`] if `data` has the wrong length or the window is out of bounds.
    pub fn cut(
        self,
        data: &[f32],
        channels: usize,
        height: usize,
        width: usize,
    ) -> Result<Vec<f32>> {
        self.check_inside(height, width)?;
        check_length(data, channels, height, width)?;
        Ok(data
            .chunks_exact(height * width)
            .flat_map(|plane| plane.chunks_exact(width).skip(self.y).take(self.height))
            .flat_map(|row| &row[self.x..self.x + self.width])
            .copied()
            .collect())
    }

    fn check_inside(self, height: usize, width: usize) -> Result<()> {
        let ends_by = |start: usize, length: usize, side: usize| {
            length > 0 && start.checked_add(length).is_some_and(|end| end <= side)
        };
        if ends_by(self.y, self.height, height) && ends_by(self.x, self.width, width) {
            Ok(())
        } else {
            Err(Error::Argument(format!(
                "{self:?} is not in {height}×{width}"
            )))
        }
    }
}

/// Windows that cover `height`×`width`, row by row from the top left: a single one if both are at
/// most `limit`; otherwise windows of equal size, limited to `limit` along each longer axis, with
/// neighbours overlapping by at least `overlap`. The last window of a row or column is shifted back
/// inside.
///
/// # Errors
/// [`Error::Argument`] if `height` or `width` is 0, or `overlap` is not below `limit`.
pub fn plan(height: usize, width: usize, limit: usize, overlap: usize) -> Result<Vec<Window>> {
    if height == 0 || width == 0 || overlap >= limit {
        return Err(Error::Argument(format!(
            "{height}×{width} cannot be tiled by windows of {limit} that overlap by {overlap}"
        )));
    }
    let starts = |side: usize| {
        let last = side.saturating_sub(limit);
        let stride = limit - overlap;
        (0..=last.div_ceil(stride)).map(move |step| (step * stride).min(last))
    };
    Ok(starts(height)
        .flat_map(|y| starts(width).map(move |x| (y, x)))
        .map(|(y, x)| Window {
            y,
            x,
            height: height.min(limit),
            width: width.min(limit),
        })
        .collect())
}

/// Weight of a window's outermost rows and columns.
const NO_WEIGHT: f32 = 1e-4;

/// Blends windows into one planar `[channels, height, width]`, each fading in and out over `ramp`
/// rows and columns at its edges. Weights are positive everywhere and normalised at the end, so
/// that windows which agree reproduce their common values, up to rounding.
///
/// # Examples
/// ```
/// # use tesserae::pixels::tile::{Blend, plan};
/// # fn main() -> tesserae::Result<()> {
/// let row: Vec<f32> = (0..10).map(|x| x as f32).collect();
/// let mut blend = Blend::new(1, 1, 10, 2)?;
/// for window in plan(1, 10, 6, 2)? {
///     let part = window.cut(&row, 1, 1, 10)?; // a model would compute something with it
///     blend.add(window, &part)?;
/// }
/// assert_eq!(blend.finish()?, row);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Blend {
    channels: usize,
    height: usize,
    width: usize,
    ramp: usize,
    sums: Vec<f32>,
    weights: Vec<f32>,
}

impl Blend {
    /// Starts an empty sum. `ramp` is the overlap that the windows were [planned](plan) with, in
    /// the same unit as `height` and `width`.
    ///
    /// # Errors
    /// [`Error::Argument`] if it has no elements, or their number overflows.
    pub fn new(channels: usize, height: usize, width: usize, ramp: usize) -> Result<Self> {
        let plane = height.checked_mul(width);
        let values = plane.and_then(|plane| plane.checked_mul(channels));
        match (plane, values) {
            (Some(plane), Some(values)) if values > 0 => Ok(Self {
                channels,
                height,
                width,
                ramp,
                sums: vec![0.0; values],
                weights: vec![0.0; plane],
            }),
            _ => Err(Error::Argument(format!(
                "{channels} planes of {height}×{width} cannot be blended"
            ))),
        }
    }

    /// Adds `data`, `[channels, window.height, window.width]`.
    ///
    /// # Errors
    /// [`Error::Argument`] if the window is out of bounds or `data` has the wrong length.
    pub fn add(&mut self, window: Window, data: &[f32]) -> Result<()> {
        window.check_inside(self.height, self.width)?;
        check_length(data, self.channels, window.height, window.width)?;
        let down = fade(window.height, self.ramp);
        let across = fade(window.width, self.ramp);
        let row_at = |y: usize| (window.y + y) * self.width + window.x;
        for (y, &weight) in down.iter().enumerate() {
            let start = row_at(y);
            let row = &mut self.weights[start..start + window.width];
            for (sum, &factor) in row.iter_mut().zip(&across) {
                *sum += weight * factor;
            }
        }
        let planes = self.sums.chunks_exact_mut(self.height * self.width);
        for (plane, data) in planes.zip(data.chunks_exact(window.height * window.width)) {
            for (y, (data, &weight)) in data.chunks_exact(window.width).zip(&down).enumerate() {
                let start = row_at(y);
                let row = &mut plane[start..start + window.width];
                for ((sum, &value), &factor) in row.iter_mut().zip(data).zip(&across) {
                    *sum += value * (weight * factor);
                }
            }
        }
        Ok(())
    }

    /// Returns the blended result.
    ///
    /// # Errors
    /// [`Error::Internal`] if some part is not covered by any window.
    pub fn finish(mut self) -> Result<Vec<f32>> {
        if self.weights.contains(&0.0) {
            return Err(Error::Internal("a part of the picture was left out".into()));
        }
        for plane in self.sums.chunks_exact_mut(self.weights.len()) {
            for (sum, weight) in plane.iter_mut().zip(&self.weights) {
                *sum /= weight;
            }
        }
        Ok(self.sums)
    }
}

/// Weights along one axis: almost nothing in the outer quarter of the `ramp`, where the network
/// sees the window's edge instead of the neighbouring content; rising to 1 over its middle half,
/// and falling likewise. Never 0: at the picture's own edge there is no neighbour to take over.
fn fade(length: usize, ramp: usize) -> Vec<f32> {
    let outer = ramp as f32 / 4.0;
    let step = 1.0 / (ramp as f32 / 2.0 + 1.0);
    (0..length)
        .map(|at| {
            let inside = (at.min(length - 1 - at) as f32 + 1.0 - outer) * step;
            inside.clamp(NO_WEIGHT, 1.0)
        })
        .collect()
}

fn check_length(data: &[f32], channels: usize, height: usize, width: usize) -> Result<()> {
    // Height and width belong to an existing plane, so only the channels can overflow.
    if Some(data.len()) == (height * width).checked_mul(channels) {
        return Ok(());
    }
    Err(Error::Argument(format!(
        "{} values are not {channels} planes of {height}×{width}",
        data.len()
    )))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_pictures_are_one_window() {
        let whole = |height, width| Window {
            y: 0,
            x: 0,
            height,
            width,
        };
        assert_eq!(plan(5, 8, 8, 2).unwrap(), [whole(5, 8)]);
        assert_eq!(plan(1, 1, 8, 0).unwrap(), [whole(1, 1)]);
    }

    #[test]
    fn the_last_window_is_moved_back() {
        let windows = plan(4, 17, 8, 2).unwrap();
        let starts: Vec<_> = windows.iter().map(|window| window.x).collect();
        assert_eq!(starts, [0, 6, 9]);
        assert!(windows.iter().all(|w| (w.height, w.width) == (4, 8)));
        let scaled = windows[1].scaled(16);
        assert_eq!(
            (scaled.y, scaled.x, scaled.height, scaled.width),
            (0, 96, 64, 128)
        );
    }

    #[test]
    fn every_side_is_covered_with_the_overlap_asked_for() {
        for side in 1..=200 {
            for (limit, overlap) in [(1, 0), (8, 0), (8, 3), (8, 7), (32, 4), (64, 16)] {
                let windows = plan(side, 3.min(limit), limit, overlap).unwrap();
                assert_eq!(windows[0].y, 0);
                let last = windows[windows.len() - 1];
                assert_eq!(last.y + last.height, side);
                assert!(windows.iter().all(|w| w.height == side.min(limit)));
                for pair in windows.windows(2) {
                    assert!(pair[1].y > pair[0].y, "{side} {limit} {overlap}");
                    let shared = pair[0].y + pair[0].height - pair[1].y;
                    assert!(shared >= overlap, "{side} {limit} {overlap}: {shared}");
                }
            }
        }
    }

    #[test]
    fn plans_that_cannot_be_are_refused() {
        for (height, width, limit, overlap) in
            [(0, 1, 8, 2), (1, 0, 8, 2), (9, 9, 8, 8), (9, 9, 0, 0)]
        {
            let error = plan(height, width, limit, overlap).unwrap_err();
            assert_eq!(error.code(), "argument");
        }
    }

    #[test]
    fn neighbours_cross_fade_over_the_middle_of_their_overlap() {
        // Zeros on the left, ones on the right, overlapping by three columns.
        let windows = plan(1, 9, 6, 3).unwrap();
        let mut blend = Blend::new(1, 1, 9, 3).unwrap();
        for (value, window) in [0.0, 1.0].into_iter().zip(windows) {
            blend.add(window, &[value; 6]).unwrap();
        }
        let blended = blend.finish().unwrap();
        let expected = [0.0, 0.0, 0.0, 0.1, 0.5, 0.9, 1.0, 1.0, 1.0];
        for (found, expected) in blended.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{blended:?}");
        }
    }

    #[test]
    fn a_hole_and_a_wrong_shape_are_errors() {
        let window = Window {
            y: 0,
            x: 0,
            height: 2,
            width: 2,
        };
        let mut blend = Blend::new(1, 2, 3, 1).unwrap();
        blend.add(window, &[0.0; 4]).unwrap();
        assert_eq!(
            blend.clone().add(window, &[0.0; 3]).unwrap_err().code(),
            "argument"
        );
        for outside in [
            Window { x: 2, ..window },
            Window {
                y: usize::MAX,
                ..window
            },
            Window { width: 0, ..window },
        ] {
            let error = blend.add(outside, &[0.0; 4]).unwrap_err();
            assert_eq!(error.code(), "argument");
            assert!(outside.cut(&[0.0; 6], 1, 2, 3).is_err());
        }
        assert_eq!(blend.finish().unwrap_err().code(), "internal");
        assert!(Blend::new(0, 2, 3, 1).is_err());
        assert!(Blend::new(2, usize::MAX, 3, 1).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn blending_the_parts_gives_the_whole(
            channels in 1usize..4,
            height in 1usize..50,
            width in 1usize..50,
            limit in 1usize..30,
            overlap in 0usize..30,
            factor in 1usize..4,
        ) {
            prop_assume!(overlap < limit);
            let (tall, wide) = (height * factor, width * factor);
            let whole: Vec<f32> = (0..channels * tall * wide).map(|i| (i as f32 * 0.7).sin()).collect();
            let mut blend = Blend::new(channels, tall, wide, overlap * factor).unwrap();
            for window in plan(height, width, limit, overlap).unwrap() {
                let window = window.scaled(factor);
                blend.add(window, &window.cut(&whole, channels, tall, wide).unwrap()).unwrap();
            }
            for (found, expected) in blend.finish().unwrap().iter().zip(&whole) {
                prop_assert!((found - expected).abs() <= 1e-5);
            }
        }
    }
}
