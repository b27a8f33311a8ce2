use burn::module::Module;
use burn::nn::conv::{ConvTranspose2d, ConvTranspose2dConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::VqVaeConfig;
use crate::error::Result;
use crate::models::autoencode::{Autoencode, Quantizer, grids};
use crate::nn::{Conv2d, LastLayer, ResidualLayer, conv, residual_stack};
use crate::quantize::VectorQuantizer;

/// VQ-VAE. The parameter names are this crate's own:
///
/// | name | description |
/// |---|---|
/// | `encoder.down.{i}` | 4×4, stride 2; widths hidden/2, hidden, hidden, … |
/// | `encoder.conv_out` | 3×3, to hidden |
/// | `encoder.residual.{j}.conv_1`, `conv_2` | 3×3 and 1×1 of a residual layer |
/// | `pre_quant` | 1×1 to the codebook's width |
/// | `quantize.embedding` | the codebook |
/// | `decoder.conv_in`, `decoder.residual.{j}` | as in the encoder |
/// | `decoder.up.{i}` | 4×4 transposed, stride 2; widths hidden, …, hidden/2, channels |
///
/// Source: van den Oord et al. 2017, <https://arxiv.org/abs/1711.00937>, section 4.1; DeepMind
/// sonnet `examples/vqvae_example.ipynb`.
#[derive(Module, Debug)]
pub struct VqVae {
    encoder: VqVaeEncoder,
    pre_quant: Conv2d,
    quantize: VectorQuantizer,
    decoder: VqVaeDecoder,
}

/// Strided convolutions, then residual layers.
#[derive(Module, Debug)]
pub struct VqVaeEncoder {
    down: Vec<Conv2d>,
    conv_out: Conv2d,
    residual: Vec<ResidualLayer>,
}

/// Residual layers, then transposed convolutions.
#[derive(Module, Debug)]
pub struct VqVaeDecoder {
    conv_in: Conv2d,
    residual: Vec<ResidualLayer>,
    up: Vec<ConvTranspose2d>,
}

/// The residual layers of an encoder or decoder.
#[derive(Debug, Clone, Copy)]
pub(in crate::models) struct Residuals {
    /// Width of their input and output.
    pub hidden: usize,
    /// Width inside each layer.
    pub inside: usize,
    /// Number of layers.
    pub layers: usize,
}

impl Residuals {
    fn init(self, device: &Device) -> Vec<ResidualLayer> {
        (0..self.layers)
            .map(|_| ResidualLayer::new(self.hidden, self.inside, device))
            .collect()
    }
}

/// Doubles height and width: 4×4 transposed, stride 2.
pub(in crate::models) fn doubling(from: usize, to: usize, device: &Device) -> ConvTranspose2d {
    ConvTranspose2dConfig::new([from, to], [4, 4])
        .with_stride([2, 2])
        .with_padding([1, 1])
        .init(device)
}

impl VqVaeEncoder {
    /// Halves height and width between consecutive `widths`, of which the first is the input's.
    pub(in crate::models) fn new(widths: &[usize], residuals: Residuals, device: &Device) -> Self {
        let down = widths.windows(2);
        let down = down.map(|pair| Conv2d::new([pair[0], pair[1]], [4, 4], 2, [(1, 1); 2], device));
        let last = widths.last().copied().unwrap_or(residuals.hidden);
        Self {
            down: down.collect(),
            conv_out: conv(last, residuals.hidden, 3, device),
            residual: residuals.init(device),
        }
    }

    /// # Shapes
    /// - input: `[batch, from, height, width]`
    /// - output: `[batch, hidden, height / f, width / f]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let h = self.down.iter().fold(x, |h, conv| relu(conv.forward(h)));
        residual_stack(&self.residual, self.conv_out.forward(h))
    }
}

impl VqVaeDecoder {
    /// Takes `from` channels; doubles height and width between consecutive `widths`, of which the
    /// first is the hidden one and the last the output's.
    pub(in crate::models) fn new(
        from: usize,
        widths: &[usize],
        residuals: Residuals,
        device: &Device,
    ) -> Self {
        let up = widths
            .windows(2)
            .map(|pair| doubling(pair[0], pair[1], device));
        Self {
            conv_in: conv(from, residuals.hidden, 3, device),
            residual: residuals.init(device),
            up: up.collect(),
        }
    }

    /// # Shapes
    /// - input: `[batch, from, rows, columns]`
    /// - output: `[batch, to, rows · f, columns · f]`
    pub fn forward(&self, z: Tensor<4>) -> Tensor<4> {
        let features = self.features(z);
        match self.last() {
            Some(last) => last.forward(features),
            None => features,
        }
    }

    /// Input of the last layer, at half the output's height and width.
    pub fn features(&self, z: Tensor<4>) -> Tensor<4> {
        let h = residual_stack(&self.residual, self.conv_in.forward(z));
        let before = self.up.split_last().map_or(&[][..], |(_, before)| before);
        before.iter().fold(h, |h, up| relu(up.forward(h)))
    }

    /// `None` for a decoder without upsampling.
    pub fn last(&self) -> Option<LastLayer<'_>> {
        self.up.last().map(LastLayer::Transposed)
    }
}

impl VqVae {
    /// Builds with random weights.
    pub fn new(config: &VqVaeConfig, device: &Device) -> Self {
        let residuals = Residuals {
            hidden: config.hidden,
            inside: config.residual_hidden,
            layers: config.residual_layers,
        };
        let (dim, mut widths) = (config.embed_dim, config.widths());
        let encoder = VqVaeEncoder::new(&widths, residuals, device);
        widths.reverse();
        Self {
            encoder,
            pre_quant: conv(config.hidden, dim, 1, device),
            quantize: VectorQuantizer::new(config.n_embed, dim, device),
            decoder: VqVaeDecoder::new(dim, &widths, residuals, device),
        }
    }
}

impl Autoencode for VqVae {
    fn latents(&self, x: Tensor<4>, _coarser: &[Tensor<4>]) -> Tensor<4> {
        self.pre_quant.forward(self.encoder.forward(x))
    }

    fn features(&self, z: &[Tensor<4>]) -> Result<Tensor<4>> {
        match z {
            [z] => Ok(self.decoder.features(z.clone())),
            other => Err(grids(other.len())),
        }
    }

    fn last(&self) -> Option<LastLayer<'_>> {
        self.decoder.last()
    }

    fn quantizers(&self) -> Vec<Quantizer<'_>> {
        vec![Quantizer::Nearest(&self.quantize)]
    }

    fn vector_quantizers_mut(&mut self) -> Vec<&mut VectorQuantizer> {
        vec![&mut self.quantize]
    }
}
