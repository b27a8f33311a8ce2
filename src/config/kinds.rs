//! What each kind of model is made of.

use serde::{Deserialize, Serialize};

use super::{
    Layers, MAX_CODES, MAX_LEVELS, MAX_WIDTH, NetworkConfig, centred, rgb, rgb_only, signed,
    within, yes,
};
use crate::error::{Error, Result};

/// How VQ-GAN turns latents into codes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuantizerKind {
    /// Nearest codebook entry (taming-transformers `VectorQuantizer2`).
    #[default]
    Vq,
    /// Nearest codebook entry on the unit sphere: latents and entries are L2-normalised, as in
    /// LlamaGen's tokenizer and ViT-VQGAN (Yu et al. 2021, <https://arxiv.org/abs/2110.04627>).
    Cosine,
    /// Argmax of learned logits (taming-transformers `GumbelQuantize`).
    Gumbel,
}

/// VQ-GAN's encoder, codebook and decoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VqGanConfig {
    /// The encoder and the decoder; its fields stand beside the others in JSON.
    #[serde(flatten)]
    pub network: NetworkConfig,
    /// Width of a codebook entry.
    pub embed_dim: usize,
    /// Number of codebook entries, K.
    pub n_embed: usize,
    /// How latents become codes.
    #[serde(default)]
    pub quantizer: QuantizerKind,
}

/// The autoencoder of latent diffusion: VQ-GAN's encoder and decoder around a Gaussian, without a
/// codebook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KlConfig {
    /// The encoder and the decoder; its fields stand beside the others in JSON.
    #[serde(flatten)]
    pub network: NetworkConfig,
    /// Channels of the latent; `z_channels` without `quant_conv`.
    pub embed_dim: usize,
    /// Whether there are 1×1 convolutions between the encoder, the latent and the decoder.
    #[serde(default = "yes")]
    pub quant_conv: bool,
}

/// The VQ-VAE of DeepMind's `sonnet` example, with any number of down-samplings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VqVaeConfig {
    /// Channels of the picture.
    #[serde(default = "rgb")]
    pub in_channels: usize,
    /// Width of the hidden layers; the outermost has half of it.
    pub hidden: usize,
    /// Width inside a residual layer.
    pub residual_hidden: usize,
    /// Number of residual layers on each side.
    pub residual_layers: usize,
    /// Number of halvings, so that the downsampling factor is 2 to this power.
    pub downsamplings: usize,
    /// Width of a codebook entry, D.
    pub embed_dim: usize,
    /// Number of codebook entries, K.
    pub n_embed: usize,
    /// Value of black and of white in the network's input and output.
    #[serde(default = "centred")]
    pub input: [f32; 2],
}

/// VQ-VAE-2 with its two grids: a top one for every 8×8 pixels, a bottom one for every 4×4.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VqVae2Config {
    /// Channels of the picture.
    #[serde(default = "rgb")]
    pub in_channels: usize,
    /// Width of the hidden layers; the outermost of each encoder and decoder has half of it.
    pub hidden: usize,
    /// Width inside a residual layer.
    pub residual_hidden: usize,
    /// Number of residual layers in each encoder and decoder.
    pub residual_layers: usize,
    /// Width of a codebook entry, D, in both codebooks.
    pub embed_dim: usize,
    /// Number of entries of each codebook, K.
    pub n_embed: usize,
    /// Value of black and of white in the network's input and output.
    #[serde(default = "signed")]
    pub input: [f32; 2],
}

impl VqVaeConfig {
    /// Channels from the picture inwards: the picture's, half of `hidden`, then `hidden`.
    pub fn widths(&self) -> Vec<usize> {
        (0..=self.downsamplings)
            .map(|i| match i {
                0 => self.in_channels,
                1 if self.downsamplings > 1 => self.hidden / 2,
                _ => self.hidden,
            })
            .collect()
    }
}

impl VqGanConfig {
    pub(super) fn validate(&self) -> Result<()> {
        codebook(self.n_embed, self.embed_dim)?;
        self.network.validate()?;
        if self.network.layers == Layers::MaskGit && self.embed_dim != self.network.z_channels {
            return Err(Error::ConfigInvalid(format!(
                "`embed_dim` is {}, but with MaskGIT's layers it is `z_channels`, {}",
                self.embed_dim, self.network.z_channels
            )));
        }
        Ok(())
    }
}

impl KlConfig {
    pub(super) fn validate(&self) -> Result<()> {
        within("embed_dim", self.embed_dim, MAX_WIDTH)?;
        self.network.validate()?;
        if (self.network.layers, self.network.decoder_norm) != Default::default() {
            return Err(Error::ConfigInvalid(
                "`layers` and `decoder_norm` are a VQ-GAN's to choose".into(),
            ));
        }
        if !self.quant_conv && self.embed_dim != self.network.z_channels {
            return Err(Error::ConfigInvalid(format!(
                "`embed_dim` is {}, but without `quant_conv` it is `z_channels`, {}",
                self.embed_dim, self.network.z_channels
            )));
        }
        Ok(())
    }
}

impl VqVaeConfig {
    pub(super) fn validate(&self) -> Result<()> {
        codebook(self.n_embed, self.embed_dim)?;
        rgb_only("in_channels", self.in_channels)?;
        residual(self.hidden, self.residual_hidden, self.residual_layers)?;
        within("downsamplings", self.downsamplings, MAX_LEVELS)
    }
}

impl VqVae2Config {
    pub(super) fn validate(&self) -> Result<()> {
        codebook(self.n_embed, self.embed_dim)?;
        rgb_only("in_channels", self.in_channels)?;
        residual(self.hidden, self.residual_hidden, self.residual_layers)
    }
}

fn codebook(codes: usize, width: usize) -> Result<()> {
    within("n_embed", codes, MAX_CODES)?;
    within("embed_dim", width, MAX_WIDTH)
}

fn residual(hidden: usize, inside: usize, layers: usize) -> Result<()> {
    within("hidden", hidden, MAX_WIDTH)?;
    within("residual_hidden", inside, MAX_WIDTH)?;
    within("residual_layers", layers, 64)?;
    if !hidden.is_multiple_of(2) {
        return Err(Error::ConfigInvalid("`hidden` must be even".into()));
    }
    Ok(())
}
