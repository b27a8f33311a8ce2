use burn::tensor::{Int, Tensor};

use super::ema::assign;
use super::nearest;

/// Lloyd's algorithm, to initialise a codebook: without it most codes are never chosen and die
/// ("index collapse").
///
/// `start` contains the initial centres, usually latents sampled at random. A centre with no
/// assigned latents stays where it is.
///
/// # Shapes
/// - `z`: `[n, D]`, `start`: `[K, D]`
/// - output: `[K, D]`
///
/// # Examples
/// ```
/// # use burn::tensor::{Device, Tensor};
/// # use tesserae::quantize::kmeans;
/// let device = Device::flex();
/// let latents = Tensor::<2>::from_floats([[0.0], [1.0], [10.0], [12.0]], &device);
/// let start = Tensor::<2>::from_floats([[0.0], [12.0]], &device);
/// let centres: Vec<f32> = kmeans(latents, start, 5).into_data().iter().collect();
/// assert_eq!(centres, [0.5, 11.0]);
/// ```
pub fn kmeans(z: Tensor<2>, start: Tensor<2>, iterations: usize) -> Tensor<2> {
    let [codes, _] = start.dims();
    (0..iterations).fold(start, |centres, _| {
        let indices: Tensor<1, Int> = nearest(z.clone(), centres.clone());
        let (count, sum) = assign(z.clone(), indices, codes);
        let count = count.reshape([codes, 1]);
        let empty = count.clone().lower_elem(0.5).float();
        let mean = sum / count.clamp_min(1.0);
        centres * empty.clone() + mean * (empty.neg().add_scalar(1.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn centres_find_their_clusters_and_an_empty_one_stays() {
        let device = Device::flex();
        let z = Tensor::<2>::from_floats([[0.0], [1.0], [10.0], [12.0]], &device);
        let start = Tensor::<2>::from_floats([[0.0], [12.0], [1000.0]], &device);
        let centres: Vec<f32> = kmeans(z, start, 5).into_data().iter().collect();
        assert_eq!(centres, [0.5, 11.0, 1000.0]);
    }
}
