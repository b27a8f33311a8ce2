use serde::{Deserialize, Serialize};

use super::{Norm, Spatial};
use crate::error::{Error, Result};
use crate::fields::{
    MAX_LEVELS, MAX_WIDTH, input_range, micro, rgb, rgb_only, signed, thirty_two, within, yes,
};

/// The encoder and decoder that VQ-GAN and AutoencoderKL share, with the field names of
/// taming-transformers' `ddconfig`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkConfig {
    /// Base number of channels, multiplied by `ch_mult`; also the output channels of the encoder's
    /// first convolution.
    pub ch: usize,
    /// Channel multiplier of each level, finest first. There is one down-sampling between two
    /// levels.
    pub ch_mult: Vec<usize>,
    /// Residual blocks per encoder level; the decoder has one more. With MaskGIT's layers, the
    /// decoder and the middle blocks have the same number.
    pub num_res_blocks: usize,
    /// Nominal resolutions of the levels whose blocks are followed by attention.
    #[serde(default)]
    pub attn_resolutions: Vec<usize>,
    /// Whether the middle block contains attention (taming: always, MaskGIT: never).
    #[serde(default = "yes")]
    pub mid_attention: bool,
    /// Nominal input resolution in pixels. It only determines where attention is applied.
    pub resolution: usize,
    /// Number of input channels.
    #[serde(default = "rgb")]
    pub in_channels: usize,
    /// Number of output channels.
    #[serde(default = "rgb")]
    pub out_ch: usize,
    /// Number of latent channels that the decoder takes. The encoder outputs as many, or twice as
    /// many if it outputs a mean and a variance.
    pub z_channels: usize,
    /// Number of groups in every group normalisation (published models: 32).
    #[serde(default = "thirty_two")]
    pub norm_groups: usize,
    /// ε of every group normalisation (published models: 1e-6).
    #[serde(default = "micro")]
    pub norm_eps: f64,
    /// Values of black and white in the network's input and output.
    #[serde(default = "signed")]
    pub input: [f32; 2],
    /// Which architecture's layers the levels use.
    #[serde(default)]
    pub layers: Layers,
    /// The decoder's normalisation.
    #[serde(default)]
    pub decoder_norm: DecoderNorm,
    /// Output channels of the encoder's first convolution, if different from `ch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stem: Option<usize>,
    /// The decoder's levels, if they do not mirror the encoder's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoder: Option<DecoderConfig>,
}

/// A decoder whose channel counts or attention differ from its encoder's, such as MAR's (no
/// attention in its levels) and FLUX.2's small one (narrower). Fields as in [`NetworkConfig`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecoderConfig {
    /// Base number of channels, multiplied by `ch_mult`.
    pub ch: usize,
    /// Channel multiplier of each level, finest first; one per encoder level.
    pub ch_mult: Vec<usize>,
    /// Nominal resolutions of the levels whose blocks are followed by attention.
    pub attn_resolutions: Vec<usize>,
    /// Whether the middle block contains attention.
    pub mid_attention: bool,
}

/// The two ways published VQ-GANs build their levels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layers {
    /// taming-transformers'.
    #[default]
    Taming,
    /// MaskGIT's (Chang et al. 2022, <https://arxiv.org/abs/2202.04200>).
    MaskGit,
}

/// The decoder's normalisation; the encoder always uses plain group normalisation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecoderNorm {
    /// Group normalisation.
    #[default]
    Group,
    /// Group normalisation with scale and shift computed from the latents, as in MoVQ (Zheng et al.
    /// 2022, <https://arxiv.org/abs/2209.09002>).
    Spatial,
}

impl NetworkConfig {
    /// A network of taming-transformers' layers with one block per level; see
    /// [`NetworkConfig::published`] for the configuration of published models.
    pub fn small(ch: usize, ch_mult: &[usize], z_channels: usize, norm_groups: usize) -> Self {
        Self {
            ch,
            ch_mult: ch_mult.to_vec(),
            num_res_blocks: 1,
            attn_resolutions: vec![],
            mid_attention: true,
            resolution: 256,
            in_channels: 3,
            out_ch: 3,
            z_channels,
            norm_groups,
            norm_eps: micro(),
            input: signed(),
            layers: Layers::Taming,
            decoder_norm: DecoderNorm::Group,
            stem: None,
            decoder: None,
        }
    }

    /// The configuration of published models: 128 base channels, two blocks per level, 32 groups.
    pub fn published(ch_mult: &[usize], attn_resolutions: &[usize], z_channels: usize) -> Self {
        Self {
            num_res_blocks: 2,
            attn_resolutions: attn_resolutions.to_vec(),
            ..Self::small(128, ch_mult, z_channels, 32)
        }
    }

    /// The same network with the usually omitted fields written out.
    pub fn with_optional_fields(self) -> Self {
        Self {
            stem: Some(self.ch),
            decoder: Some(DecoderConfig {
                ch: self.ch,
                ch_mult: self.ch_mult.clone(),
                attn_resolutions: self.attn_resolutions.clone(),
                mid_attention: self.mid_attention,
            }),
            ..self
        }
    }

