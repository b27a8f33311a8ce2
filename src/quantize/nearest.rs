use burn::tensor::{IndexingUpdateOp, Int, Tensor};

/// Maximum elements of a distance matrix: 32 MiB of f32, a quarter of WebGPU's guaranteed binding
/// size.
const MAX_DISTANCES: usize = 1 << 23;

/// Index of the nearest codebook entry of each latent, by squared Euclidean distance.
///
/// The latents are processed in chunks, so that no distance matrix exceeds 2²³ elements. Exact ties
/// go to the lowest index.
///
/// # Shapes
/// - `z`: `[n, D]`, `codebook`: `[K, D]`
/// - output: `[n]`, each in `0..K`
///
/// # Examples
/// ```
/// # use burn::tensor::{Device, Tensor};
/// # use tesserae::quantize::nearest;
/// let device = Device::flex();
/// let codebook = Tensor::<2>::from_floats([[0.0, 0.0], [1.0, 0.0], [0.0, 3.0]], &device);
/// let latents = Tensor::<2>::from_floats([[0.9, 0.1], [0.0, 2.0]], &device);
/// let codes: Vec<i64> = nearest(latents, codebook).into_data().iter().collect();
/// assert_eq!(codes, [1, 2]);
/// ```
pub fn nearest(z: Tensor<2>, codebook: Tensor<2>) -> Tensor<1, Int> {
    let chunks = chunked(z, codebook, |distances| {
        let [rows, _] = distances.dims();
        distances.argmin(1).reshape([rows])
    });
    Tensor::cat(chunks, 0)
}

/// Squared distances of each latent to its nearest and second-nearest entries, nearest first.
///
/// Two correct devices may choose different codes only where these are close.
///
/// # Shapes
/// - `z`: `[n, D]`, `codebook`: `[K, D]` with K ≥ 2
/// - output: `[n, 2]`
pub fn margins(z: Tensor<2>, codebook: Tensor<2>) -> Tensor<2> {
    let chunks = chunked(z.clone(), codebook, |distances| {
        let first = distances.clone().argmin(1); // [rows, 1]
        let best = distances.clone().gather(1, first.clone());
        let far = best.full_like(1e30);
        let second = distances
            .scatter(1, first, far, IndexingUpdateOp::Add)
            .min_dim(1);
        Tensor::cat(vec![best, second], 1)
    });
    let norms = z.clone().mul(z).sum_dim(1); // [n, 1]
    (Tensor::cat(chunks, 0) + norms).clamp_min(0.0)
}

/// Runs `reduce` over `[rows, K]` blocks of ‖c‖² − 2 z·c. The omitted ‖z‖² is constant along a row,
/// so leaving it out changes no comparison and costs no precision.
fn chunked<T>(z: Tensor<2>, codebook: Tensor<2>, mut reduce: impl FnMut(Tensor<2>) -> T) -> Vec<T> {
    let [n, _] = z.dims();
    let [codes, _] = codebook.dims();
    let norms = codebook
        .clone()
        .mul(codebook.clone())
        .sum_dim(1)
        .reshape([1, codes]);
    let transposed = codebook.swap_dims(0, 1).mul_scalar(-2.0);
    let rows = (MAX_DISTANCES / codes).clamp(1, n.max(1));
    (0..n)
        .step_by(rows)
        .map(|start| {
            let z = z.clone().narrow(0, start, rows.min(n - start));
            reduce(z.matmul(transposed.clone()) + norms.clone())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    #[test]
    fn finds_the_nearest_and_both_distances() {
        let device = Device::flex();
        let codebook = Tensor::<2>::from_floats([[0.0, 0.0], [1.0, 0.0], [0.0, 3.0]], &device);
        let z = Tensor::<2>::from_floats([[0.9, 0.1], [0.0, 2.0], [-5.0, 0.0]], &device);
        let indices = nearest(z.clone(), codebook.clone()).into_data();
        assert_eq!(indices.iter::<i64>().collect::<Vec<_>>(), [1, 2, 0]);
        let margins: Vec<f32> = margins(z, codebook).into_data().iter().collect();
        for (got, want) in margins.iter().zip([0.02, 0.82, 1.0, 4.0, 25.0, 34.0]) {
            assert!((got - want).abs() < 1e-4, "{got} is not {want}");
        }
    }

    #[test]
    fn chunks_agree_with_one_search() {
        let device = Device::flex();
        // 64×64 codes on a grid. 3000 rows exceed the limit, so they take two chunks.
        let grid: Vec<f32> = (0..4096)
            .flat_map(|i| [(i % 64) as f32, (i / 64) as f32])
            .collect();
        let grid = Tensor::<2>::from_data(TensorData::new(grid, [4096, 2]), &device);
        let z = grid.clone().narrow(0, 0, 3000).add_scalar(0.25);
        let indices: Vec<i64> = nearest(z, grid).into_data().iter().collect();
        assert!(indices == (0..3000).collect::<Vec<_>>());
    }
}
