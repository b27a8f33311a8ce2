//! The generator of a GAN.

mod config;
mod network;

pub use config::GanConfig;
pub use network::Gan;

use burn::tensor::Device;

use super::{Kind, Part, makes_pictures};
use crate::error::{Error, Result};
use crate::fields::{MAX_CODES, MAX_SIDE, MAX_WIDTH, within};

impl Kind for GanConfig {
    const NAME: &'static str = "gan";
    type Network = Gan;

    fn example() -> Self {
        Self {
            channels: 1,
            side: 8,
            classes: 4,
            width: 8,
            latent: 4,
        }
    }

    /// | name | description |
    /// |---|---|
    /// | `gan-tiny` | a few thousand parameters, for tests |
    fn presets() -> Vec<(&'static str, Self)> {
        vec![("gan-tiny", Self::example())]
    }

    fn validate(&self) -> Result<()> {
        makes_pictures(self)?;
        within("side", self.side, MAX_SIDE)?;
        within("classes", self.classes.saturating_add(1), MAX_CODES)?;
        within("width", self.width, MAX_WIDTH / 4)?;
        within("latent", self.latent, MAX_WIDTH)?;
        for (name, value) in [("side", self.side), ("width", self.width)] {
            if !value.is_multiple_of(4) {
                let message = format!("`{name}` is {value}, not a multiple of 4");
                return Err(Error::ConfigInvalid(message));
            }
        }
        Ok(())
    }

    fn network(&self, device: &Device) -> Result<Gan> {
        Ok(Gan::new(self, device))
    }

    fn part(_tensor: &str) -> Option<Part> {
        None
    }
}
