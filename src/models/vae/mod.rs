//! A variational autoencoder with one latent vector.

mod config;
mod network;

pub use config::VaeConfig;
pub use network::{Gaussian, Vae};

use burn::tensor::Device;

use super::{Kind, Part, makes_pictures};
use crate::error::{Error, Result};
use crate::fields::{MAX_CODES, MAX_SIDE, MAX_WIDTH, within};

impl Kind for VaeConfig {
    const NAME: &'static str = "vae";
    type Network = Vae;

    fn example() -> Self {
        Self {
            channels: 1,
            side: 8,
            classes: 4,
            width: 4,
            hidden: 16,
            latent: 2,
        }
    }

    /// | name | description |
    /// |---|---|
    /// | `vae-tiny` | a few thousand parameters, for tests |
    fn presets() -> Vec<(&'static str, Self)> {
        vec![("vae-tiny", Self::example())]
    }

    fn validate(&self) -> Result<()> {
        makes_pictures(self)?;
        within("side", self.side, MAX_SIDE)?;
        within("classes", self.classes.saturating_add(1), MAX_CODES)?;
        within("width", self.width, MAX_WIDTH)?;
        within("hidden", self.hidden, MAX_WIDTH)?;
        within("latent", self.latent, MAX_WIDTH)?;
        if !self.side.is_multiple_of(4) {
            let message = format!("`side` is {}, not a multiple of 4", self.side);
            return Err(Error::ConfigInvalid(message));
        }
        Ok(())
    }

    fn network(&self, device: &Device) -> Result<Vae> {
        Ok(Vae::new(self, device))
    }

    fn part(_tensor: &str) -> Option<Part> {
        None
    }
}
