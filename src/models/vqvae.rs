use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use crate::config::VqVaeConfig;
use crate::nn::{ResidualLayer, conv, residual_stack};
use crate::quantize::VectorQuantizer;

/// VQ-VAE. Its parameter names are this crate's own:
///
/// | name | what |
/// |---|---|
/// | `encoder.down.{i}` | 4×4, stride 2; widths hidden/2, hidden, hidden, … |
/// | `encoder.conv_out` | 3×3, hidden to hidden |
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
    pub(super) quantize: VectorQuantizer,
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

impl VqVae {
    /// Builds with random weights.
    pub fn new(config: &VqVaeConfig, device: &Device) -> Self {
        let hidden = config.hidden;
        let residual = || {
            (0..config.residual_layers)
                .map(|_| ResidualLayer::new(hidden, config.residual_hidden, device))
                .collect::<Vec<_>>()
        };
        let widths = config.widths();
        let down = widths
            .windows(2)
            .map(|pair| {
                Conv2dConfig::new([pair[0], pair[1]], [4, 4])
                    .with_stride([2, 2])
                    .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                    .init(device)
            })
            .collect();
        let up = widths
            .windows(2)
            .rev()
            .map(|pair| {
                ConvTranspose2dConfig::new([pair[1], pair[0]], [4, 4])
                    .with_stride([2, 2])
                    .with_padding([1, 1])
                    .init(device)
            })
            .collect();
        Self {
            encoder: VqVaeEncoder {
                down,
                conv_out: conv(hidden, hidden, 3, device),
                residual: residual(),
            },
            pre_quant: conv(hidden, config.embed_dim, 1, device),
            quantize: VectorQuantizer::new(config.n_embed, config.embed_dim, device),
            decoder: VqVaeDecoder {
                conv_in: conv(config.embed_dim, hidden, 3, device),
                residual: residual(),
                up,
            },
        }
    }

    /// Latents before quantization.
    ///
    /// # Shapes
    /// - input: `[batch, in_channels, height, width]`
    /// - output: `[batch, embed_dim, height / f, width / f]`
    pub fn latents(&self, x: Tensor<4>) -> Tensor<4> {
        let encoder = &self.encoder;
        let h = encoder.down.iter().fold(x, |h, c| relu(c.forward(h)));
        let h = residual_stack(&encoder.residual, encoder.conv_out.forward(h));
        self.pre_quant.forward(h)
    }

    /// # Shapes
    /// - input: `[batch, embed_dim, rows, columns]`
    /// - output: `[batch, in_channels, rows · f, columns · f]`
    pub fn decode(&self, z_q: Tensor<4>) -> Tensor<4> {
        let decoder = &self.decoder;
        let mut h = residual_stack(&decoder.residual, decoder.conv_in.forward(z_q));
        let last = decoder.up.len().saturating_sub(1);
        for (i, up) in decoder.up.iter().enumerate() {
            h = up.forward(h);
            if i < last {
                h = relu(h);
            }
        }
        h
    }
}
