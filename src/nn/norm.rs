use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{GroupNorm, GroupNormConfig};
use burn::tensor::{Device, Tensor};

use super::conv;
use super::resample::resize;

/// How a network normalises: what its blocks need to build their normalisations.
pub trait Normalise: Copy {
    /// The normalisation that it builds.
    type Layer;

    /// A normalisation over `channels`.
    fn init(&self, channels: usize, device: &Device) -> Self::Layer;
}

/// Group normalisation, with the groups and ε that a model has everywhere.
#[derive(Debug, Clone, Copy)]
pub struct Norm {
    /// Number of groups; divides every width.
    pub groups: usize,
    /// Added to the variance.
    pub eps: f64,
}

impl Normalise for Norm {
    type Layer = GroupNorm;

    fn init(&self, channels: usize, device: &Device) -> GroupNorm {
        GroupNormConfig::new(self.groups, channels)
            .with_epsilon(self.eps)
            .init(device)
    }
}

/// Spatial normalisation by a latent with so many channels.
#[derive(Debug, Clone, Copy)]
pub struct Spatial {
    /// Channels of the latent.
    pub latent: usize,
}

impl Spatial {
    /// Groups and ε of every published model, whatever its encoder has.
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

/// Group normalisation whose scale and shift at each position come from the quantized latent there:
/// norm(x) · y + b, where y and b are 1×1 convolutions of the latent at the features' size.
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
    /// - `z_q`: `[batch, latent, rows, columns]`, enlarged by repeating
    pub fn forward(&self, x: Tensor<4>, z_q: &Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = x.dims();
        // A 1×1 convolution and repetition may change places, and the latent is small.
        let of = |conv: &Conv2d| resize(conv.forward(z_q.clone()), height, width);
        self.norm_layer.forward(x) * of(&self.conv_y) + of(&self.conv_b)
    }
}
