use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::Linear;
use crate::kernels::silu;

/// Adaptive layer normalisation: a condition gives `N` vectors that shift, scale and gate a layer.
/// Begins at zero, so that it has no effect at first.
///
/// Source: Peebles and Xie 2022, <https://arxiv.org/abs/2212.09748>, section 3.2, "adaLN-Zero".
#[derive(Module, Debug)]
pub struct Modulation {
    linear: Linear,
}

impl Modulation {
    /// For conditions and layers of `width`, with `count` vectors.
    pub fn new(width: usize, count: usize, device: &Device) -> Self {
        Self {
            linear: Linear::zeros(width, count * width, device),
        }
    }

    /// The vectors, `[batch, 1, width]` each, for conditions `[batch, width]`.
    pub fn forward<const N: usize>(&self, condition: Tensor<2>) -> [Tensor<3>; N] {
        let [batch, width] = condition.dims();
        let vectors = self.linear.forward(silu(condition));
        let vectors = vectors.reshape([batch, N, width]);
        std::array::from_fn(|i| vectors.clone().narrow(1, i, 1))
    }
}
