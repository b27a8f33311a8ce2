//! VQ-VAE.

mod config;
mod network;

pub use config::VqVaeConfig;
pub(super) use network::{Residuals, doubling};
pub use network::{VqVae, VqVaeDecoder, VqVaeEncoder};

use burn::tensor::Device;

use crate::error::Result;
use crate::fields::{
    MAX_LEVELS, centred, codebook, input_range, residual_layers, rgb_only, within,
};
use crate::models::{Kind, Part};

impl VqVaeConfig {
    fn preset(hidden: usize, residual_hidden: usize, embed_dim: usize, n_embed: usize) -> Self {
        Self {
            in_channels: 3,
            hidden,
            residual_hidden,
            residual_layers: 2,
            downsamplings: 2,
            embed_dim,
            n_embed,
            input: centred(),
        }
    }
}

impl Kind for VqVaeConfig {
    const NAME: &'static str = "vqvae";
    type Network = VqVae;

    fn example() -> Self {
        Self::preset(16, 8, 8, 32)
    }

    /// | name | description |
    /// |---|---|
    /// | `vqvae-tiny` | a few thousand parameters, for tests |
    /// | `vqvae-cifar` | van den Oord 2017 as in sonnet's example: factor 4, K 512 |
    fn presets() -> Vec<(&'static str, Self)> {
        vec![
            ("vqvae-tiny", Self::example()),
            ("vqvae-cifar", Self::preset(128, 32, 64, 512)),
        ]
    }

    fn validate(&self) -> Result<()> {
        input_range(self.input)?;
        codebook(self.n_embed, self.embed_dim)?;
        rgb_only("in_channels", self.in_channels)?;
        residual_layers(self.hidden, self.residual_hidden, self.residual_layers)?;
        within("downsamplings", self.downsamplings, MAX_LEVELS)
    }

    fn network(&self, device: &Device) -> Result<VqVae> {
        Ok(VqVae::new(self, device))
    }

    fn part(tensor: &str) -> Option<Part> {
        Some(match tensor.split('.').next()? {
            "encoder" | "pre_quant" => Part::Encoder,
            "quantize" => Part::Codebook,
            "decoder" => Part::Decoder,
            _ => return None,
        })
    }
}
