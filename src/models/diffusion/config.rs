use serde::{Deserialize, Serialize};

use crate::models::Generated;
use crate::nn::{UNetConfig, unet_macs};

/// A diffusion model in pixels, or a rectified flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DiffusionConfig {
    /// The U-Net; in JSON its fields are at the same level as the others.
    #[serde(flatten)]
    pub network: UNetConfig,
    /// Rows and columns of a picture.
    pub side: usize,
    /// What the network predicts.
    #[serde(default)]
    pub target: Target,
    /// How noise and picture are mixed.
    #[serde(default)]
    pub path: Path,
}

/// What a denoising network predicts, with x₀ the picture, ε the noise and x = α x₀ + σ ε.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// ε (Ho et al. 2020, <https://arxiv.org/abs/2006.11239>).
    Noise,
    /// α ε − σ x₀ (Salimans and Ho 2022, <https://arxiv.org/abs/2202.00512>).
    #[default]
    Velocity,
    /// ε − x₀, the direction of a straight path (Liu et al. 2022,
    /// <https://arxiv.org/abs/2209.03003>).
    Flow,
}

/// The shares of picture, α, and noise, σ, over time t from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Path {
    /// β from 1e-4 to 0.02 in 1,000 steps (Ho et al. 2020).
    Linear,
    /// α² from a cosine (Nichol and Dhariwal 2021, <https://arxiv.org/abs/2102.09672>).
    #[default]
    Cosine,
    /// α = 1 − t, σ = t (Liu et al. 2022).
    Straight,
}

impl Generated for DiffusionConfig {
    fn shape(&self) -> [usize; 3] {
        [self.network.channels, self.side, self.side]
    }

    fn noise(&self) -> Vec<usize> {
        self.shape().to_vec()
    }

    fn classes(&self) -> usize {
        self.network.classes
    }

    fn range(&self) -> [f32; 2] {
        [-1.0, 1.0]
    }

    fn pass_macs(&self) -> u64 {
        unet_macs(&self.network, self.side)
    }
}
