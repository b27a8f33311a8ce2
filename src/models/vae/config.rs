use serde::{Deserialize, Serialize};

use crate::models::Generated;
use crate::nn::cost::conv;

/// A conditional VAE whose latent is one vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VaeConfig {
    /// Channels of a picture: 1 or 3.
    pub channels: usize,
    /// Rows and columns of a picture, a multiple of 4.
    pub side: usize,
    /// Number of classes; 0 for an unconditional model.
    #[serde(default)]
    pub classes: usize,
    /// Channels of the outer convolutions; the inner ones have twice as many.
    pub width: usize,
    /// Width of the layers between the convolutions and the latent.
    pub hidden: usize,
    /// Length of the latent vector.
    pub latent: usize,
}

impl VaeConfig {
    /// Values of the smallest feature map.
    pub(super) fn features(&self) -> usize {
        2 * self.width * (self.side / 4).pow(2)
    }
}

impl Generated for VaeConfig {
    fn shape(&self) -> [usize; 3] {
        [self.channels, self.side, self.side]
    }

    fn noise(&self) -> Vec<usize> {
        vec![self.latent]
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn range(&self) -> [f32; 2] {
        [0.0, 1.0]
    }

    fn pass_macs(&self) -> u64 {
        let half = ((self.side / 2) as u64).pow(2);
        let linear = self.hidden * (self.latent + self.classes + self.features());
        linear as u64
            + conv(half, 2 * self.width, self.width, 3)
            + conv(4 * half, self.width, self.channels, 3)
    }
}
