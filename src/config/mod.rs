//! What a model is made of: the one description that the command line, the weight file's metadata
//! and JavaScript share, as JSON.

mod presets;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Any model of this crate. In JSON the field `kind` tells which.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum ModelConfig {
    /// VQ-VAE (van den Oord et al. 2017, <https://arxiv.org/abs/1711.00937>).
    VqVae(VqVaeConfig),
    /// VQ-GAN's autoencoder (Esser et al. 2021, <https://arxiv.org/abs/2012.09841>).
    VqGan(VqGanConfig),
}

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

/// VQ-GAN's encoder, codebook and decoder, with the field names of taming-transformers'
/// `ddconfig`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VqGanConfig {
    /// Width that `ch_mult` multiplies; also the width after the encoder's first convolution.
    pub ch: usize,
    /// Width of each level over `ch`, finest first. One down-sampling between two levels.
    pub ch_mult: Vec<usize>,
    /// Residual blocks a level in the encoder; the decoder has one more.
    pub num_res_blocks: usize,
    /// Attention follows the blocks of the levels whose nominal side is listed here.
    #[serde(default)]
    pub attn_resolutions: Vec<usize>,
    /// Whether the middle has its attention block (taming: always).
    #[serde(default = "yes")]
    pub mid_attention: bool,
    /// Nominal side of the input in pixels. It only decides where attention goes.
    pub resolution: usize,
    /// Channels of the picture that goes in.
    #[serde(default = "rgb")]
    pub in_channels: usize,
    /// Channels of the picture that comes out.
    #[serde(default = "rgb")]
    pub out_ch: usize,
    /// Channels of the latent that the encoder gives and the decoder takes.
    pub z_channels: usize,
    /// Width of a codebook entry.
    pub embed_dim: usize,
    /// Number of codebook entries, K.
    pub n_embed: usize,
    /// Groups of every group normalisation (published models: 32).
    #[serde(default = "thirty_two")]
    pub norm_groups: usize,
    /// ε of every group normalisation (published models: 1e-6).
    #[serde(default = "micro")]
    pub norm_eps: f64,
    /// How latents become codes.
    #[serde(default)]
    pub quantizer: QuantizerKind,
    /// Value of black and of white in the network's input and output.
    #[serde(default = "signed")]
    pub input: [f32; 2],
}

/// The VQ-VAE of DeepMind's `sonnet` example, with any number of down-samplings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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

fn yes() -> bool {
    true
}
fn rgb() -> usize {
    3
}
fn thirty_two() -> usize {
    32
}
fn micro() -> f64 {
    1e-6
}
fn signed() -> [f32; 2] {
    [-1.0, 1.0]
}
fn centred() -> [f32; 2] {
    [-0.5, 0.5]
}

/// Bounds that no published model comes near; a config past them would only exhaust memory.
const MAX_WIDTH: usize = 1 << 14;
const MAX_CODES: usize = 1 << 20;
const MAX_LEVELS: usize = 8;

impl ModelConfig {
    /// Reads a config from JSON.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] names the offending field.
    pub fn from_json(json: &str) -> Result<Self> {
        let config: Self =
            serde_json::from_str(json).map_err(|e| Error::ConfigInvalid(e.to_string()))?;
        config.validate()?;
        Ok(config)
    }

