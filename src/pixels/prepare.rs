//! Converts between a decoded picture and the model's input and output.

use image::imageops::{self, FilterType};
use image::{ImageBuffer, Rgb};

use super::{Picture, check_sides};
use crate::error::{Error, Result};

impl Picture {
    /// Crops to the largest centred square; if the difference is odd, one pixel closer to the top
    /// left.
    pub fn centre_square(&self) -> Self {
        let side = self.width.min(self.height);
        let (left, top) = ((self.width - side) / 2, (self.height - side) / 2);
        let row = self.width as usize * 3;
        let (start, length) = (left as usize * 3, side as usize * 3);
        let rgb = self
            .rgb
            .chunks_exact(row)
            .skip(top as usize)
            .take(side as usize)
            .flat_map(|row| &row[start..start + length])
            .copied()
            .collect();
        Self {
            width: side,
            height: side,
            rgb,
        }
    }

    /// Scales the picture so that its longer side is at most `max_side` pixels (0 keeps the size),
    /// with a Lanczos-3 filter and never up; with `square`, crops to the [centre
    /// square](Self::centre_square) first. The shorter side is rounded to the nearest pixel and is
    /// at least one.
    ///
    /// # Examples
    /// ```
    /// # use tesserae::Picture;
    /// # fn main() -> tesserae::Result<()> {
    /// let wide = Picture::from_rgb(30, 20, vec![90; 30 * 20 * 3])?;
    /// let sides = |picture: Picture| (picture.width(), picture.height());
    /// assert_eq!(sides(wide.fit(15, false)), (15, 10));
    /// assert_eq!(sides(wide.fit(15, true)), (15, 15));
    /// assert_eq!(sides(wide.fit(99, false)), (30, 20)); // never larger
    /// # Ok(())
    /// # }
    /// ```
    pub fn fit(&self, max_side: u32, square: bool) -> Self {
        if square && self.width != self.height {
            return self.centre_square().into_fit(max_side, false);
        }
        let (width, height) = fitted(self.width, self.height, max_side, false);
        if (width, height) == (self.width, self.height) {
            return self.clone();
        }
        self.resized(width, height)
    }

    /// The middle of the picture, scaled up or down with a Lanczos-3 filter so that it covers
    /// `width`×`height` pixels exactly.
    ///
    /// # Errors
    /// As [`from_rgb`](Self::from_rgb).
    ///
    /// # Examples
    /// ```
    /// # use tesserae::Picture;
    /// # fn main() -> tesserae::Result<()> {
    /// let wide = Picture::from_rgb(30, 20, vec![90; 30 * 20 * 3])?;
    /// let square = wide.cover(64, 64)?;
    /// assert_eq!((square.width(), square.height()), (64, 64));
    /// # Ok(())
    /// # }
    /// ```
    pub fn cover(&self, width: u32, height: u32) -> Result<Self> {
        check_sides(width, height)?;
        let [w, h, to_w, to_h] = [self.width, self.height, width, height].map(u64::from);
        // As much of one side as the other, whole, leaves room for.
        let (crop_w, crop_h) = match w * to_h > h * to_w {
            true => ((h * to_w / to_h).max(1), h),
            false => (w, (w * to_h / to_w).max(1)),
        };
        let (left, top) = (((w - crop_w) / 2) as usize, ((h - crop_h) / 2) as usize);
        let rows = self.rgb.chunks_exact(self.width as usize * 3);
        let rows = rows.skip(top).take(crop_h as usize);
        let rgb = rows.flat_map(|row| &row[left * 3..(left + crop_w as usize) * 3]);
        let middle = Self {
            width: crop_w as u32,
            height: crop_h as u32,
            rgb: rgb.copied().collect(),
        };
        Ok(middle.resized(width, height))
    }

    fn resized(&self, width: u32, height: u32) -> Self {
        let Some(view) =
            ImageBuffer::<Rgb<u8>, &[u8]>::from_raw(self.width, self.height, &self.rgb)
        else {
            unreachable!("a picture has three bytes per pixel");
        };
        let rgb = imageops::resize(&view, width, height, FilterType::Lanczos3).into_raw();
        Self { width, height, rgb }
    }

