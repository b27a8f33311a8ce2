//! Diffusion in pixels.

mod config;

pub use config::{DiffusionConfig, Path, Target};

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};

use super::{Denoise, Generate, Kind, Method, Part};
use crate::error::Result;
use crate::fields::{MAX_SIDE, within};
use crate::nn::{UNet, UNetConfig};

/// A denoising U-Net.
#[derive(Module, Debug)]
pub struct Diffusion {
    unet: UNet,
}

impl Kind for DiffusionConfig {
    const NAME: &'static str = "diffusion";
    type Network = Diffusion;

    fn example() -> Self {
        Self {
            network: UNetConfig {
                channels: 1,
                classes: 4,
                width: 8,
                multipliers: vec![1, 2],
                blocks: 1,
                attention: true,
                groups: 4,
            },
            side: 8,
            target: Target::default(),
            path: Path::default(),
        }
    }

    /// | name | description |
    /// |---|---|
    /// | `diffusion-tiny` | a few thousand parameters, for tests |
    fn presets() -> Vec<(&'static str, Self)> {
        vec![("diffusion-tiny", Self::example())]
    }

    fn validate(&self) -> Result<()> {
        within("side", self.side, 4 * MAX_SIDE)?;
        self.network.validate(self.side)
    }

    fn network(&self, device: &Device) -> Result<Diffusion> {
        Ok(Diffusion {
            unet: UNet::new(&self.network, device),
        })
    }

    fn part(_tensor: &str) -> Option<Part> {
        None
    }
}

impl Denoise for Diffusion {
    fn predict(&self, x: Tensor<4>, times: Tensor<1>, classes: Tensor<1, Int>) -> Tensor<4> {
        self.unet.forward(x, times, classes)
    }
}

impl Generate for Diffusion {
    fn method(&self) -> Method<'_> {
        Method::Denoise(self)
    }
}
