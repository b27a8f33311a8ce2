use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::models::Geometry;
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
    use crate::models::Kind;

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
