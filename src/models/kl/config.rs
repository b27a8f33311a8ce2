use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::Kl;
use crate::error::{Error, Result};
use crate::fields::{MAX_WIDTH, within, yes};
use crate::models::{Geometry, Kind, LatentScale, Part};
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

impl KlConfig {
    fn preset(network: NetworkConfig, embed_dim: usize) -> Self {
        Self {
            network,
            embed_dim,
            quant_conv: true,
            scaling_factor: None,
            shift_factor: None,
        }
    }

    fn tiny() -> Self {
        Self::preset(NetworkConfig::small(4, &[1, 2, 2], 4, 2), 2)
    }
}

impl Kind for KlConfig {
    const NAME: &'static str = "kl";
    type Network = Kl;

    fn example() -> Self {
        let tiny = Self::tiny();
        Self {
            network: tiny.network.with_optional_fields(),
            scaling_factor: Some(1.0),
            shift_factor: Some(0.0),
            ..tiny
        }
    }

    /// | name | description |
    /// |---|---|
    /// | `kl-tiny` | a few thousand parameters, for tests |
    /// | `kl-f8` | latent-diffusion's KL first stage, which Stable Diffusion uses |
    fn presets() -> Vec<(&'static str, Self)> {
        let f8 = NetworkConfig::published(&[1, 2, 4, 4], &[], 4);
        vec![("kl-tiny", Self::tiny()), ("kl-f8", Self::preset(f8, 4))]
    }

    fn validate(&self) -> Result<()> {
        within("embed_dim", self.embed_dim, MAX_WIDTH)?;
        self.network.validate()?;
        if (self.network.layers, self.network.decoder_norm) != Default::default() {
            return Err(Error::ConfigInvalid(
                "`layers` and `decoder_norm` are a VQ-GAN's to choose".into(),
            ));
        }
        if !self.quant_conv && self.embed_dim != self.network.z_channels {
            return Err(Error::ConfigInvalid(format!(
                "`embed_dim` is {}, but without `quant_conv` it is `z_channels`, {}",
                self.embed_dim, self.network.z_channels
            )));
        }
        if let Some(scale) = self.scaling_factor
            && !(scale.is_finite() && scale > 0.0)
        {
            return Err(Error::ConfigInvalid(
                "`scaling_factor` must be positive".into(),
            ));
        }
        if self.shift_factor.is_some_and(|shift| !shift.is_finite()) {
            return Err(Error::ConfigInvalid("`shift_factor` must be finite".into()));
        }
        Ok(())
    }

    fn network(&self, device: &Device) -> Result<Kl> {
        Kl::new(self, device)
    }

    fn part(tensor: &str) -> Option<Part> {
        Some(match tensor.split('.').next()? {
            "encoder" | "quant_conv" => Part::Encoder,
            "decoder" | "post_quant_conv" => Part::Decoder,
            _ => return None,
        })
    }

    fn architecture(&self) -> Self {
        Self {
            scaling_factor: None,
            shift_factor: None,
            ..self.clone()
        }
    }
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
