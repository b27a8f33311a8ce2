//! Loss terms, each averaged over the batch, `[1]`.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;

use crate::nn::halve;

/// Scales at which images are compared; each halves height and width.
const SCALES: usize = 3;

/// Window side of [`texture_difference`], and the stride between windows.
const WINDOW: usize = 8;
const WINDOW_STEP: usize = 4;

/// Keeps the square root's derivative finite where a window is flat.
const FLAT: f32 = 1e-5;

/// Keeps the adaptive weight finite when the adversarial gradient vanishes, and bounds it, as in
/// taming-transformers.
const WEIGHT_EPSILON: f32 = 1e-4;
const LARGEST_WEIGHT: f32 = 1e4;

/// The discriminator's hinge loss: real logits should exceed 1, fake ones stay below −1.
///
/// Source: Lim and Ye 2017, <https://arxiv.org/abs/1705.02894>; taming-transformers
/// `modules/losses/vqperceptual.py`, `hinge_d_loss`.
pub fn hinge(real: Tensor<4>, fake: Tensor<4>) -> Tensor<1> {
    let real = relu(real.neg().add_scalar(1.0)).mean();
    let fake = relu(fake.add_scalar(1.0)).mean();
    (real + fake).mul_scalar(0.5)
}

/// The generator's loss under [`hinge`]: the negated logits.
pub fn adversarial(fake: Tensor<4>) -> Tensor<1> {
    fake.mean().neg()
}

/// VQ-GAN's λ, `[1]`: the ratio of the norms of the reconstruction and adversarial gradients at the
/// weights of the decoder's last layer.
///
/// Source: Esser et al. 2021, equation 7; taming-transformers `calculate_adaptive_weight`.
pub fn adaptive_weight(reconstruction: Tensor<4>, adversarial: Tensor<4>) -> Tensor<1> {
    let length = |gradient: Tensor<4>| gradient.square().sum().sqrt();
    let weight = length(reconstruction) / length(adversarial).add_scalar(WEIGHT_EPSILON);
    weight.clamp(0.0, LARGEST_WEIGHT)
}

/// Feature matching: mean absolute difference between a network's activations on two batches, each
/// layer weighted equally.
///
/// Source: Wang et al. 2018, <https://arxiv.org/abs/1711.11585>, equation 4.
pub fn feature_difference(a: &[Tensor<4>], b: &[Tensor<4>]) -> Option<Tensor<1>> {
    let each = a.iter().zip(b);
    let layers = a.len().min(b.len()) as f32;
    each.map(|(a, b)| (a.clone() - b.clone()).abs().mean())
        .reduce(|sum, difference| sum + difference)
        .map(|sum| sum.div_scalar(layers))
}

/// Mean absolute difference between the images' horizontal and vertical finite differences, at
/// full, half and quarter size: it weighs edges and texture more than a pixel loss does. A
/// substitute for LPIPS when its weights are not available.
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

/// Differences between neighbouring values along an axis.
fn differences(x: &Tensor<4>, axis: usize) -> Tensor<4> {
    let length = x.dims()[axis] - 1;
    x.clone().narrow(axis, 1, length) - x.clone().narrow(axis, 0, length)
}

/// Mean squared difference in local contrast: the RMS of finite differences in each 8×8 window,
/// every 4 pixels, at full, half and quarter size. The exact position of an edge or a hair does not
/// matter, so this penalises blur, which pixel losses reward when a detail's position is uncertain.
///
/// Source: the contrast term of SSIM (Wang et al. 2004, section III-B), on finite differences
/// instead of pixels, as a difference.
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

/// RMS of the finite differences in each window, per channel.
fn contrast(x: &Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let down = differences(x, 2).narrow(3, 0, width - 1);
    let right = differences(x, 3).narrow(2, 0, height - 1);
    let energy = (down.square() + right.square()).mul_scalar(0.5);
    let window = [WINDOW.min(height - 1), WINDOW.min(width - 1)];
    let options = AvgPoolOptions::new(window).with_stride([WINDOW_STEP; 2]);
    avg_pool2d(energy, options).add_scalar(FLAT).sqrt()
}
