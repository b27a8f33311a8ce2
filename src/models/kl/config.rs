use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::fields::yes;
use crate::models::{Geometry, LatentScale};
use crate::nn::NetworkConfig;
use crate::nn::cost::{conv, network};

/// Latent diffusion's autoencoder: VQ-GAN's encoder and decoder with a Gaussian latent and no
/// codebook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KlConfig {
    /// The encoder and decoder; in JSON its fields are at the same level as the others.
    #[serde(flatten)]
    pub network: NetworkConfig,
    /// Channels of the latent; equal to `z_channels` without `quant_conv`.
    pub embed_dim: usize,
    /// Whether 1×1 convolutions connect the encoder and decoder to the latent.
    #[serde(default = "yes")]
    pub quant_conv: bool,
    /// Factor that scales latents for a generative model, named as in diffusers; see
    /// [`LatentScale`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling_factor: Option<f32>,
    /// Offset subtracted from latents before scaling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift_factor: Option<f32>,
}

impl Geometry for KlConfig {
    fn factor(&self) -> usize {
        self.network.factor()
    }

    fn grids(&self) -> Vec<usize> {
        Vec::new()
    }

    fn codes(&self) -> usize {
        0
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

    fn network_macs(&self, latents: u64) -> Result<u64> {
        let (z, dim) = (self.network.z_channels, self.embed_dim);
        let around = if self.quant_conv {
            conv(latents, 2 * z, 2 * dim, 1) + conv(latents, dim, z, 1)
        } else {
            0
        };
        Ok(network(&self.network, 2 * z, latents)? + around)
    }

    fn latent_scale(&self) -> Option<LatentScale> {
        let given = self.scaling_factor.is_some() || self.shift_factor.is_some();
        given.then(|| LatentScale {
            scale: self.scaling_factor.unwrap_or(1.0),
            shift: self.shift_factor.unwrap_or(0.0),
        })
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
    fn a_gaussian_costs_its_convolutions_and_no_search() {
        let mut config = KlConfig::tiny();
        let with = config.macs(32, 32).unwrap();
        // 8×8 latents: 8 to 4 and 2 to 4 channels.
        config.quant_conv = false;
        assert_eq!(with - config.macs(32, 32).unwrap(), 64 * (8 * 4 + 2 * 4));
    }
}
