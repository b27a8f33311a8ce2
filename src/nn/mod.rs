//! Model layers, one per file. Field names match the published checkpoints.

mod attention;
mod condition;
mod conv;
pub(crate) mod cost;
mod decoder;
mod discriminator;
mod encoder;
mod features;
pub(crate) mod half;
mod lpips;
mod muse;
mod network;
mod norm;
mod projection;
mod resample;
mod residual;
mod resnet;
mod spectral;
pub mod transformer;
mod unet;

pub use attention::AttnBlock;
pub use condition::with_classes;
pub use conv::Conv2d;
pub use decoder::{Decoder, UpLevel};
pub use discriminator::{Discriminator, DiscriminatorConfig, PatchLayer};
pub use encoder::{DownLevel, Encoder, Middle};
pub use features::{FeatureNetwork, Inception, MobileNet};
pub use lpips::Lpips;
pub use muse::{MuseBlock, MuseDecoder, MuseDown, MuseEncoder, MuseUp};
pub use network::{DecoderConfig, DecoderNorm, Layers, NetworkConfig};
pub use norm::{GroupNorm, Norm, Normalise, Spatial, SpatialNorm};
pub use projection::ProjectionDiscriminator;
pub use resample::{Downsample, Upsample};
pub(crate) use resample::{double, double_smoothly, halve};
pub use residual::{ResidualLayer, residual_stack};
pub use resnet::ResnetBlock;
pub use spectral::spectral;
pub use unet::{UNet, UNetConfig, unet_macs};

use burn::nn::conv::ConvTranspose2d;
use burn::tensor::{Device, Tensor};

/// The layer that outputs the picture. VQ-GAN's adaptive weight compares the gradients of two
/// losses with respect to its weight.
#[derive(Debug, Clone, Copy)]
pub enum LastLayer<'a> {
    /// Keeps the resolution.
    Conv(&'a Conv2d),
    /// Doubles the resolution.
    Transposed(&'a ConvTranspose2d),
}

impl LastLayer<'_> {
    /// Maps features to the picture.
    pub fn forward(self, features: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Conv(conv) => conv.forward(features),
            Self::Transposed(conv) => conv.forward(features),
        }
    }

    /// The kernel.
    pub fn weight(self) -> Tensor<4> {
        match self {
            Self::Conv(conv) => conv.weight.val(),
            Self::Transposed(conv) => conv.weight.val(),
        }
    }
}

/// A convolution with an odd `kernel` size that preserves height and width.
pub fn conv(from: usize, to: usize, kernel: usize, device: &Device) -> Conv2d {
    let pad = kernel / 2;
    Conv2d::new([from, to], [kernel; 2], 1, [(pad, pad); 2], device)
}

/// Like [`conv`], without a bias.
pub fn conv_without_bias(from: usize, to: usize, kernel: usize, device: &Device) -> Conv2d {
    let mut conv = conv(from, to, kernel, device);
    conv.bias = None;
    conv
}
