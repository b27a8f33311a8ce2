use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};

use crate::config::{QuantizerKind, VqGanConfig};
use crate::error::Result;
use crate::nn::{Decoder, Encoder, conv};
use crate::quantize::{GumbelQuantizer, VectorQuantizer};

/// VQ-GAN's autoencoder, with the parameter names of taming-transformers' checkpoints.
///
/// Source: Esser et al. 2021, <https://arxiv.org/abs/2012.09841>; taming-transformers
/// `models/vqgan.py`, `VQModel` and `GumbelVQ`.
#[derive(Module, Debug)]
pub struct VqGan {
    encoder: Encoder,
    decoder: Decoder,
    pub(super) quantize: GanQuantizer,
    quant_conv: Conv2d,
    post_quant_conv: Conv2d,
}

/// The two ways in which VQ-GANs choose codes.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // One a model; the indirection would cost more than it saves.
pub enum GanQuantizer {
    /// Nearest codebook entry.
    Vq(VectorQuantizer),
    /// Argmax of learned logits.
    Gumbel(GumbelQuantizer),
}

impl VqGan {
    /// Builds with random weights.
    ///
    /// # Errors
    /// When the config's widths overflow.
    pub fn new(config: &VqGanConfig, device: &Device) -> Result<Self> {
        let network = &config.network;
        let (z, dim, codes) = (network.z_channels, config.embed_dim, config.n_embed);
        Ok(Self {
            encoder: Encoder::new(network, z, device)?,
            decoder: Decoder::new(network, device)?,
            quantize: match config.quantizer {
                QuantizerKind::Vq => GanQuantizer::Vq(VectorQuantizer::new(codes, dim, device)),
                QuantizerKind::Cosine => {
                    GanQuantizer::Vq(VectorQuantizer::new(codes, dim, device).on_sphere())
                }
                QuantizerKind::Gumbel => {
                    GanQuantizer::Gumbel(GumbelQuantizer::new(dim, codes, dim, device))
                }
            },
            quant_conv: conv(z, dim, 1, device),
            post_quant_conv: conv(dim, z, 1, device),
        })
    }

    /// Latents before quantization.
    ///
    /// # Shapes
    /// - input: `[batch, in_channels, height, width]`
    /// - output: `[batch, embed_dim, height / f, width / f]`
    pub fn latents(&self, x: Tensor<4>) -> Tensor<4> {
        self.quant_conv.forward(self.encoder.forward(x))
    }

    /// # Shapes
    /// - input: `[batch, embed_dim, rows, columns]`
    /// - output: `[batch, out_ch, rows · f, columns · f]`
    pub fn decode(&self, z_q: Tensor<4>) -> Tensor<4> {
        self.decoder.forward(self.post_quant_conv.forward(z_q))
    }
}
