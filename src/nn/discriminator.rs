use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, LeakyRelu, LeakyReluConfig};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::Conv2d;
use crate::error::{Error, Result};

/// Standard deviation of the initial weights, as in pix2pix and taming-transformers.
const SPREAD: f64 = 0.02;

/// What a [`Discriminator`] is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscriminatorConfig {
    /// Channels of the picture.
    #[serde(default = "rgb")]
    pub in_channels: usize,
    /// Width after the first layer; it doubles up to eight times that.
    pub ndf: usize,
    /// Layers that normalise. Each but the last halves the sides, as does the first one of all.
    pub n_layers: usize,
}

fn rgb() -> usize {
    3
}

impl DiscriminatorConfig {
    /// Checks the numbers that no discriminator could be built from.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] names the field.
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

    /// Side of the smallest picture that has a logit.
    pub fn smallest(&self) -> usize {
        // Two layers of 4×4 and stride 1 take a pixel each; a side of 3 leaves one.
        3 << self.n_layers
    }
}

/// PatchGAN: says of every patch of a picture whether it looks real, in logits. The parameters'
/// names are those of taming-transformers.
///
/// Source: Isola et al. 2017, <https://arxiv.org/abs/1611.07004>; taming-transformers
/// `modules/discriminator/model.py`, `NLayerDiscriminator`.
#[derive(Module, Debug)]
pub struct Discriminator {
    main: Vec<PatchLayer>,
}

/// A step of the [`Discriminator`].
#[derive(Module, Debug)]
pub enum PatchLayer {
    /// 4×4; stride 2, the last two stride 1.
    Conv(Conv2d),
    /// Over the batch; after each convolution but the first and the last.
    Norm(BatchNorm),
    /// With a slope of 0.2; after each convolution but the last.
    Activation(LeakyRelu),
}

impl Discriminator {
    /// Builds with random weights.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`].
    pub fn new(config: &DiscriminatorConfig, device: &Device) -> Result<Self> {
        config.validate()?;
        let width = |layer: usize| config.ndf << layer.min(3);
        let normal = |mean| Initializer::Normal { mean, std: SPREAD };
        let conv = |from, to, stride, bias: bool| {
            let mut conv = Conv2d::new([from, to], 4, stride, [(1, 1); 2], device);
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

    /// What each activation gives, and the logits last: positive for what looks real. On a device
    /// with gradients the normalisation is by this batch, else by the running averages.
    ///
    /// # Shapes
    /// - input: `[batch, in_channels, height, width]`
    /// - last output: `[batch, 1, rows, columns]`, a row for 2^`n_layers` pixels, less two
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

    /// The logits alone; see [`Discriminator::layers`].
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
