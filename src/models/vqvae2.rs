use burn::module::Module;
use burn::nn::conv::ConvTranspose2d;
use burn::tensor::{Device, Tensor};

use super::vqvae::{Residuals, doubling};
use super::{VqVaeDecoder, VqVaeEncoder};
use crate::config::VqVae2Config;
use crate::nn::{Conv2d, LastLayer, conv};
use crate::quantize::{Quantized, VectorQuantizer};

/// VQ-VAE-2 with a top grid, one code for every 8×8 pixels, and a bottom grid, one for every 4×4,
/// whose codes add what the top ones leave out. Its encoders and decoders are VQ-VAE's:
///
/// | name | what |
/// |---|---|
/// | `enc_b` | picture to the bottom grid; widths hidden/2, hidden |
/// | `enc_t` | from there to the top grid; width hidden/2 |
/// | `quantize_conv_t`, `quantize_t.embedding` | 1×1 to the codebook's width, and the top codebook |
/// | `dec_t` | top codes to the bottom grid, as wide as a code |
/// | `quantize_conv_b`, `quantize_b.embedding` | 1×1 of `dec_t` and `enc_b` together, and the bottom codebook |
/// | `upsample_t` | 4×4 transposed, stride 2: top codes to the bottom grid once more |
/// | `dec` | `upsample_t` and bottom codes together to the picture |
///
/// Source: Razavi et al. 2019, <https://arxiv.org/abs/1906.00446>; rosinality/vq-vae-2-pytorch
/// `vqvae.py`.
#[derive(Module, Debug)]
pub struct VqVae2 {
    enc_b: VqVaeEncoder,
    enc_t: VqVaeEncoder,
    quantize_conv_t: Conv2d,
    pub(super) quantize_t: VectorQuantizer,
    dec_t: VqVaeDecoder,
    quantize_conv_b: Conv2d,
    pub(super) quantize_b: VectorQuantizer,
    upsample_t: ConvTranspose2d,
    dec: VqVaeDecoder,
}

impl VqVae2 {
    /// Builds with random weights.
    pub fn new(config: &VqVae2Config, device: &Device) -> Self {
        let (rgb, hidden, dim) = (config.in_channels, config.hidden, config.embed_dim);
        let residuals = Residuals {
            hidden,
            inside: config.residual_hidden,
            layers: config.residual_layers,
        };
        let codebook = || VectorQuantizer::new(config.n_embed, dim, device);
        Self {
            enc_b: VqVaeEncoder::new(&[rgb, hidden / 2, hidden], residuals, device),
            enc_t: VqVaeEncoder::new(&[hidden, hidden / 2], residuals, device),
            quantize_conv_t: conv(hidden, dim, 1, device),
            quantize_t: codebook(),
            dec_t: VqVaeDecoder::new(dim, &[hidden, dim], residuals, device),
            quantize_conv_b: conv(dim + hidden, dim, 1, device),
            quantize_b: codebook(),
            upsample_t: doubling(dim, dim, device),
            dec: VqVaeDecoder::new(2 * dim, &[hidden, hidden / 2, rgb], residuals, device),
        }
    }

    /// Latents of the top grid before quantization.
    ///
    /// # Shapes
    /// - input: `[batch, in_channels, height, width]`
    /// - output: `[batch, embed_dim, height / 8, width / 8]`
    pub fn top(&self, x: Tensor<4>) -> Tensor<4> {
        self.top_of(self.enc_b.forward(x))
    }

    /// Latents of the bottom grid before quantization, given the top grid's codebook entries.
    ///
    /// # Shapes
    /// - `x`: `[batch, in_channels, height, width]`
    /// - `top`: `[batch, embed_dim, height / 8, width / 8]`
    /// - output: `[batch, embed_dim, height / 4, width / 4]`
    pub fn bottom(&self, x: Tensor<4>, top: Tensor<4>) -> Tensor<4> {
        self.bottom_of(self.enc_b.forward(x), top)
    }

    /// What the last layer makes the picture of; see [`VqVaeDecoder::features`].
    ///
    /// # Shapes
    /// - `top`: `[batch, embed_dim, rows, columns]`
    /// - `bottom`: `[batch, embed_dim, 2 · rows, 2 · columns]`
    pub fn features(&self, top: Tensor<4>, bottom: Tensor<4>) -> Tensor<4> {
        let both = Tensor::cat(vec![self.upsample_t.forward(top), bottom], 1);
        self.dec.features(both)
    }

    /// The layer that makes the picture.
    pub fn last(&self) -> Option<LastLayer<'_>> {
        self.dec.last()
    }

    /// The training pass, which encodes the picture once for both grids: the features, and the
    /// latents and what became of them, the top grid's first.
    pub(super) fn forward(&self, x: Tensor<4>) -> (Tensor<4>, Vec<Tensor<4>>, Vec<Quantized>) {
        let features = self.enc_b.forward(x);
        let z_top = self.top_of(features.clone());
        let top = self.quantize_t.forward(z_top.clone());
        let z_bottom = self.bottom_of(features, top.z_q.clone());
        let bottom = self.quantize_b.forward(z_bottom.clone());
        let features = self.features(top.z_q.clone(), bottom.z_q.clone());
        (features, vec![z_top, z_bottom], vec![top, bottom])
    }

    fn top_of(&self, features: Tensor<4>) -> Tensor<4> {
        self.quantize_conv_t.forward(self.enc_t.forward(features))
    }

    fn bottom_of(&self, features: Tensor<4>, top: Tensor<4>) -> Tensor<4> {
        let both = Tensor::cat(vec![self.dec_t.forward(top), features], 1);
        self.quantize_conv_b.forward(both)
    }
}
