use burn::module::Module;
use burn::tensor::activation::{relu, tanh};
use burn::tensor::{Device, Int, Tensor};

use super::GanConfig;
use crate::models::{Decode, Generate, Method};
use crate::nn::transformer::Linear;
use crate::nn::{Conv2d, GroupNorm, Norm, Normalise, conv, double, with_classes};

/// Groups of the normalisations.
const NORM: Norm = Norm {
    groups: 4,
    eps: 1e-5,
};

/// A conditional generator with DCGAN's widths. Its layers are nearest-neighbour enlargements and 3×3
/// convolutions, which leave no checkerboard (Odena et al. 2016,
/// <https://doi.org/10.23915/distill.00003>), and group normalisations, so that a picture does not
/// depend on the others in its batch.
///
/// Source: Radford et al. 2015, <https://arxiv.org/abs/1511.06434>.
#[derive(Module, Debug)]
pub struct Gan {
    input: Linear,
    norms: Vec<GroupNorm>,
    layers: Vec<Conv2d>,
    conv_out: Conv2d,
    classes: usize,
    /// Of the smallest feature map.
    channels: usize,
    side: usize,
}

impl Gan {
    /// Builds with random weights.
    pub fn new(config: &GanConfig, device: &Device) -> Self {
        let widths = [4, 2, 1].map(|times| times * config.width);
        let side = config.side / 4;
        let inputs = config.latent + config.classes;
        Self {
            input: Linear::uniform(inputs, widths[0] * side * side, device),
            norms: widths.map(|width| NORM.init(width, device)).to_vec(),
            layers: widths
                .windows(2)
                .map(|pair| conv(pair[0], pair[1], 3, device))
                .collect(),
            conv_out: conv(config.width, config.channels, 3, device),
            classes: config.classes,
            channels: widths[0],
            side,
        }
    }
}

impl Decode for Gan {
    fn decode(&self, z: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<4> {
        let batch = z.dims()[0];
        let h = self.input.forward(with_classes(z, classes, self.classes));
        let mut h = h.reshape([batch, self.channels, self.side, self.side]);
        for (layer, norm) in self.layers.iter().zip(&self.norms) {
            h = layer.forward(double(relu(norm.forward(h))));
        }
        if let Some(last) = self.norms.last() {
            h = relu(last.forward(h));
        }
        tanh(self.conv_out.forward(h))
    }
}

impl Generate for Gan {
    fn method(&self) -> Method<'_> {
        Method::Decode(self)
    }
}
