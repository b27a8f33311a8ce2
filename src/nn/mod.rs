//! Layers of the models, one a file. Field names are the published checkpoints' names.

mod attention;
mod decoder;
mod encoder;
mod maskgit;
mod norm;
mod resample;
mod residual;
mod resnet;

pub use attention::AttnBlock;
pub use decoder::{Decoder, UpLevel};
pub use encoder::{DownLevel, Encoder, Middle};
pub use maskgit::{MaskGitBlock, MaskGitDecoder, MaskGitDown, MaskGitEncoder, MaskGitUp};
pub use norm::{Norm, Normalise, Spatial, SpatialNorm};
pub use resample::{Downsample, Upsample};
pub use residual::{ResidualLayer, residual_stack};
pub use resnet::ResnetBlock;

use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::Device;

/// A square convolution of odd side `kernel` that keeps the picture's size.
pub fn conv(from: usize, to: usize, kernel: usize, device: &Device) -> Conv2d {
    same(from, to, kernel).init(device)
}

/// As [`conv`], without a bias.
pub fn conv_without_bias(from: usize, to: usize, kernel: usize, device: &Device) -> Conv2d {
    same(from, to, kernel).with_bias(false).init(device)
}

fn same(from: usize, to: usize, kernel: usize) -> Conv2dConfig {
    let pad = kernel / 2;
    Conv2dConfig::new([from, to], [kernel, kernel])
        .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
}
