//! VQ-GAN, and models that share its layers: MoVQ and MaskGIT's tokenizer.

mod config;
mod network;

pub use config::{QuantizerKind, VqGanConfig};
pub use network::{VqGan, VqGanDecoder, VqGanEncoder, VqGanQuantizer};

use burn::tensor::Device;

use crate::error::{Error, Result};
use crate::fields::codebook;
use crate::models::{Kind, Part};
use crate::nn::{Layers, NetworkConfig};

impl VqGanConfig {
    fn preset(network: NetworkConfig, n_embed: usize) -> Self {
        Self {
            embed_dim: network.z_channels,
            n_embed,
            quantizer: QuantizerKind::Vq,
            network,
        }
    }

    fn tiny() -> Self {
        Self::preset(NetworkConfig::small(4, &[1, 2, 2], 8, 2), 32)
    }
}

impl Kind for VqGanConfig {
    const NAME: &'static str = "vqgan";
    type Network = VqGan;

    fn example() -> Self {
        let tiny = Self::tiny();
        Self {
            network: tiny.network.with_optional_fields(),
            ..tiny
        }
    }

    /// | name | description |
    /// |---|---|
    /// | `photos-f8` | the shipped photo model: factor 8, K 2048 |
    /// | `vqgan-tiny` | a few thousand parameters, for tests |
    /// | `imagenet-f16-1024`, `imagenet-f16-16384` | taming-transformers' published ImageNet models |
    /// | `ldm-vq-f8` | latent-diffusion's VQ first stage: factor 8, K 16384 |
    fn presets() -> Vec<(&'static str, Self)> {
        let imagenet = || NetworkConfig::published(&[1, 1, 2, 2, 4], &[16], 256);
        let photos = NetworkConfig::small(8, &[2, 4, 8, 16], 64, 8);
        let ldm = NetworkConfig::published(&[1, 2, 2, 4], &[32], 4);
        vec![
            ("photos-f8", Self::preset(photos, 2048)),
            ("vqgan-tiny", Self::tiny()),
            ("imagenet-f16-1024", Self::preset(imagenet(), 1024)),
            ("imagenet-f16-16384", Self::preset(imagenet(), 16384)),
            ("ldm-vq-f8", Self::preset(ldm, 16384)),
        ]
    }

    fn validate(&self) -> Result<()> {
        codebook(self.n_embed, self.embed_dim)?;
        self.network.validate()?;
        if self.network.layers == Layers::MaskGit && self.embed_dim != self.network.z_channels {
            return Err(Error::ConfigInvalid(format!(
                "`embed_dim` is {}, but with MaskGIT's layers it must equal `z_channels`, {}",
                self.embed_dim, self.network.z_channels
            )));
        }
        Ok(())
    }

    fn network(&self, device: &Device) -> Result<VqGan> {
        VqGan::new(self, device)
    }

    fn part(tensor: &str) -> Option<Part> {
        Some(match tensor.split('.').next()? {
            "encoder" | "quant_conv" => Part::Encoder,
            "quantize" => Part::Codebook,
            "decoder" | "post_quant_conv" => Part::Decoder,
            _ => return None,
        })
    }
}
