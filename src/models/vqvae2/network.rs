use burn::module::Module;
use burn::nn::conv::ConvTranspose2d;
use burn::tensor::{Device, Tensor};

use super::VqVae2Config;
use crate::error::Result;
use crate::models::autoencode::{Autoencode, Pass, Quantizer, grids};
use crate::models::vqvae::{Residuals, VqVaeDecoder, VqVaeEncoder, doubling};
use crate::nn::{Conv2d, LastLayer, conv};
use crate::quantize::VectorQuantizer;

/// VQ-VAE-2 with a top grid, one code per 8×8 pixels, and a bottom grid, one per 4×4, whose codes
/// add the detail that the top ones leave out. Its encoders and decoders are VQ-VAE's:
///
/// | name | description |
/// |---|---|
/// | `enc_b` | image to the bottom grid; widths hidden/2, hidden |
/// | `enc_t` | `enc_b` output to the top grid; width hidden/2 |
/// | `quantize_conv_t`, `quantize_t.embedding` | 1×1 to the codebook's width, and the top codebook |
/// | `dec_t` | top codes to the bottom grid, codebook width |
/// | `quantize_conv_b`, `quantize_b.embedding` | 1×1 of `dec_t` and `enc_b` concatenated, and the bottom codebook |
/// | `upsample_t` | 4×4 transposed, stride 2: top codes to the bottom grid, for `dec` |
/// | `dec` | `upsample_t` and bottom codes concatenated, to the image |
///
/// Source: Razavi et al. 2019, <https://arxiv.org/abs/1906.00446>; rosinality/vq-vae-2-pytorch
/// `vqvae.py`.
#[derive(Module, Debug)]
pub struct VqVae2 {
    enc_b: VqVaeEncoder,
    enc_t: VqVaeEncoder,
    quantize_conv_t: Conv2d,
    quantize_t: VectorQuantizer,
    dec_t: VqVaeDecoder,
    quantize_conv_b: Conv2d,
    quantize_b: VectorQuantizer,
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

    fn top_of(&self, features: Tensor<4>) -> Tensor<4> {
        self.quantize_conv_t.forward(self.enc_t.forward(features))
    }

    fn bottom_of(&self, features: Tensor<4>, top: Tensor<4>) -> Tensor<4> {
        let both = Tensor::cat(vec![self.dec_t.forward(top), features], 1);
        self.quantize_conv_b.forward(both)
    }
}

impl Autoencode for VqVae2 {
    fn latents(&self, x: Tensor<4>, coarser: &[Tensor<4>]) -> Tensor<4> {
        let features = self.enc_b.forward(x);
        match coarser {
            [] => self.top_of(features),
            [top, ..] => self.bottom_of(features, top.clone()),
        }
    }

    fn features(&self, z: &[Tensor<4>]) -> Result<Tensor<4>> {
        let [top, bottom] = z else {
            return Err(grids(z.len()));
        };
        let up = self.upsample_t.forward(top.clone());
        let both = Tensor::cat(vec![up, bottom.clone()], 1);
        Ok(self.dec.features(both))
    }

    fn last(&self) -> Option<LastLayer<'_>> {
        self.dec.last()
    }

    fn quantizers(&self) -> Vec<Quantizer<'_>> {
        let all = [&self.quantize_t, &self.quantize_b];
        all.map(Quantizer::Nearest).to_vec()
    }

    fn vector_quantizers_mut(&mut self) -> Vec<&mut VectorQuantizer> {
        vec![&mut self.quantize_t, &mut self.quantize_b]
    }

    /// Encodes the image once for both grids.
    fn forward(&self, x: Tensor<4>) -> Option<Pass> {
        let features = self.enc_b.forward(x);
        let z_top = self.top_of(features.clone());
        let top = self.quantize_t.forward(z_top.clone());
        let z_bottom = self.bottom_of(features, top.z_q.clone());
        let bottom = self.quantize_b.forward(z_bottom.clone());
        let features = self.features(&[top.z_q.clone(), bottom.z_q.clone()]).ok()?;
        Some(Pass {
            output: self.picture(features.clone()),
            features,
            latents: vec![z_top, z_bottom],
            quantized: vec![top, bottom],
        })
    }
}
