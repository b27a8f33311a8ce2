//! The terms that training makes small, each the mean over a batch, `[1]`.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;

use crate::nn::halve;

/// Scales at which [`gradient_difference`] compares; each halves the sides of the one before.
const SCALES: usize = 3;

/// Keeps the adaptive weight finite where the adversarial gradient vanishes, and bounds it, as in
/// taming-transformers.
const WEIGHT_EPSILON: f32 = 1e-4;
const LARGEST_WEIGHT: f32 = 1e4;

/// What a discriminator makes small: real pictures' logits are to be above 1, others' below −1.
///
/// Source: Lim and Ye 2017, <https://arxiv.org/abs/1705.02894>; taming-transformers
/// `modules/losses/vqperceptual.py`, `hinge_d_loss`.
pub fn hinge(real: Tensor<4>, fake: Tensor<4>) -> Tensor<1> {
    let real = relu(real.neg().add_scalar(1.0)).mean();
    let fake = relu(fake.add_scalar(1.0)).mean();
    (real + fake).mul_scalar(0.5)
}

/// What a generator makes small under [`hinge`]: the discriminator's logits, negated.
pub fn adversarial(fake: Tensor<4>) -> Tensor<1> {
    fake.mean().neg()
}

/// VQ-GAN's λ, `[1]`: by how much the adversarial gradient is to be scaled to be as long as the
/// reconstruction's, both at the weights of the decoder's last layer.
///
/// Source: Esser et al. 2021, equation 7; taming-transformers `calculate_adaptive_weight`.
pub fn adaptive_weight(reconstruction: Tensor<4>, adversarial: Tensor<4>) -> Tensor<1> {
    let length = |gradient: Tensor<4>| gradient.square().sum().sqrt();
    let weight = length(reconstruction) / length(adversarial).add_scalar(WEIGHT_EPSILON);
    weight.clamp(0.0, LARGEST_WEIGHT)
}

/// Mean absolute difference between the layers of a discriminator, or of any network, on two
/// batches; each layer counts the same.
///
/// Source: Wang et al. 2018, <https://arxiv.org/abs/1711.11585>, equation 4.
pub fn feature_difference(a: &[Tensor<4>], b: &[Tensor<4>]) -> Option<Tensor<1>> {
    let each = a.iter().zip(b);
    let layers = a.len().min(b.len()) as f32;
    each.map(|(a, b)| (a.clone() - b.clone()).abs().mean())
        .reduce(|sum, difference| sum + difference)
        .map(|sum| sum.div_scalar(layers))
}

/// Mean absolute difference between the pictures' finite differences to the right and downwards, at
/// full, half and quarter size: edges and texture weigh more than in a difference of pixels. Stands
/// in for LPIPS where its weights are not at hand.
///
/// Source: Mathieu et al. 2015, <https://arxiv.org/abs/1511.05440>, equation 6, at several scales.
pub fn gradient_difference(a: Tensor<4>, b: Tensor<4>) -> Tensor<1> {
    let mut error = a - b;
    let mut total = slopes(error.clone());
    let mut scales = 1;
    while scales < SCALES && error.dims()[2..].iter().all(|side| *side >= 4) {
        error = halve(error);
        total = total + slopes(error.clone());
        scales += 1;
    }
    total.div_scalar(scales as f32)
}

/// Mean absolute finite difference, in both directions.
fn slopes(x: Tensor<4>) -> Tensor<1> {
    let along = |axis: usize| {
        let length = x.dims()[axis];
        let next = x.clone().narrow(axis, 1, length - 1);
        (next - x.clone().narrow(axis, 0, length - 1)).abs().mean()
    };
    (along(2) + along(3)).mul_scalar(0.5)
}