    /// The squares of `side` pixels that lie row by row in the picture.
    ///
    /// # Errors
    /// [`Error::Argument`] if `side` is 0 or does not divide both of the picture's.
    ///
    /// # Examples
    /// ```
    /// # use tesserae::Picture;
    /// # fn main() -> tesserae::Result<()> {
    /// let sheet = Picture::from_rgb(2, 1, vec![0, 0, 0, 9, 9, 9])?;
    /// let tiles = sheet.tiles(1)?;
    /// assert_eq!(tiles[1], Picture::from_rgb(1, 1, vec![9, 9, 9])?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn tiles(&self, side: u32) -> Result<Vec<Self>> {
        let (width, height) = (self.width, self.height);
        if side == 0 || !width.is_multiple_of(side) || !height.is_multiple_of(side) {
            return Err(Error::Argument(format!(
                "A picture of {width}×{height} is not made of squares with {side} pixels a side"
            )));
        }
        let [side, across] = [side, width / side].map(|number| number as usize);
        let row = self.width as usize * 3;
        let bands = self.rgb.chunks_exact(row * side);
        let tiles = bands.flat_map(|band| (0..across).map(move |column| (band, column)));
        let tiles = tiles.map(|(band, column)| {
            let rows = band.chunks_exact(row);
            let first = column * side * 3;
            rows.flat_map(|row| &row[first..first + side * 3])
                .copied()
                .collect()
        });
        let of = |rgb| Self {
            width: side as u32,
            height: side as u32,
            rgb,
        };
        Ok(tiles.map(of).collect())
    }

    /// Like [`fit`](Self::fit), without a copy if nothing changes.
    pub(super) fn into_fit(self, max_side: u32, square: bool) -> Self {
        match fitted(self.width, self.height, max_side, square) == (self.width, self.height) {
            true => self,
            false => self.fit(max_side, square),
        }
    }

    /// The samples as model input, `[3, height, width]`, mapping 0 to `low` and 255 to `high`.
    pub fn to_planar(&self, low: f32, high: f32) -> Vec<f32> {
        let scale = (high - low) / 255.0;
        let (pixels, _) = self.rgb.as_chunks::<3>();
        (0..3)
            .flat_map(|channel| pixels.iter().map(move |pixel| pixel[channel]))
            .map(|sample| low + f32::from(sample) * scale)
            .collect()
    }

    /// Converts model output, `[3, height, width]`, to a picture: values are clamped to
    /// `low..=high` and rounded to the nearest of 256 levels, halves up.
    ///
    /// # Errors
    /// [`Error::Internal`] for a non-finite value, which cannot be part of a picture.
    /// [`Error::Argument`] for an empty or non-finite range; otherwise as
    /// [`from_rgb`](Self::from_rgb).
    ///
    /// # Examples
    /// ```
    /// # use tesserae::Picture;
    /// # fn main() -> tesserae::Result<()> {
    /// let picture = Picture::from_rgb(2, 1, vec![0, 51, 255, 255, 102, 0])?;
    /// let planar = picture.to_planar(-1.0, 1.0); // reds, greens, blues
    /// assert_eq!(planar[..2], [-1.0, 1.0]);
    /// assert_eq!(Picture::from_planar(&planar, 2, 1, -1.0, 1.0)?, picture);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_planar(
        planar: &[f32],
        width: u32,
        height: u32,
        low: f32,
        high: f32,
    ) -> Result<Self> {
        let scale = 255.0 / (high - low);
        if !(low < high && scale.is_finite() && scale > 0.0) {
            return Err(Error::Argument(format!(
                "The range of samples from {low} to {high} is not valid"
            )));
        }
        if !planar.iter().all(|value| value.is_finite()) {
            return Err(Error::Internal(
                "the model's output contains NaN or infinity".into(),
            ));
        }
        let plane = planar.len() / 3;
        let mut rgb = vec![0; planar.len()];
        for (channel, values) in planar.chunks_exact(plane.max(1)).take(3).enumerate() {
            for (pixel, &value) in rgb.chunks_exact_mut(3).zip(values) {
                // The cast saturates and truncates, hence the added half.
                pixel[channel] = ((value - low) * scale + 0.5) as u8;
            }
        }
        Self::from_rgb(width, height, rgb)
    }
}

