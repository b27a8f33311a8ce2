//! VQ-VAE-2.

mod config;
mod network;

pub use config::VqVae2Config;
pub use network::VqVae2;

use burn::tensor::Device;

use crate::error::Result;
use crate::fields::{codebook, input_range, residual_layers, rgb_only, signed};
use crate::models::{Kind, Part};

impl VqVae2Config {
    fn preset(hidden: usize, residual_hidden: usize, embed_dim: usize, n_embed: usize) -> Self {
        Self {
            in_channels: 3,
            hidden,
            residual_hidden,
            residual_layers: 2,
            embed_dim,
            n_embed,
            input: signed(),
        }
    }
}

impl Kind for VqVae2Config {
    const NAME: &'static str = "vqvae2";
    type Network = VqVae2;

    fn example() -> Self {
        Self::preset(16, 8, 8, 32)
    }

    /// | name | description |
    /// |---|---|
    /// | `vqvae2-tiny` | a few thousand parameters, for tests |
    /// | `vqvae2-256` | Razavi 2019 as in rosinality's code: factors 8 and 4, K 512 |
    fn presets() -> Vec<(&'static str, Self)> {
        vec![
            ("vqvae2-tiny", Self::example()),
            ("vqvae2-256", Self::preset(128, 32, 64, 512)),
        ]
    }

    fn validate(&self) -> Result<()> {
        input_range(self.input)?;
        codebook(self.n_embed, self.embed_dim)?;
        rgb_only("in_channels", self.in_channels)?;
        residual_layers(self.hidden, self.residual_hidden, self.residual_layers)
    }

    fn network(&self, device: &Device) -> Result<VqVae2> {
        Ok(VqVae2::new(self, device))
    }

    fn part(tensor: &str) -> Option<Part> {
        Some(match tensor.split('.').next()? {
            // `dec_t` takes part in choosing the bottom codes.
            "enc_b" | "enc_t" | "dec_t" | "quantize_conv_t" | "quantize_conv_b" => Part::Encoder,
            "quantize_t" | "quantize_b" => Part::Codebook,
            "dec" | "upsample_t" => Part::Decoder,
            _ => return None,
        })
    }
}
