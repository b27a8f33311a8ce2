use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

use super::resample::resize;
use super::{Conv2d, conv};
use crate::kernels::group_norm;

/// Group normalisation with a per-channel scale and shift: Burn's layer, running on this crate's
/// own kernels.
#[derive(Module, Debug)]
pub struct GroupNorm {
    gamma: Param<Tensor<1>>,
    beta: Param<Tensor<1>>,
    groups: usize,
    eps: f32,
}

impl GroupNorm {
    /// # Shapes
    /// - input and output: `[batch, channels, height, width]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let (gamma, beta) = (self.gamma.val(), self.beta.val());
        group_norm(x, gamma, beta, self.groups, self.eps)
    }
}

/// How a network builds the normalisation layers of its blocks.
pub trait Normalise: Copy {
    /// The type of layer.
    type Layer;

    /// A normalisation layer over `channels` channels.
    fn init(&self, channels: usize, device: &Device) -> Self::Layer;
}

/// Group normalisation with the groups and ε used throughout a model.
#[derive(Debug, Clone, Copy)]
pub struct Norm {
    /// Number of groups; must divide every channel count.
    pub groups: usize,
    /// Added to the variance.
    pub eps: f64,
}

impl Normalise for Norm {
    type Layer = GroupNorm;

    fn init(&self, channels: usize, device: &Device) -> GroupNorm {
        GroupNorm {
            gamma: Initializer::Ones.init([channels], device),
            beta: Initializer::Zeros.init([channels], device),
            groups: self.groups,
            eps: self.eps as f32,
        }
    }
}

/// Spatial normalisation by a latent.
#[derive(Debug, Clone, Copy)]
pub struct Spatial {
    /// Number of latent channels.
    pub latent: usize,
}

impl Spatial {
    /// Groups and ε of every published model, regardless of its encoder's.
    pub const NORM: Norm = Norm {
        groups: 32,
        eps: 1e-6,
    };
}

impl Normalise for Spatial {
    type Layer = SpatialNorm;

    fn init(&self, channels: usize, device: &Device) -> SpatialNorm {
        SpatialNorm {
            norm_layer: Self::NORM.init(channels, device),
            conv_y: conv(self.latent, channels, 1, device),
            conv_b: conv(self.latent, channels, 1, device),
        }
    }
}

/// Group normalisation with scale and shift computed from the quantized latent at each position:
/// norm(x) · y + b, where y and b are 1×1 convolutions of the latent, resized to match the
/// features.
///
/// Source: Zheng et al. 2022, <https://arxiv.org/abs/2209.09002>; diffusers `SpatialNorm`.
#[derive(Module, Debug)]
pub struct SpatialNorm {
    norm_layer: GroupNorm,
    conv_y: Conv2d,
    conv_b: Conv2d,
}

impl SpatialNorm {
    /// # Shapes
    /// - `x` and output: `[batch, channels, height, width]`
    /// - `z_q`: `[batch, latent, rows, columns]`, resized by nearest neighbour
    pub fn forward(&self, x: Tensor<4>, z_q: &Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = x.dims();
        // A 1×1 convolution commutes with repetition, and the latent is smaller.
        let of = |conv: &Conv2d| resize(conv.forward(z_q.clone()), height, width);
        self.norm_layer.forward(x) * of(&self.conv_y) + of(&self.conv_b)
    }
}