    /// The config as one line of JSON.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|e| Error::Internal(e.to_string()))
    }

    /// `vqvae` or `vqgan`, as in the JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::VqVae(_) => "vqvae",
            Self::VqGan(_) => "vqgan",
        }
    }

    /// Pixels a token stands for along each side.
    pub fn factor(&self) -> usize {
        match self {
            Self::VqVae(c) => 1 << c.downsamplings,
            Self::VqGan(c) => 1 << (c.ch_mult.len() - 1),
        }
    }

    /// Number of codebook entries, K.
    pub fn codes(&self) -> usize {
        match self {
            Self::VqVae(c) => c.n_embed,
            Self::VqGan(c) => c.n_embed,
        }
    }

    /// Width of a codebook entry, D.
    pub fn embed_dim(&self) -> usize {
        match self {
            Self::VqVae(c) => c.embed_dim,
            Self::VqGan(c) => c.embed_dim,
        }
    }

    /// Value of black and of white in the network's input and output.
    pub fn input_range(&self) -> [f32; 2] {
        match self {
            Self::VqVae(c) => c.input,
            Self::VqGan(c) => c.input,
        }
    }

    /// Checks that a model can be built from this.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] names the field.
    pub fn validate(&self) -> Result<()> {
        let within = |name: &str, value: usize, max: usize| {
            if (1..=max).contains(&value) {
                Ok(())
            } else {
                Err(Error::ConfigInvalid(format!(
                    "`{name}` is {value}, outside 1 to {max}"
                )))
            }
        };
        let rgb_only = |name: &str, value: usize| {
            if value == 3 {
                Ok(())
            } else {
                Err(Error::ConfigInvalid(format!(
                    "`{name}` is {value}, but pictures have 3 channels here"
                )))
            }
        };
        within("n_embed", self.codes(), MAX_CODES)?;
        within("embed_dim", self.embed_dim(), MAX_WIDTH)?;
        let [low, high] = self.input_range();
        if !(low.is_finite() && high.is_finite() && low < high) {
            return Err(Error::ConfigInvalid(
                "`input` must be two finite numbers, black below white".into(),
            ));
        }
        match self {
            Self::VqVae(c) => {
                rgb_only("in_channels", c.in_channels)?;
                within("hidden", c.hidden, MAX_WIDTH)?;
                within("residual_hidden", c.residual_hidden, MAX_WIDTH)?;
                within("residual_layers", c.residual_layers, 64)?;
                within("downsamplings", c.downsamplings, MAX_LEVELS)?;
                if c.hidden % 2 != 0 {
                    return Err(Error::ConfigInvalid("`hidden` must be even".into()));
                }
            }
            Self::VqGan(c) => {
                within("ch", c.ch, MAX_WIDTH)?;
                within("ch_mult (its length)", c.ch_mult.len(), MAX_LEVELS)?;
                within("num_res_blocks", c.num_res_blocks, 64)?;
                within("resolution", c.resolution, 1 << 16)?;
                rgb_only("in_channels", c.in_channels)?;
                rgb_only("out_ch", c.out_ch)?;
                within("z_channels", c.z_channels, MAX_WIDTH)?;
                within("norm_groups", c.norm_groups, MAX_WIDTH)?;
                if !(c.norm_eps.is_finite() && c.norm_eps > 0.0) {
                    return Err(Error::ConfigInvalid("`norm_eps` must be positive".into()));
                }
                // The encoder's first block normalises `ch` channels as they come.
                for width in c.widths()?.into_iter().chain([c.ch]) {
                    within("ch × ch_mult", width, MAX_WIDTH)?;
                    if width % c.norm_groups != 0 {
                        return Err(Error::ConfigInvalid(format!(
                            "`norm_groups` {} does not divide the width {width}",
                            c.norm_groups
                        )));
                    }
                }
            }
        }
        Ok(())
    }
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
    /// Width of each level, finest first.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] when a product overflows.
    pub fn widths(&self) -> Result<Vec<usize>> {
        self.ch_mult
            .iter()
            .map(|m| {
                m.checked_mul(self.ch)
                    .ok_or_else(|| Error::ConfigInvalid("`ch_mult` is too large".into()))
            })
            .collect()
    }

    /// How every group normalisation of this model is built.
    pub fn norm(&self) -> crate::nn::Norm {
        crate::nn::Norm {
            groups: self.norm_groups,
            eps: self.norm_eps,
        }
    }

    /// Nominal side at level `i`, which decides whether attention follows its blocks.
    pub fn level_resolution(&self, level: usize) -> usize {
        self.resolution.checked_shr(level as u32).unwrap_or(0)
    }

    /// Whether attention follows the blocks of level `i`.
    pub fn attends(&self, level: usize) -> bool {
        self.attn_resolutions
            .contains(&self.level_resolution(level))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_valid_and_survive_json() {
        for name in ModelConfig::PRESETS {
            let config = ModelConfig::preset(name).unwrap();
            config.validate().unwrap();
            let json = config.to_json().unwrap();
            assert_eq!(ModelConfig::from_json(&json).unwrap(), config, "{name}");
        }
    }

    #[test]
    fn a_typo_names_the_field() {
        let json = ModelConfig::preset("photos-f8").unwrap().to_json().unwrap();
        let error = ModelConfig::from_json(&json.replace("z_channels", "z_chanels")).unwrap_err();
        assert_eq!(error.code(), "config_invalid");
        assert!(error.to_string().contains("z_chanels"), "{error}");
    }

    #[test]
    fn impossible_sizes_are_refused() {
        let json = ModelConfig::preset("vqgan-tiny")
            .unwrap()
            .to_json()
            .unwrap();
        for (from, to) in [
            ("\"ch\":4", "\"ch\":0"),
            ("\"ch\":4", "\"ch\":5"),
            ("\"n_embed\":32", "\"n_embed\":99999999"),
            ("\"ch_mult\":[1,2,2]", "\"ch_mult\":[]"),
            ("\"ch_mult\":[1,2,2]", "\"ch_mult\":[18446744073709551615]"),
            ("\"input\":[-1.0,1.0]", "\"input\":[1.0,1.0]"),
            ("\"in_channels\":3", "\"in_channels\":1"),
            ("\"out_ch\":3", "\"out_ch\":4"),
        ] {
            let bad = json.replace(from, to);
            assert_ne!(bad, json, "{from} is not in {json}");
            assert_eq!(
                ModelConfig::from_json(&bad).unwrap_err().code(),
                "config_invalid",
                "{to}"
            );
        }
    }
}
