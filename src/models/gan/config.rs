use serde::{Deserialize, Serialize};

use crate::models::Generated;
use crate::nn::cost::conv;

/// The generator of a conditional GAN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GanConfig {
    /// Channels of a picture: 1 or 3.
    pub channels: usize,
    /// Rows and columns of a picture, a multiple of 4.
    pub side: usize,
    /// Number of classes; 0 for an unconditional model.
    #[serde(default)]
    pub classes: usize,
    /// Channels of the last hidden layer, a multiple of 4; each layer before has twice as many.
    pub width: usize,
    /// Length of the latent vector.
    pub latent: usize,
}

impl Generated for GanConfig {
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
        [-1.0, 1.0]
    }

    fn pass_macs(&self) -> u64 {
        let (width, smallest) = (self.width, ((self.side / 4) as u64).pow(2));
        let linear = ((self.latent + self.classes) * 4 * width) as u64 * smallest;
        linear
            + conv(4 * smallest, 4 * width, 2 * width, 3)
            + conv(16 * smallest, 2 * width, width, 3)
            + conv(16 * smallest, width, self.channels, 3)
    }
}
