/// Points after which cells that are still missing are appended row by row; no grid that a prior
/// takes needs as many.
const MAX_POINTS: u64 = 1 << 24;

/// The cells of a grid in the order in which a Halton sequence first visits them: any number of the
/// first ones are spread evenly. Cells are row-major indices.
///
/// Source: Halton 1960; valeoai/Halton-MaskGIT `Sampler/halton_sampler.py`.
///
/// # Examples
/// ```
/// # use tesserae::generate::halton;
/// let order = halton(16, 16);
/// assert_eq!(order[..3], [8 * 16 + 5, 4 * 16 + 10, 12 * 16 + 1]);
/// ```
pub fn halton(rows: usize, columns: usize) -> Vec<usize> {
    let mut missing = vec![true; rows * columns];
    let mut order = Vec::with_capacity(missing.len());
    for point in 1..=MAX_POINTS {
        if order.len() == missing.len() {
            return order;
        }
        let cell = scaled_inverse(point, 2, rows) * columns + scaled_inverse(point, 3, columns);
        if std::mem::take(&mut missing[cell]) {
            order.push(cell);
        }
    }
    order.extend((0..missing.len()).filter(|cell| missing[*cell]));
    order
}

/// ⌊side · φ(point)⌋, where φ mirrors the digits of `point` in `base` at the point; in whole numbers,
/// so that it is the same everywhere.
fn scaled_inverse(mut point: u64, base: u64, side: usize) -> usize {
    let (mut mirrored, mut denominator) = (0, 1);
    while point > 0 {
        mirrored = mirrored * base + point % base;
        denominator *= base;
        point /= base;
    }
    // Below `side`, and all factors below 2³².
    (mirrored * side as u64 / denominator) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_comes_once_whatever_the_shape() {
        for (rows, columns) in [(1, 1), (1, 9), (5, 3), (7, 7), (64, 64), (128, 2)] {
            let mut order = halton(rows, columns);
            order.sort_unstable();
            let all: Vec<usize> = (0..rows * columns).collect();
            assert_eq!(order, all, "{rows}×{columns}");
        }
    }
}
