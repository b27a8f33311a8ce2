use burn::tensor::{Device, Tensor};

use crate::random::noise;

/// Steps of the power iteration: started anew each time, so that training has no more state.
const ITERATIONS: usize = 8;
/// Seed of the vector that it starts from.
const SEED: u64 = 1;
const EPSILON: f32 = 1e-12;

/// A weight divided by its largest singular value, as a matrix with a row for each output.
///
/// Source: Miyato et al. 2018, <https://arxiv.org/abs/1802.05957>; unlike there, the power iteration
/// does not go on from the step before.
///
/// # Shapes
/// - input and output: `[out, …]`
pub fn spectral<const D: usize>(weight: Tensor<D>) -> Tensor<D> {
    let outputs = weight.dims()[0];
    let inputs = weight.shape().num_elements() / outputs.max(1);
    let matrix = weight.clone().reshape([outputs, inputs]);
    let fixed = matrix.clone().detach();
    let mut left = start(outputs, &weight.device());
    let mut right = unit(fixed.clone().transpose().matmul(left.clone()));
    for _ in 0..ITERATIONS {
        left = unit(fixed.clone().matmul(right));
        right = unit(fixed.clone().transpose().matmul(left.clone()));
    }
    let largest = left.transpose().matmul(matrix).matmul(right);
    weight / largest.reshape([1; D])
}

fn start(count: usize, device: &Device) -> Tensor<2> {
    Tensor::<1>::from_floats(noise(SEED, count).as_slice(), device).unsqueeze_dim(1)
}

fn unit(x: Tensor<2>) -> Tensor<2> {
    let length = x.clone().square().sum().sqrt().add_scalar(EPSILON);
    x / length.unsqueeze()
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::*;

    #[test]
    fn the_largest_singular_value_becomes_one() {
        let device = Device::flex();
        // Orthogonal columns of known lengths, then turned.
        let (angle, lengths) = (0.7_f32, [5.0, 2.0]);
        let (sine, cosine) = angle.sin_cos();
        let turn = [[cosine, -sine], [sine, cosine]];
        let stretched = [
            [turn[0][0] * lengths[0], turn[0][1] * lengths[1]],
            [turn[1][0] * lengths[0], turn[1][1] * lengths[1]],
        ];
        let weight = Tensor::<2>::from_floats(stretched, &device);
        let off = (spectral(weight.clone()) - weight.div_scalar(lengths[0])).abs();
        assert!(off.max().into_scalar::<f32>() < 1e-5);
    }

    #[test]
    fn no_direction_is_stretched() {
        let device = Device::flex();
        let spread = Distribution::Normal(0.0, 1.0);
        let weight = spectral(Tensor::<4>::random([8, 4, 3, 3], spread, &device));
        let x = Tensor::<2>::random([36, 64], spread, &device);
        let y = weight.reshape([8, 36]).matmul(x.clone());
        let length = |x: Tensor<2>| x.square().sum_dim(0).sqrt();
        let most = (length(y) / length(x)).max().into_scalar::<f32>();
        assert!(most <= 1.01, "{most}");
    }
}
