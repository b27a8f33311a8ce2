use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::{Conv2d, GroupNorm, Normalise, conv};
use crate::kernels::silu;

/// VQ-GAN's residual block: norm, swish, 3×3, norm, swish, 3×3, plus the input.
///
/// Source: taming-transformers `ResnetBlock` (without dropout, which every published model sets
/// to 0).
#[derive(Module, Debug)]
pub struct ResnetBlock<N = GroupNorm> {
    norm1: N,
    conv1: Conv2d,
    norm2: N,
    conv2: Conv2d,
    /// 1×1; present only if the number of channels changes.
    nin_shortcut: Option<Conv2d>,
}

impl<N> ResnetBlock<N> {
    /// A block from `from` to `to` channels.
    pub fn new(from: usize, to: usize, norm: impl Normalise<Layer = N>, device: &Device) -> Self {
        Self {
            norm1: norm.init(from, device),
            conv1: conv(from, to, 3, device),
            norm2: norm.init(to, device),
            conv2: conv(to, to, 3, device),
            nin_shortcut: (from != to).then(|| conv(from, to, 1, device)),
        }
    }

    /// Like [`ResnetBlock::forward`], with `norm` applying the block's normalisations.
    pub fn forward_by(&self, x: Tensor<4>, norm: impl Fn(&N, Tensor<4>) -> Tensor<4>) -> Tensor<4> {
        let h = self.conv1.forward(silu(norm(&self.norm1, x.clone())));
        let h = self.conv2.forward(silu(norm(&self.norm2, h)));
        match &self.nin_shortcut {
            Some(shortcut) => shortcut.forward(x) + h,
            None => x + h,
        }
    }
}

impl ResnetBlock {
    /// # Shapes
    /// - input: `[batch, from, height, width]`
    /// - output: `[batch, to, height, width]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.forward_by(x, GroupNorm::forward)
    }
}
