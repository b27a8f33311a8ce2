use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::VqGan;
use crate::error::{Error, Result};
use crate::fields::codebook;
use crate::models::{Geometry, Kind, Part};
use crate::nn::cost::{conv, network, spatial};
use crate::nn::{DecoderNorm, Layers, NetworkConfig};

/// How VQ-GAN quantizes latents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuantizerKind {
    /// Nearest codebook entry (taming-transformers `VectorQuantizer2`).
    #[default]
    Vq,
    /// Nearest codebook entry on the unit sphere: latents and entries are L2-normalised, as in
    /// LlamaGen's tokenizer and ViT-VQGAN (Yu et al. 2021, <https://arxiv.org/abs/2110.04627>).
    Cosine,
    /// Argmax of learned logits (taming-transformers `GumbelQuantize`).
    Gumbel,
}

/// VQ-GAN's encoder, codebook and decoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VqGanConfig {
    /// The encoder and decoder; in JSON its fields are at the same level as the others.
    #[serde(flatten)]
    pub network: NetworkConfig,
    /// Width of a codebook entry.
    pub embed_dim: usize,
    /// Number of codebook entries, K.
    pub n_embed: usize,
    /// How latents are quantized.
    #[serde(default)]
    pub quantizer: QuantizerKind,
}

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
    /// | `photos-f8` | the shipped photo model: factor 8, K 1024 |
    /// | `vqgan-tiny` | a few thousand parameters, for tests |
    /// | `imagenet-f16-1024`, `imagenet-f16-16384` | taming-transformers' published ImageNet models |
    /// | `ldm-vq-f8` | latent-diffusion's VQ first stage: factor 8, K 16384 |
    fn presets() -> Vec<(&'static str, Self)> {
        let imagenet = || NetworkConfig::published(&[1, 1, 2, 2, 4], &[16], 256);
        let photos = NetworkConfig::small(8, &[2, 4, 8, 16], 64, 8);
        let ldm = NetworkConfig::published(&[1, 2, 2, 4], &[32], 4);
        vec![
            ("photos-f8", Self::preset(photos, 1024)),
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
                "`embed_dim` is {}, but with MaskGIT's layers it is `z_channels`, {}",
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

impl Geometry for VqGanConfig {
    fn factor(&self) -> usize {
        self.network.factor()
    }

    fn codes(&self) -> usize {
        self.n_embed
    }

    fn embed_dim(&self) -> usize {
        self.embed_dim
    }

    fn input_range(&self) -> [f32; 2] {
        self.network.input
    }

    fn input_range_mut(&mut self) -> &mut [f32; 2] {
        &mut self.network.input
    }

    fn widest(&self) -> Result<usize> {
        self.network.widest()
    }

    fn network_macs(&self, tokens: u64) -> Result<u64> {
        let z = self.network.z_channels;
        let around = match self.network.layers {
            Layers::Taming => 2 * conv(tokens, z, self.embed_dim, 1),
            Layers::MaskGit => 0,
        };
        let norms = match self.network.decoder_norm {
            DecoderNorm::Group => 0,
            DecoderNorm::Spatial => spatial(&self.network, self.embed_dim, tokens)?,
        };
        Ok(network(&self.network, z, tokens)? + around + norms)
    }

    fn network_config(&self) -> Option<&NetworkConfig> {
        Some(&self.network)
    }

    fn network_config_mut(&mut self) -> Option<&mut NetworkConfig> {
        Some(&mut self.network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_layers_small_enough_to_count_by_hand() {
        let mut config = VqGanConfig::tiny();
        let macs = |config: &VqGanConfig| config.macs(2, 2).unwrap();
        config.network = NetworkConfig {
            ch: 1,
            ch_mult: vec![1, 2],
            attn_resolutions: vec![128],
            z_channels: 3,
            ..config.network
        };
        config.embed_dim = 3;
        // One token of 3 values. Coarse level: a middle of two blocks and attention, then two
        // blocks with attention, all 2 wide. Fine level: 2 to 1, then 1. Finally, the output norm.
        let group = macs(&config);
        let normed = (4 + 1) * 2 + 2 * (2 + 1) * 2 + (2 + 1) + (1 + 1) + 1;
        config.network.decoder_norm = DecoderNorm::Spatial;
        assert_eq!(macs(&config) - group, 2 * 3 * normed);

        config.network.decoder_norm = DecoderNorm::Group;
        config.network.layers = Layers::MaskGit;
        config.network.attn_resolutions.clear();
        config.network.mid_attention = false;
        // 4 pixels and 1 token. A block of width 2 takes 2·36 per position; 1 to 2 and 2 to 1 add a
        // shortcut of their output width.
        let encoder = 4 * 27 + 4 * 18 + (18 + 36 + 4) + 72 + 2 * 3;
        let decoder = 9 * 6 + 72 + 72 + 4 * 36 + 4 * (18 + 9 + 1) + 4 * 27;
        let search = 3 * config.n_embed as u64;
        assert_eq!(macs(&config), encoder + decoder + search);
    }

    #[test]
    fn the_shipped_model_is_interactive_on_a_cpu() {
        let (name, photos) = VqGanConfig::presets().swap_remove(0);
        assert_eq!(name, "photos-f8");
        assert!(photos.macs(256, 256).unwrap() <= 12_000_000_000);
    }
}
