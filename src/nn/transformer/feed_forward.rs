use burn::module::Module;
use burn::tensor::activation::gelu;
use burn::tensor::{Device, Tensor};

use super::Linear;
use crate::kernels::silu;

/// A gated feed-forward layer: w2(SiLU(w1 x) · w3 x), without biases.
///
/// Source: Shazeer 2020, <https://arxiv.org/abs/2002.05202>; names as in Llama.
#[derive(Module, Debug)]
pub struct SwiGlu {
    w1: Linear,
    w2: Linear,
    w3: Linear,
}

impl SwiGlu {
    /// From and to `width`, `hidden` wide inside.
    pub fn new(width: usize, hidden: usize, device: &Device) -> Self {
        Self {
            w1: Linear::new(width, hidden, device),
            w2: Linear::new(hidden, width, device),
            w3: Linear::new(width, hidden, device),
        }
    }

    /// # Shapes
    /// - input and output: `[batch, n, width]`
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let gate = silu(self.w1.forward(x.clone()));
        self.w2.forward(gate * self.w3.forward(x))
    }
}

/// Linear, exact GELU, linear.
#[derive(Module, Debug)]
pub struct FeedForward {
    up: Linear,
    down: Linear,
}

impl FeedForward {
    /// From and to `width`, `hidden` wide inside.
    pub fn new(width: usize, hidden: usize, device: &Device) -> Self {
        Self {
            up: Linear::with_bias(width, hidden, device),
            down: Linear::with_bias(hidden, width, device),
        }
    }

    /// # Shapes
    /// - input and output: `[batch, n, width]`
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.down.forward(gelu(self.up.forward(x)))
    }
}
