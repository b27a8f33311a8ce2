use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::{Conv2d, conv};

/// VQ-VAE's residual layer: ReLU, 3×3, ReLU, 1×1, plus the input.
///
/// Source: DeepMind `sonnet/src/nets/vqvae` example, `ResidualStack`.
#[derive(Module, Debug)]
pub struct ResidualLayer {
    conv_1: Conv2d,
    conv_2: Conv2d,
}

impl ResidualLayer {
    /// A layer over `hidden` channels, with `residual_hidden` channels inside.
    pub fn new(hidden: usize, residual_hidden: usize, device: &Device) -> Self {
        Self {
            conv_1: conv(hidden, residual_hidden, 3, device),
            conv_2: conv(residual_hidden, hidden, 1, device),
        }
    }

    /// # Shapes
    /// - input and output: `[batch, hidden, height, width]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let h = relu(self.conv_1.forward(relu(x.clone())));
        x + self.conv_2.forward(h)
    }
}

/// Applies residual layers in sequence, then a ReLU.
///
/// # Shapes
/// - input and output: `[batch, hidden, height, width]`
pub fn residual_stack(layers: &[ResidualLayer], x: Tensor<4>) -> Tensor<4> {
    relu(layers.iter().fold(x, |x, layer| layer.forward(x)))
}
