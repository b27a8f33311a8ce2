/// An RGB colour (3 bytes) for each code, such that similar codes get similar colours.
///
/// The codebook's three principal components (by power iteration on its covariance) become
/// lightness and two opponent colours. Each is spread by rank, so that a few outliers do not take
/// up all the contrast.
///
/// `codebook` is `[K, D]` row-major with `dim` = D.
///
/// # Examples
/// ```
/// # use tesserae::quantize::palette;
/// let codebook = [0.0, 0.0, 0.1, 0.0, 9.0, 5.0]; // 3 entries of 2 values
/// assert_eq!(palette(&codebook, 2).len(), 3 * 3);
/// ```
pub fn palette(codebook: &[f32], dim: usize) -> Vec<u8> {
    let codes = codebook.len() / dim.max(1);
    let axes = principal_axes(codebook, dim, 3.min(dim));
    let mut spread: Vec<Vec<f32>> = axes
        .iter()
        .map(|axis| {
            ranks(
                &codebook
                    .chunks_exact(dim)
                    .map(|row| dot(row, axis))
                    .collect::<Vec<_>>(),
            )
        })
        .collect();
    spread.resize(3, vec![0.5; codes]);
    (0..codes)
        .flat_map(|code| {
            let light = 0.22 + 0.68 * spread[0][code];
            let (warm, green) = (spread[1][code] - 0.5, spread[2][code] - 0.5);
            // Opponent axes around a grey of this lightness: blue to amber, and rose to green.
            [
                light + 0.34 * warm - 0.22 * green,
                light + 0.08 * warm + 0.20 * green,
                light - 0.44 * warm - 0.06 * green,
            ]
            .map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8)
        })
        .collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Rank of each value, scaled to 0 to 1.
fn ranks(values: &[f32]) -> Vec<f32> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let last = values.len().saturating_sub(1).max(1) as f32;
    let mut ranks = vec![0.0; values.len()];
    for (rank, index) in order.into_iter().enumerate() {
        ranks[index] = rank as f32 / last;
    }
    ranks
}

fn principal_axes(rows: &[f32], dim: usize, count: usize) -> Vec<Vec<f32>> {
    let codes = (rows.len() / dim.max(1)).max(1) as f32;
    let mut mean = vec![0.0; dim];
    for row in rows.chunks_exact(dim) {
        mean.iter_mut().zip(row).for_each(|(m, v)| *m += v / codes);
    }
    let mut covariance = vec![0.0; dim * dim];
    for row in rows.chunks_exact(dim) {
        for i in 0..dim {
            let centred = row[i] - mean[i];
            for j in 0..dim {
                covariance[i * dim + j] += centred * (row[j] - mean[j]) / codes;
            }
        }
    }
    let mut axes = Vec::with_capacity(count);
    for _ in 0..count {
        // A fixed asymmetric start that cannot get stuck, so that every device computes the same
        // palette.
        let mut axis: Vec<f32> = (0..dim).map(|i| 1.0 + (i as f32 * 0.7).sin()).collect();
        for _ in 0..100 {
            let next: Vec<f32> = covariance
                .chunks_exact(dim)
                .map(|c| dot(c, &axis))
                .collect();
            let norm = dot(&next, &next).sqrt();
            if norm <= f32::MIN_POSITIVE {
                break;
            }
            axis = next.into_iter().map(|v| v / norm).collect();
        }
        let along: Vec<f32> = covariance
            .chunks_exact(dim)
            .map(|c| dot(c, &axis))
            .collect();
        let variance = dot(&along, &axis);
        for i in 0..dim {
            for j in 0..dim {
                covariance[i * dim + j] -= variance * axis[i] * axis[j];
            }
        }
        axes.push(axis);
    }
    axes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_codes_have_near_colours_and_far_ones_do_not() {
        let codebook: Vec<f32> = (0..64)
            .flat_map(|i| [i as f32, (i * 7 % 5) as f32])
            .collect();
        let colours = palette(&codebook, 2);
        assert_eq!(colours.len(), 64 * 3);
        let distance = |a: usize, b: usize| -> i32 {
            (0..3)
                .map(|c| (i32::from(colours[3 * a + c]) - i32::from(colours[3 * b + c])).abs())
                .sum()
        };
        assert!(distance(0, 63) > 3 * distance(0, 5), "{colours:?}");
    }

    #[test]
    fn degenerate_codebooks_do_not_panic() {
        assert!(palette(&[], 4).is_empty());
        assert_eq!(palette(&[0.0; 12], 4).len(), 9);
        assert_eq!(palette(&[1.0], 1).len(), 3);
    }
}
