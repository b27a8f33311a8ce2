//! The models: what layers and quantizers add up to. Each kind is a folder, with its config, its
//! network and what it costs, and a line in a list: of the autoencoders in [`autoencoder`], or here.

pub mod autoencoder;
mod kind;
pub mod kl;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod toy;
pub mod vqgan;
pub mod vqvae;
pub mod vqvae2;

pub use autoencoder::{
    Autoencode, Autoencoder, AutoencoderConfig, Geometry, LatentScale, Pass, Quantizer,
};
pub use kind::{Config, Kind, Part};

pub use kl::{Kl, KlConfig};
pub use vqgan::{QuantizerKind, VqGan, VqGanConfig};
pub use vqvae::{VqVae, VqVaeConfig};
pub use vqvae2::{VqVae2, VqVae2Config};

use crate::error::{Error, Result};

kind::one_of! {
    /// The description of any model of this crate, which the command line, weight files and
    /// JavaScript share as JSON: a flat object whose field `kind` tells which kind it is.
    config ModelConfig,
    /// Any model of this crate.
    network Model,
    /// Pictures to latents and back.
    Autoencoder(AutoencoderConfig => Autoencoder),
    /// For tests of what every kind goes through.
    #[cfg(test)]
    Toy(toy::ToyConfig => toy::Toy),
}

impl ModelConfig {
    /// The config of an autoencoder.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] for a model of another kind.
    pub fn autoencoder(&self) -> Result<&AutoencoderConfig> {
        match self {
            Self::Autoencoder(config) => Ok(config),
            #[allow(unreachable_patterns)]
            other => Err(no_autoencoder(other.kind())),
        }
    }
}

impl From<AutoencoderConfig> for ModelConfig {
    fn from(config: AutoencoderConfig) -> Self {
        Self::Autoencoder(config)
    }
}

/// Says that an autoencoder is needed.
pub(crate) fn no_autoencoder(kind: &str) -> Error {
    Error::WeightsMismatch(format!("an autoencoder is needed, and this is a `{kind}`"))
}
