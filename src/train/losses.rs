//! The terms that training makes small, each the mean over a batch, `[1]`.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;

use crate::nn::halve;

/// Scales at which pictures are compared; each halves the sides of the one before.
const SCALES: usize = 3;

/// Side of the windows of [`texture_difference`], and the step from one to the next.
const WINDOW: usize = 8;
const WINDOW_STEP: usize = 4;

/// Keeps the square root's slope finite where a window is flat.
const FLAT: f32 = 1e-5;

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
    let mut total = slopes(&error);
    let mut scales = 1;
    while scales < SCALES && error.dims()[2..].iter().all(|side| *side >= 4) {
        error = halve(error);
        total = total + slopes(&error);
        scales += 1;
    }
    total.div_scalar(scales as f32)
}

/// Mean absolute finite difference, in both directions.
fn slopes(x: &Tensor<4>) -> Tensor<1> {
    (differences(x, 2).abs().mean() + differences(x, 3).abs().mean()).mul_scalar(0.5)
}

/// Each value's difference to the next along an axis.
fn differences(x: &Tensor<4>, axis: usize) -> Tensor<4> {
    let length = x.dims()[axis] - 1;
    x.clone().narrow(axis, 1, length) - x.clone().narrow(axis, 0, length)
}

/// Mean squared difference between how much the two pictures vary in each window: the root of the
/// mean square of their finite differences there. At full, half and quarter size, windows of 8×8
/// every 4 pixels. Where exactly an edge or a hair lies does not matter, and so blurring, which
/// every difference of pixels rewards where a detail's place is not known, costs instead.
///
/// Source: the comparison of contrast in SSIM (Wang et al. 2004, section III-B), of finite
/// differences instead of pixels, and as a difference.
pub fn texture_difference(a: Tensor<4>, b: Tensor<4>) -> Tensor<1> {
    let [mut a, mut b] = [a, b];
    let mut total = (contrast(&a) - contrast(&b)).square().mean();
    let mut scales = 1;
    while scales < SCALES && a.dims()[2..].iter().all(|side| *side > 2 * WINDOW) {
        [a, b] = [halve(a), halve(b)];
        total = total + (contrast(&a) - contrast(&b)).square().mean();
        scales += 1;
    }
    total.div_scalar(scales as f32)
}

/// The root of the mean square of the finite differences in each window, channel by channel.
fn contrast(x: &Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let down = differences(x, 2).narrow(3, 0, width - 1);
    let right = differences(x, 3).narrow(2, 0, height - 1);
    let energy = (down.square() + right.square()).mul_scalar(0.5);
    let window = [WINDOW.min(height - 1), WINDOW.min(width - 1)];
    let options = AvgPoolOptions::new(window).with_stride([WINDOW_STEP; 2]);
    avg_pool2d(energy, options).add_scalar(FLAT).sqrt()
}