/// Width and height after [`Picture::fit`] of a `width`×`height` picture.
pub(super) fn fitted(width: u32, height: u32, max_side: u32, square: bool) -> (u32, u32) {
    let (width, height) = match square {
        true => (width.min(height), width.min(height)),
        false => (width, height),
    };
    let longer = width.max(height);
    if max_side == 0 || longer <= max_side {
        return (width, height);
    }
    let scaled = |side: u32| {
        let (side, longer) = (u64::from(side), u64::from(longer));
        let nearest = (2 * side * u64::from(max_side) + longer) / (2 * longer);
        // Never above `max_side`, as `side` never exceeds `longer`.
        nearest.max(1) as u32
    };
    (scaled(width), scaled(height))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pixels::metrics::psnr;
    use crate::pixels::tests::{painted, waves};

    fn sides(picture: &Picture) -> (u32, u32) {
        (picture.width(), picture.height())
    }

    #[test]
    fn the_square_is_the_middle() {
        let wide = painted(7, 4, |x, y, c| (x * 20 + y * 3 + c) as u8);
        assert_eq!(
            wide.centre_square(),
            painted(4, 4, |x, y, c| ((x + 1) * 20 + y * 3 + c) as u8)
        );
        let tall = painted(2, 5, |x, y, _| (x * 20 + y) as u8);
        assert_eq!(
            tall.centre_square(),
            painted(2, 2, |x, y, _| (x * 20 + y + 1) as u8)
        );
        assert_eq!(wide.fit(0, true), wide.centre_square());
    }

    #[test]
    fn sides_are_rounded_and_never_grow() {
        let cases = [
            ((300, 200), 256, false, (256, 171)),
            ((200, 300), 256, false, (171, 256)),
            ((300, 200), 256, true, (200, 200)),
            ((300, 200), 100, true, (100, 100)),
            ((300, 200), 300, false, (300, 200)),
            ((300, 200), 0, false, (300, 200)),
            ((900, 1), 30, false, (30, 1)),
        ];
        for ((width, height), max_side, square, expected) in cases {
            let fitted = waves(width, height).fit(max_side, square);
            assert_eq!(sides(&fitted), expected, "{width}×{height} to {max_side}");
        }
    }

    #[test]
    fn a_cover_is_the_middle_at_the_size_asked_for() {
        let wide = painted(9, 4, |x, y, c| (x * 20 + y * 3 + c) as u8);
        assert_eq!(wide.cover(9, 4).unwrap(), wide);
        assert_eq!(
            wide.cover(4, 4).unwrap(),
            painted(4, 4, |x, y, c| ((x + 2) * 20 + y * 3 + c) as u8)
        );
        let flat = painted(3, 50, |_, _, c| [10, 128, 250][c as usize]);
        let covered = flat.cover(40, 7).unwrap();
        assert_eq!(
            covered,
            painted(40, 7, |_, _, c| [10, 128, 250][c as usize])
        );
        for (width, height) in [(0, 5), (u32::MAX, u32::MAX)] {
            assert!(flat.cover(width, height).is_err());
        }
    }

    #[test]
    fn scaling_keeps_the_picture() {
        let flat = painted(50, 40, |_, _, c| [10, 128, 250][c as usize]);
        assert_eq!(
            flat.fit(20, false),
            painted(20, 16, |_, _, c| [10, 128, 250][c as usize])
        );
        // Low frequencies, halved: the mean of four pixels is close to the exact result.
        let slow = |x: f64, y: f64| 127.5 + 100.0 * (x * 0.05 + y * 0.03).sin();
        let large = painted(64, 64, |x, y, _| slow(x as f64, y as f64).round() as u8);
        let small = painted(32, 32, |x, y, _| {
            slow(x as f64 * 2.0 + 0.5, y as f64 * 2.0 + 0.5).round() as u8
        });
        let psnr = psnr(&large.fit(32, false), &small).unwrap();
        assert!(psnr > 45.0, "{psnr}");
    }

    #[test]
    fn planar_has_a_plane_a_channel() {
        let picture = Picture::from_rgb(2, 1, vec![0, 51, 255, 255, 102, 0]).unwrap();
        let planar = picture.to_planar(-1.0, 1.0);
        for (found, expected) in planar.iter().zip([-1.0, 1.0, -0.6, -0.2, 1.0, -1.0]) {
            assert!((found - expected).abs() < 1e-6, "{planar:?}");
        }
    }

    #[test]
    fn every_level_survives_the_way_there_and_back() {
        let levels = painted(256, 1, |x, _, c| (x + c * 85) as u8);
        for (low, high) in [(-1.0, 1.0), (-0.5, 0.5), (0.0, 1.0), (0.0, 255.0)] {
            let planar = levels.to_planar(low, high);
            let back = Picture::from_planar(&planar, 256, 1, low, high).unwrap();
            assert_eq!(back, levels);
        }
    }

    #[test]
    fn values_are_clamped_and_rounded() {
        let planar = [-3.0, 9.0, 0.49 / 255.0, 0.5 / 255.0, 254.4 / 255.0, 1.0];
        let picture = Picture::from_planar(&planar, 2, 1, 0.0, 1.0).unwrap();
        assert_eq!(picture.rgb(), [0, 0, 254, 255, 1, 255]);
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let error = Picture::from_planar(&[0.0, value, 0.0], 1, 1, 0.0, 1.0).unwrap_err();
            assert_eq!(error.code(), "internal");
        }
        for (low, high) in [
            (1.0, 1.0),
            (1.0, 0.0),
            (f32::NAN, 1.0),
            (0.0, f32::INFINITY),
        ] {
            let error = Picture::from_planar(&[0.0; 3], 1, 1, low, high).unwrap_err();
            assert_eq!(error.code(), "argument");
        }
        for length in [0, 2, 4, 6] {
            let error = Picture::from_planar(&vec![0.0; length], 1, 1, 0.0, 1.0).unwrap_err();
            assert_eq!(error.code(), "argument");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn fitted_sides_stay_in_bounds(
            width in 1u32..120, height in 1u32..120, max_side in 1u32..150, square: bool,
        ) {
            let fitted = painted(width, height, |x, y, _| (x ^ y) as u8).fit(max_side, square);
            let (fitted_width, fitted_height) = sides(&fitted);
            prop_assert!(fitted_width.max(fitted_height) <= max_side.min(width.max(height)));
            prop_assert!(fitted_width.min(fitted_height) >= 1);
            if square {
                prop_assert_eq!(fitted_width, width.min(height).min(max_side));
                prop_assert_eq!(fitted_width, fitted_height);
            }
        }
    }
}
