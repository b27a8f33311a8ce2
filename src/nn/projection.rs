use burn::module::Module;
use burn::tensor::activation::leaky_relu;
use burn::tensor::{Device, Int, Tensor};

use super::Conv2d;
use super::spectral::spectral;
use super::transformer::{Linear, Table};

const SLOPE: f64 = 0.2;

/// A discriminator of small pictures that knows their class: features φ(x), then ψ(φ) + ⟨e(y), φ⟩.
/// Every weight is divided by its largest singular value.
///
/// Source: Miyato and Koyama 2018, <https://arxiv.org/abs/1802.05637>; the layers are DCGAN's
/// (Radford et al. 2015, <https://arxiv.org/abs/1511.06434>).
#[derive(Module, Debug)]
pub struct ProjectionDiscriminator {
    layers: Vec<Conv2d>,
    logit: Linear,
    /// One row more stands for no class.
    classes: Table,
}

impl ProjectionDiscriminator {
    /// For pictures of `channels`, with `width` channels after the first layer.
    pub fn new(channels: usize, classes: usize, width: usize, device: &Device) -> Self {
        let halve = |from, to| Conv2d::new([from, to], [4, 4], 2, [(1, 1); 2], device);
        Self {
            layers: vec![
                halve(channels, width),
                halve(width, 2 * width),
                Conv2d::new([2 * width, 4 * width], [3, 3], 1, [(1, 1); 2], device),
            ],
            logit: Linear::uniform(4 * width, 1, device),
            classes: Table::normal(classes + 1, 4 * width, device),
        }
    }

    /// Logits, `[batch, 1, 1, 1]`: positive for pictures that look real.
    ///
    /// # Shapes
    /// - `x`: `[batch, channels, height, width]`
    /// - `classes`: `[batch]`
    pub fn forward(&self, x: Tensor<4>, classes: Tensor<1, Int>) -> Tensor<4> {
        let features = self.layers.iter().fold(x, |x, layer| {
            leaky_relu(layer.forward_by(x, spectral), SLOPE)
        });
        let features = features.sum_dim(2).sum_dim(3).flatten::<2>(1, 3);
        let own = self.logit.forward_by(features.clone(), spectral);
        let rows = spectral(self.classes.all()).select(0, classes);
        let shared = (features * rows).sum_dim(1);
        (own + shared).unsqueeze_dims(&[2, 3])
    }
}
