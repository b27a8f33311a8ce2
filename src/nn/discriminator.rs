use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, LeakyRelu, LeakyReluConfig};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::Conv2d;
use crate::error::{Error, Result};

/// Standard deviation of the initial weights, as in pix2pix and taming-transformers.
const SPREAD: f64 = 0.02;

/// Configuration of a [`Discriminator`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscriminatorConfig {
    /// Number of input channels.
    #[serde(default = "rgb")]
    pub in_channels: usize,
    /// Channels after the first layer; doubles per layer, up to eight times this value.
    pub ndf: usize,
    /// Number of normalised layers. All but the last halve the resolution, as does the first
    /// convolution.
    pub n_layers: usize,
}

fn rgb() -> usize {
    3
}

impl DiscriminatorConfig {
    /// Checks that a discriminator can be built from this config.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`], naming the field.
    pub fn validate(&self) -> Result<()> {
        for (name, value, max) in [
            ("in_channels", self.in_channels, 1 << 8),
            ("ndf", self.ndf, 1 << 10),
            ("n_layers", self.n_layers, 8),
        ] {
            if !(1..=max).contains(&value) {
                let message = format!("`{name}` is {value}, outside 1 to {max}");
                return Err(Error::ConfigInvalid(message));
            }
        }
        Ok(())
    }

    /// Side length of the smallest picture that yields a logit.
    pub fn smallest(&self) -> usize {
        // Two 4×4 layers with stride 1 each take off a pixel; a side of 3 leaves one.
        3 << self.n_layers
    }
}

/// PatchGAN discriminator: classifies each patch of a picture as real or fake, in logits. Parameter
/// names follow taming-transformers.
///
/// Source: Isola et al. 2017, <https://arxiv.org/abs/1611.07004>; taming-transformers
/// `modules/discriminator/model.py`, `NLayerDiscriminator`.
#[derive(Module, Debug)]
pub struct Discriminator {
    main: Vec<PatchLayer>,
}

/// A layer of the [`Discriminator`].
#[derive(Module, Debug)]
pub enum PatchLayer {
    /// 4×4 with stride 2; the last two have stride 1.
    Conv(Conv2d),
    /// Batch normalisation; after each convolution except the first and the last.
    Norm(BatchNorm),
    /// Leaky ReLU with a slope of 0.2; after each convolution except the last.
    Activation(LeakyRelu),
}

impl Discriminator {
    /// Initialises with random weights.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`].
    pub fn new(config: &DiscriminatorConfig, device: &Device) -> Result<Self> {
        config.validate()?;
        let width = |layer: usize| config.ndf << layer.min(3);
        let normal = |mean| Initializer::Normal { mean, std: SPREAD };
        let conv = |from, to, stride, bias: bool| {
            let mut conv = Conv2d::new([from, to], [4, 4], stride, [(1, 1); 2], device);
            conv.weight = normal(0.0).init([to, from, 4, 4], device);
            conv.bias = bias.then(|| normal(0.0).init([to], device));
            PatchLayer::Conv(conv)
        };
        let activation =
            || PatchLayer::Activation(LeakyReluConfig::new().with_negative_slope(0.2).init());
        let mut main = vec![conv(config.in_channels, width(0), 2, true), activation()];
        for layer in 1..=config.n_layers {
            let stride = if layer < config.n_layers { 2 } else { 1 };
            let mut norm = BatchNormConfig::new(width(layer)).init(device);
            norm.gamma = normal(1.0).init([width(layer)], device);
            main.push(conv(width(layer - 1), width(layer), stride, false));
            main.push(PatchLayer::Norm(norm));
            main.push(activation());
        }
        main.push(conv(width(config.n_layers), 1, 1, true));
        Ok(Self { main })
    }

    /// The output of each activation, with the logits last: positive for patches that look real.
    /// With gradients enabled, normalises with batch statistics; otherwise with the running
    /// averages.
    ///
    /// # Shapes
    /// - input: `[batch, in_channels, height, width]`
    /// - last output: `[batch, 1, rows, columns]`, one row per 2^`n_layers` pixels, minus two
    pub fn layers(&self, x: Tensor<4>) -> Vec<Tensor<4>> {
        let mut h = x;
        let mut layers = Vec::new();
        for layer in &self.main {
            h = layer.forward(h);
            if let PatchLayer::Activation(_) = layer {
                layers.push(h.clone());
            }
        }
        layers.push(h);
        layers
    }

    /// Only the logits; see [`Discriminator::layers`].
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.main.iter().fold(x, |h, layer| layer.forward(h))
    }
}

impl PatchLayer {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Conv(conv) => conv.forward(x),
            Self::Norm(norm) => norm.forward(x),
            Self::Activation(activation) => activation.forward(x),
        }
    }
}
