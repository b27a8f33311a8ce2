use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::{QuantizerKind, VqGanConfig};
use crate::error::Result;
use crate::models::autoencode::{Autoencode, Quantizer, grids};
use crate::nn::{
    Conv2d, Decoder, DecoderNorm, Encoder, LastLayer, Layers, MuseDecoder, MuseEncoder,
    NetworkConfig, Spatial, SpatialNorm, conv,
};
use crate::quantize::{GumbelQuantizer, VectorQuantizer};

/// VQ-GAN's autoencoder, with the parameter names of taming-transformers' checkpoints; also MoVQ's,
/// and MaskGIT's with open-muse's parameter names.
///
/// Source: Esser et al. 2021, <https://arxiv.org/abs/2012.09841>; taming-transformers
/// `models/vqgan.py`, `VQModel` and `GumbelVQ`; diffusers `VQModel`; open-muse `MaskGitVQGAN`.
#[derive(Module, Debug)]
pub struct VqGan {
    encoder: VqGanEncoder,
    decoder: VqGanDecoder,
    quantize: VqGanQuantizer,
    /// 1×1 from `z_channels` to `embed_dim`; MaskGIT has neither this nor `post_quant_conv`.
    quant_conv: Option<Conv2d>,
    post_quant_conv: Option<Conv2d>,
}

/// The encoder's implementation.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // One per model, as for the quantizers.
pub enum VqGanEncoder {
    /// taming-transformers'.
    Taming(Encoder),
    /// MaskGIT's.
    MaskGit(MuseEncoder),
}

/// The decoder's implementation.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // One per model, as for the quantizers.
pub enum VqGanDecoder {
    /// taming-transformers'.
    Taming(Decoder),
    /// taming-transformers' layers, normalised by the quantized latent as in MoVQ.
    Spatial(Decoder<SpatialNorm>),
    /// MaskGIT's.
    MaskGit(MuseDecoder),
}

/// VQ-GAN's two kinds of quantizer.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // One per model; boxing would cost more than it saves.
pub enum VqGanQuantizer {
    /// Nearest codebook entry.
    Vq(VectorQuantizer),
    /// Argmax of learned logits.
    Gumbel(GumbelQuantizer),
}

impl VqGan {
    /// Builds with random weights.
    ///
    /// # Errors
    /// If the config's widths overflow.
    pub fn new(config: &VqGanConfig, device: &Device) -> Result<Self> {
        let network = &config.network;
        let (z, dim, codes) = (network.z_channels, config.embed_dim, config.n_embed);
        let around = network.layers == Layers::Taming;
        Ok(Self {
            encoder: VqGanEncoder::new(network, device)?,
            decoder: VqGanDecoder::new(network, dim, device)?,
            quantize: match config.quantizer {
                QuantizerKind::Vq => VqGanQuantizer::Vq(VectorQuantizer::new(codes, dim, device)),
                QuantizerKind::Cosine => {
                    VqGanQuantizer::Vq(VectorQuantizer::new(codes, dim, device).on_sphere())
                }
                QuantizerKind::Gumbel => {
                    VqGanQuantizer::Gumbel(GumbelQuantizer::new(dim, codes, dim, device))
                }
            },
            quant_conv: around.then(|| conv(z, dim, 1, device)),
            post_quant_conv: around.then(|| conv(dim, z, 1, device)),
        })
    }
}

impl Autoencode for VqGan {
    fn latents(&self, x: Tensor<4>, _coarser: &[Tensor<4>]) -> Tensor<4> {
        let z = match &self.encoder {
            VqGanEncoder::Taming(encoder) => encoder.forward(x),
            VqGanEncoder::MaskGit(encoder) => encoder.forward(x),
        };
        match &self.quant_conv {
            Some(conv) => conv.forward(z),
            None => z,
        }
    }

    fn features(&self, z: &[Tensor<4>]) -> Result<Tensor<4>> {
        let [z_q] = z else {
            return Err(grids(z.len()));
        };
        let z = match &self.post_quant_conv {
            Some(conv) => conv.forward(z_q.clone()),
            None => z_q.clone(),
        };
        Ok(match &self.decoder {
            VqGanDecoder::Taming(decoder) => decoder.features(z),
            VqGanDecoder::Spatial(decoder) => {
                decoder.features_by(z, |norm, x| norm.forward(x, z_q))
            }
            VqGanDecoder::MaskGit(decoder) => decoder.features(z),
        })
    }

    fn last(&self) -> Option<LastLayer<'_>> {
        Some(match &self.decoder {
            VqGanDecoder::Taming(decoder) => decoder.last(),
            VqGanDecoder::Spatial(decoder) => decoder.last(),
            VqGanDecoder::MaskGit(decoder) => decoder.last(),
        })
    }

    fn quantizers(&self) -> Vec<Quantizer<'_>> {
        vec![match &self.quantize {
            VqGanQuantizer::Vq(quantizer) => Quantizer::Nearest(quantizer),
            VqGanQuantizer::Gumbel(quantizer) => Quantizer::Gumbel(quantizer),
        }]
    }

    fn vector_quantizers_mut(&mut self) -> Vec<&mut VectorQuantizer> {
        match &mut self.quantize {
            VqGanQuantizer::Vq(quantizer) => vec![quantizer],
            VqGanQuantizer::Gumbel(_) => vec![],
        }
    }
}

impl VqGanEncoder {
    fn new(config: &NetworkConfig, device: &Device) -> Result<Self> {
        Ok(match config.layers {
            Layers::Taming => Self::Taming(Encoder::new(config, config.z_channels, device)?),
            Layers::MaskGit => Self::MaskGit(MuseEncoder::new(config, device)?),
        })
    }
}

impl VqGanDecoder {
    /// `latent` is the width of a codebook entry.
    fn new(config: &NetworkConfig, latent: usize, device: &Device) -> Result<Self> {
        Ok(match (config.layers, config.decoder_norm) {
            (Layers::Taming, DecoderNorm::Group) => Self::Taming(Decoder::new(config, device)?),
            (Layers::Taming, DecoderNorm::Spatial) => {
                Self::Spatial(Decoder::with_norm(config, Spatial { latent }, device)?)
            }
            (Layers::MaskGit, _) => Self::MaskGit(MuseDecoder::new(config, device)?),
        })
    }
}