    /// Channels of the widest activation at full resolution.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] if a product overflows.
    pub fn widest(&self) -> Result<usize> {
        // The finest up-sampling convolves at full resolution with the next level's channels.
        let (down, up) = (self.widths()?, self.decoding().widths()?);
        let outer = down.into_iter().take(2).chain(up.into_iter().take(2));
        Ok(outer.fold(self.first_width(), usize::max))
    }

    /// Output channels of the encoder's first convolution.
    pub fn first_width(&self) -> usize {
        self.stem.unwrap_or(self.ch)
    }

    /// The same network with the decoder's channels and attention in place of the encoder's.
    pub fn decoding(&self) -> Self {
        match &self.decoder {
            None => self.clone(),
            Some(decoder) => Self {
                ch: decoder.ch,
                ch_mult: decoder.ch_mult.clone(),
                attn_resolutions: decoder.attn_resolutions.clone(),
                mid_attention: decoder.mid_attention,
                stem: None,
                decoder: None,
                ..self.clone()
            },
        }
    }

    /// Number of channels of each level, finest first.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] if a product overflows.
    pub fn widths(&self) -> Result<Vec<usize>> {
        self.ch_mult
            .iter()
            .map(|m| {
                m.checked_mul(self.ch)
                    .ok_or_else(|| Error::ConfigInvalid("`ch_mult` is too large".into()))
            })
            .collect()
    }

    /// The group normalisation used throughout this model.
    pub fn norm(&self) -> Norm {
        Norm {
            groups: self.norm_groups,
            eps: self.norm_eps,
        }
    }

    /// Down-sampling factor: pixels per latent along each axis.
    pub fn factor(&self) -> usize {
        1 << (self.ch_mult.len() - 1)
    }

    /// Nominal resolution at level `i`, which determines whether attention follows its blocks.
    pub fn level_resolution(&self, level: usize) -> usize {
        self.resolution.checked_shr(level as u32).unwrap_or(0)
    }

    /// Whether attention follows the blocks of level `i`.
    pub fn attends(&self, level: usize) -> bool {
        self.attn_resolutions
            .contains(&self.level_resolution(level))
    }

    /// Checks that an encoder and a decoder can be built from this config.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`], naming the field.
    pub fn validate(&self) -> Result<()> {
        input_range(self.input)?;
        within("ch", self.ch, MAX_WIDTH)?;
        within("ch_mult (its length)", self.ch_mult.len(), MAX_LEVELS)?;
        within("num_res_blocks", self.num_res_blocks, 64)?;
        within("resolution", self.resolution, 1 << 16)?;
        rgb_only("in_channels", self.in_channels)?;
        rgb_only("out_ch", self.out_ch)?;
        within("z_channels", self.z_channels, MAX_WIDTH)?;
        within("norm_groups", self.norm_groups, MAX_WIDTH)?;
        if !(self.norm_eps.is_finite() && self.norm_eps > 0.0) {
            return Err(Error::ConfigInvalid("`norm_eps` must be positive".into()));
        }
        // The encoder's first block normalises the first convolution's output.
        self.validate_widths(self.first_width())?;
        if let Some(decoder) = &self.decoder {
            within("decoder.ch", decoder.ch, MAX_WIDTH)?;
            if decoder.ch_mult.len() != self.ch_mult.len() {
                return Err(Error::ConfigInvalid(
                    "`decoder.ch_mult` must have as many levels as `ch_mult`".into(),
                ));
            }
            self.decoding().validate_widths(decoder.ch)?;
        }
        match (self.layers, self.decoder_norm) {
            (Layers::Taming, DecoderNorm::Group) => Ok(()),
            (Layers::Taming, DecoderNorm::Spatial) => self.validate_spatial(),
            (Layers::MaskGit, DecoderNorm::Group) => self.validate_maskgit(),
            (Layers::MaskGit, DecoderNorm::Spatial) => Err(Error::ConfigInvalid(
                "`decoder_norm` cannot be spatial with MaskGIT's layers".into(),
            )),
        }
    }

    /// Checks the number of channels of every level, and `first`.
    fn validate_widths(&self, first: usize) -> Result<()> {
        for width in self.widths()?.into_iter().chain([first]) {
            within("ch × ch_mult", width, MAX_WIDTH)?;
            if width % self.norm_groups != 0 {
                return Err(Error::ConfigInvalid(format!(
                    "`norm_groups` {} does not divide the width {width}",
                    self.norm_groups
                )));
            }
        }
        Ok(())
    }

    fn validate_spatial(&self) -> Result<()> {
        let groups = Spatial::NORM.groups;
        let widths = self.decoding().widths()?;
        match widths.into_iter().find(|width| width % groups != 0) {
            None => Ok(()),
            Some(width) => Err(Error::ConfigInvalid(format!(
                "the {groups} groups of a spatial `decoder_norm` do not divide the width {width}"
            ))),
        }
    }

    fn validate_maskgit(&self) -> Result<()> {
        if self.decoder.is_some() {
            return Err(Error::ConfigInvalid(
                "`decoder` must be absent with MaskGIT's layers".into(),
            ));
        }
        if self.mid_attention || !self.attn_resolutions.is_empty() {
            return Err(Error::ConfigInvalid(
                "`mid_attention` must be false and `attn_resolutions` empty with MaskGIT's layers"
                    .into(),
            ));
        }
        Ok(())
    }
}
