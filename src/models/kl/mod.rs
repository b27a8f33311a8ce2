//! AutoencoderKL.

mod config;
mod network;

pub use config::KlConfig;
pub use network::Kl;

use burn::tensor::Device;

use crate::error::{Error, Result};
use crate::fields::{MAX_WIDTH, within};
use crate::models::{Kind, Part};
use crate::nn::NetworkConfig;

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
                "`layers` and `decoder_norm` can be set for a VQ-GAN only".into(),
            ));
        }
        if !self.quant_conv && self.embed_dim != self.network.z_channels {
            return Err(Error::ConfigInvalid(format!(
                "`embed_dim` is {}, but without `quant_conv` it must equal `z_channels`, {}",
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
