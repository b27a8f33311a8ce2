use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};

use super::{Conv2d, GroupNorm, Normalise, conv};

/// Maximum elements of a score matrix: 64 MiB of f32, half of WebGPU's guaranteed binding size.
const MAX_SCORES: usize = 1 << 24;

/// Single-head self-attention over all positions, with a residual connection.
///
/// Source: taming-transformers `AttnBlock`: scale C^−½, 1×1 convolutions for q, k, v and the
/// output.
#[derive(Module, Debug)]
pub struct AttnBlock<N = GroupNorm> {
    norm: N,
    q: Conv2d,
    k: Conv2d,
    v: Conv2d,
    proj_out: Conv2d,
}

impl<N> AttnBlock<N> {
    /// Attention over `channels`.
    pub fn new(channels: usize, norm: impl Normalise<Layer = N>, device: &Device) -> Self {
        Self {
            norm: norm.init(channels, device),
            q: conv(channels, channels, 1, device),
            k: conv(channels, channels, 1, device),
            v: conv(channels, channels, 1, device),
            proj_out: conv(channels, channels, 1, device),
        }
    }

    /// Like [`AttnBlock::forward`], with `norm` applying the normalisation.
    pub fn forward_by(&self, x: Tensor<4>, norm: impl Fn(&N, Tensor<4>) -> Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        let positions = height * width;
        let flat = |t: Tensor<4>| t.reshape([batch, channels, positions]);

        let h = norm(&self.norm, x.clone());
        let q = flat(self.q.forward(h.clone())).swap_dims(1, 2); // [batch, positions, channels]
        let k = flat(self.k.forward(h.clone())); // [batch, channels, positions]
        let v = flat(self.v.forward(h)).swap_dims(1, 2); // [batch, positions, channels]

        let q = q.mul_scalar((channels as f64).powf(-0.5));
        let rows = (MAX_SCORES / (batch * positions)).clamp(1, positions);
        let chunks = (0..positions)
            .step_by(rows)
            .map(|start| {
                let q = q.clone().narrow(1, start, rows.min(positions - start));
                softmax(q.matmul(k.clone()), 2).matmul(v.clone())
            })
            .collect();
        let h = Tensor::cat(chunks, 1).swap_dims(1, 2); // [batch, channels, positions]
        x + self
            .proj_out
            .forward(h.reshape([batch, channels, height, width]))
    }
}

impl AttnBlock {
    /// Queries are processed in chunks, so memory grows linearly with the number of positions
    /// instead of quadratically.
    ///
    /// # Shapes
    /// - input and output: `[batch, channels, height, width]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.forward_by(x, GroupNorm::forward)
    }
}
