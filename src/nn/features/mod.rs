//! Networks trained to recognise pictures, whose activations compare two pictures more as an eye
//! does than pixels do: one to train with, another, which training never sees, to judge with.

mod inception;
mod mobilenet;

pub use inception::Inception;
pub use mobilenet::MobileNet;

use burn::module::Module;
use burn::tensor::{Device, Tensor};

/// Keeps the normalisation to unit length finite where all activations are 0.
const EPSILON: f32 = 1e-6;

/// One of the networks.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // One a program.
pub enum FeatureNetwork {
    /// The first blocks of Inception-v3.
    Inception(Inception),
    /// The first blocks of MobileNetV2.
    MobileNet(MobileNet),
}

impl FeatureNetwork {
    /// Each network with random weights, to be overwritten by loading.
    pub fn all(device: &Device) -> [Self; 2] {
        [
            Self::Inception(Inception::new(device)),
            Self::MobileNet(MobileNet::new(device)),
        ]
    }

    /// Maps a parameter's name to its published one, Keras's.
    pub fn published_name(&self, name: &str) -> Option<String> {
        match self {
            Self::Inception(_) => Inception::published_name(name),
            Self::MobileNet(_) => MobileNet::published_name(name),
        }
    }

    /// Smallest side in pixels of the input.
    pub fn smallest(&self) -> usize {
        match self {
            Self::Inception(_) => Inception::SMALLEST,
            Self::MobileNet(_) => MobileNet::SMALLEST,
        }
    }

    /// Activations of five layers, each place normalised to unit length over the channels.
    ///
    /// # Shapes
    /// - input: `[batch, 3, height, width]` in 0 to 1, sides of at least
    ///   [`FeatureNetwork::smallest`]
    /// - output: `[batch, channels, height', width']` for each layer
    pub fn features(&self, pixels: Tensor<4>) -> Vec<Tensor<4>> {
        let layers = match self {
            Self::Inception(network) => network.forward(pixels),
            Self::MobileNet(network) => network.forward(pixels),
        };
        layers.into_iter().map(unit).collect()
    }

    /// LPIPS without learned weights: the squared distance between the features of each pair,
    /// averaged over places and layers. 0 for equal pictures, at most 4.
    ///
    /// # Shapes
    /// - input: twice what [`FeatureNetwork::features`] returned
    /// - output: `[batch, 1, 1, 1]`
    ///
    /// Source: Zhang et al. 2018, <https://arxiv.org/abs/1801.03924>, equation 1 with all weights
    /// equal.
    pub fn distance(a: &[Tensor<4>], b: &[Tensor<4>]) -> Option<Tensor<4>> {
        let layers = a.len().min(b.len()) as f32;
        let each = a.iter().zip(b).map(|(a, b)| {
            let difference = (a.clone() - b.clone()).square().sum_dim(1);
            difference.mean_dim(2).mean_dim(3)
        });
        each.reduce(|sum, layer| sum + layer)
            .map(|sum| sum.div_scalar(layers))
    }
}

fn unit(x: Tensor<4>) -> Tensor<4> {
    let square = x.clone().square().sum_dim(1);
    x / square.add_scalar(EPSILON).sqrt()
}
