//! Layers of the models, one a file. Field names are the published checkpoints' names.

mod attention;
mod decoder;
mod encoder;
mod resample;
mod residual;
mod resnet;

pub use attention::AttnBlock;
pub use decoder::{Decoder, UpLevel};
pub use encoder::{DownLevel, Encoder, Middle};
pub use resample::{Downsample, Upsample};
pub use residual::{ResidualLayer, residual_stack};
pub use resnet::ResnetBlock;

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{GroupNorm, GroupNormConfig, PaddingConfig2d};
use burn::tensor::Device;

/// A square convolution of odd side `kernel` that keeps the picture's size.
pub fn conv(from: usize, to: usize, kernel: usize, device: &Device) -> Conv2d {
    let pad = kernel / 2;
    Conv2dConfig::new([from, to], [kernel, kernel])
        .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
        .init(device)
}

/// How a model normalises: groups and ε of every group normalisation in it.
#[derive(Debug, Clone, Copy)]
pub struct Norm {
    /// Number of groups; divides every width.
    pub groups: usize,
    /// Added to the variance.
    pub eps: f64,
}

impl Norm {
    /// A group normalisation over `channels`.
    pub fn init(&self, channels: usize, device: &Device) -> GroupNorm {
        GroupNormConfig::new(self.groups, channels)
            .with_epsilon(self.eps)
            .init(device)
    }
}
