//! Reflection padding to the next multiple that the model accepts, and cropping back.

use crate::error::{Error, Result};

/// Rounds `side` up to a multiple of `factor`.
pub fn padded(side: usize, factor: usize) -> usize {
    side.next_multiple_of(factor.max(1))
}

/// Pads planar `data`, `[channels, height, width]`, on the right and bottom to `[channels,
/// new_height, new_width]` by reflection without repeating the edge, several times over if the
/// picture is smaller than its padding (like numpy's `reflect`; a single pixel is repeated).
///
/// # Errors
/// [`Error::Argument`] if `data` has the wrong length, `height` or `width` is 0, or a new side is
/// smaller.
///
/// # Examples
/// ```
/// # use tesserae::pixels::pad::{crop, reflect_pad};
/// # fn main() -> tesserae::Result<()> {
/// let padded = reflect_pad(&[1.0, 2.0, 3.0], 1, 1, 3, 1, 5)?;
/// assert_eq!(padded, [1.0, 2.0, 3.0, 2.0, 1.0]);
/// assert_eq!(crop(&padded, 1, 1, 5, 1, 3)?, [1.0, 2.0, 3.0]);
/// # Ok(())
/// # }
/// ```
pub fn reflect_pad(
    data: &[f32],
    channels: usize,
    height: usize,
    width: usize,
    new_height: usize,
    new_width: usize,
) -> Result<Vec<f32>> {
    check(data, channels, height, width)?;
    if new_height < height || new_width < width {
        return Err(Error::Argument(format!(
            "{height}×{width} cannot be padded to {new_height}×{new_width}"
        )));
    }
    let columns: Vec<usize> = (0..new_width).map(|x| reflected(x, width)).collect();
    let mut padded = Vec::with_capacity(channels * new_height * new_width);
    for plane in data.chunks_exact(height * width) {
        for y in 0..new_height {
            let start = reflected(y, height) * width;
            let row = &plane[start..start + width];
            padded.extend_from_slice(row);
            padded.extend(columns[width..].iter().map(|&x| row[x]));
        }
    }
    Ok(padded)
}

/// Crops planar `data`, `[channels, height, width]`, to its top left `[channels, new_height,
/// new_width]`.
///
/// # Errors
/// [`Error::Argument`] if `data` has the wrong length, or a new side is 0 or larger.
pub fn crop(
    data: &[f32],
    channels: usize,
    height: usize,
    width: usize,
    new_height: usize,
    new_width: usize,
) -> Result<Vec<f32>> {
    check(data, channels, height, width)?;
    if !(1..=height).contains(&new_height) || !(1..=width).contains(&new_width) {
        return Err(Error::Argument(format!(
            "{height}×{width} cannot be cropped to {new_height}×{new_width}"
        )));
    }
    Ok(data
        .chunks_exact(height * width)
        .flat_map(|plane| plane.chunks_exact(width).take(new_height))
        .flat_map(|row| &row[..new_width])
        .copied()
        .collect())
}

/// The source index, within `length`, of index `at` along the padded axis.
fn reflected(at: usize, length: usize) -> usize {
    let period = (2 * (length - 1)).max(1);
    let phase = at % period;
    phase.min(period - phase)
}

fn check(data: &[f32], channels: usize, height: usize, width: usize) -> Result<()> {
    let length = height
        .checked_mul(width)
        .and_then(|plane| plane.checked_mul(channels));
    if length != Some(data.len()) || data.is_empty() {
        return Err(Error::Argument(format!(
            "{} values are not {channels} planes of {height}×{width}",
            data.len()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn multiples() {
        for (side, factor, expected) in [(1, 8, 8), (8, 8, 8), (9, 8, 16), (5, 1, 5)] {
            assert_eq!(padded(side, factor), expected);
        }
    }

    #[test]
    fn reflects_as_numpy_does() {
        // numpy.pad([0, 1, 2], (0, 7), "reflect"), and the same for [5] and [0, 1].
        let row = |data: &[f32], to| reflect_pad(data, 1, 1, data.len(), 1, to).unwrap();
        assert_eq!(
            row(&[0., 1., 2.], 10),
            [0., 1., 2., 1., 0., 1., 2., 1., 0., 1.]
        );
        assert_eq!(row(&[0., 1.], 5), [0., 1., 0., 1., 0.]);
        assert_eq!(row(&[5.], 4), [5.; 4]);
    }

    #[test]
    fn pads_rows_columns_and_channels() {
        let data = [1., 2., 3., 4., 5., 6., -1., -2., -3., -4., -5., -6.];
        let expected = [
            1., 2., 3., 2., 4., 5., 6., 5., 1., 2., 3., 2., //
            -1., -2., -3., -2., -4., -5., -6., -5., -1., -2., -3., -2.,
        ];
        assert_eq!(reflect_pad(&data, 2, 2, 3, 3, 4).unwrap(), expected);
    }

    #[test]
    fn wrong_shapes_are_refused() {
        assert!(reflect_pad(&[0.; 6], 1, 2, 3, 2, 3).is_ok());
        for (channels, height, width, new_height, new_width) in [
            (1, 2, 2, 2, 2),
            (1, 0, 3, 2, 3),
            (2, 2, 3, 2, 3),
            (1, 2, 3, 1, 3),
            (1, 2, 3, 2, 2),
            (usize::MAX, 2, 3, 2, 3),
        ] {
            let error = reflect_pad(&[0.; 6], channels, height, width, new_height, new_width);
            assert_eq!(error.unwrap_err().code(), "argument");
        }
        assert!(reflect_pad(&[], 0, 2, 3, 2, 3).is_err());
        for (new_height, new_width) in [(3, 3), (2, 4), (0, 1), (1, 0)] {
            assert!(crop(&[0.; 6], 1, 2, 3, new_height, new_width).is_err());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn cropping_undoes_padding(
            channels in 1usize..4, height in 1usize..20, width in 1usize..20, factor in 1usize..33,
        ) {
            let data: Vec<f32> = (0..channels * height * width).map(|i| i as f32).collect();
            let (new_height, new_width) = (padded(height, factor), padded(width, factor));
            let wide = reflect_pad(&data, channels, height, width, new_height, new_width).unwrap();
            prop_assert_eq!(wide.len(), channels * new_height * new_width);
            let back = crop(&wide, channels, new_height, new_width, height, width).unwrap();
            prop_assert_eq!(back, data);
        }
    }
}
