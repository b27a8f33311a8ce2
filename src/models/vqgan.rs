use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::config::{DecoderNorm, Layers, NetworkConfig, QuantizerKind, VqGanConfig};
use crate::error::Result;
use crate::nn::{
    Conv2d, Decoder, Encoder, LastLayer, MaskGitDecoder, MaskGitEncoder, Spatial, SpatialNorm, conv,
};
use crate::quantize::{GumbelQuantizer, VectorQuantizer};

/// VQ-GAN's autoencoder, with the parameter names of taming-transformers' checkpoints; also MoVQ's,
/// and MaskGIT's with the names of open-muse.
///
/// Source: Esser et al. 2021, <https://arxiv.org/abs/2012.09841>; taming-transformers
/// `models/vqgan.py`, `VQModel` and `GumbelVQ`; diffusers `VQModel`; open-muse `MaskGitVQGAN`.
#[derive(Module, Debug)]
pub struct VqGan {
    encoder: GanEncoder,
    decoder: GanDecoder,
    pub(super) quantize: GanQuantizer,
    /// 1×1 from `z_channels` to `embed_dim`; MaskGIT has neither this nor the one back.
    quant_conv: Option<Conv2d>,
    post_quant_conv: Option<Conv2d>,
}

/// Whose layers encode.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // One a model, as for the quantizers.
pub enum GanEncoder {
    /// taming-transformers'.
    Taming(Encoder),
    /// MaskGIT's.
    MaskGit(MaskGitEncoder),
}

/// Whose layers decode.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // One a model, as for the quantizers.
pub enum GanDecoder {
    /// taming-transformers'.
    Taming(Decoder),
    /// The same, normalised by the codes' latent as in MoVQ.
    Spatial(Decoder<SpatialNorm>),
    /// MaskGIT's.
    MaskGit(MaskGitDecoder),
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
        let around = network.layers == Layers::Taming;
        Ok(Self {
            encoder: GanEncoder::new(network, device)?,
            decoder: GanDecoder::new(network, dim, device)?,
            quantize: match config.quantizer {
                QuantizerKind::Vq => GanQuantizer::Vq(VectorQuantizer::new(codes, dim, device)),
                QuantizerKind::Cosine => {
                    GanQuantizer::Vq(VectorQuantizer::new(codes, dim, device).on_sphere())
                }
                QuantizerKind::Gumbel => {
                    GanQuantizer::Gumbel(GumbelQuantizer::new(dim, codes, dim, device))
                }
            },
            quant_conv: around.then(|| conv(z, dim, 1, device)),
            post_quant_conv: around.then(|| conv(dim, z, 1, device)),
        })
    }

    /// Latents before quantization.
    ///
    /// # Shapes
    /// - input: `[batch, in_channels, height, width]`
    /// - output: `[batch, embed_dim, height / f, width / f]`
    pub fn latents(&self, x: Tensor<4>) -> Tensor<4> {
        let z = match &self.encoder {
            GanEncoder::Taming(encoder) => encoder.forward(x),
            GanEncoder::MaskGit(encoder) => encoder.forward(x),
        };
        match &self.quant_conv {
            Some(conv) => conv.forward(z),
            None => z,
        }
    }

    /// What the last layer makes the picture of.
    ///
    /// # Shapes
    /// - input: `[batch, embed_dim, rows, columns]`
    /// - output: `[batch, width, rows · f, columns · f]`
    pub fn features(&self, z_q: Tensor<4>) -> Tensor<4> {
        let z = match &self.post_quant_conv {
            Some(conv) => conv.forward(z_q.clone()),
            None => z_q.clone(),
        };
        match &self.decoder {
            GanDecoder::Taming(decoder) => decoder.features(z),
            GanDecoder::Spatial(decoder) => decoder.features_by(z, |norm, x| norm.forward(x, &z_q)),
            GanDecoder::MaskGit(decoder) => decoder.features(z),
        }
    }

    /// The layer that makes the picture.
    pub fn last(&self) -> LastLayer<'_> {
        match &self.decoder {
            GanDecoder::Taming(decoder) => decoder.last(),
            GanDecoder::Spatial(decoder) => decoder.last(),
            GanDecoder::MaskGit(decoder) => decoder.last(),
        }
    }
}

impl GanEncoder {
    fn new(config: &NetworkConfig, device: &Device) -> Result<Self> {
        Ok(match config.layers {
            Layers::Taming => Self::Taming(Encoder::new(config, config.z_channels, device)?),
            Layers::MaskGit => Self::MaskGit(MaskGitEncoder::new(config, device)?),
        })
    }
}

impl GanDecoder {
    /// `latent` is the width of a codebook entry.
    fn new(config: &NetworkConfig, latent: usize, device: &Device) -> Result<Self> {
        Ok(match (config.layers, config.decoder_norm) {
            (Layers::Taming, DecoderNorm::Group) => Self::Taming(Decoder::new(config, device)?),
            (Layers::Taming, DecoderNorm::Spatial) => {
                Self::Spatial(Decoder::with_norm(config, Spatial { latent }, device)?)
            }
            (Layers::MaskGit, _) => Self::MaskGit(MaskGitDecoder::new(config, device)?),
        })
    }
}
