//! Whose weights a file holds: its family and configuration, from names and shapes.

mod aside;
mod diffusers;
mod flux;
mod hints;
mod llamagen;
mod mage;
mod rename;
mod rosinality;
mod taming;

use std::collections::BTreeMap;
use std::fmt;

use aside::is_aside;
use diffusers::DIFFUSERS;
use flux::FLUX;
use llamagen::LLAMAGEN;
use mage::{MAGE, is_mage};

use super::{CONFIG_KEY, Container, nest};
use crate::error::{Error, Result};
use crate::models::{AutoencoderConfig, ModelConfig, QuantizerKind};
use crate::nn::Layers;

/// Where a weight file comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// This project's format: the config is in the header.
    Tesserae,
    /// taming-transformers `VQModel` and `GumbelVQ`, and latent-diffusion's first stages, VQ and KL,
    /// which share their names.
    Taming,
    /// diffusers `VQModel` and `AutoencoderKL`.
    Diffusers,
    /// LlamaGen's tokenizers, and Janus's.
    LlamaGen,
    /// MaskGIT's tokenizer as open-muse has it.
    MaskGit,
    /// MaskGIT's tokenizer as MAGE has it.
    Mage,
    /// rosinality's VQ-VAE-2.
    Rosinality,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tesserae => "tesserae",
            Self::Taming => "taming-transformers or latent-diffusion",
            Self::Diffusers => "diffusers",
            Self::LlamaGen => "LlamaGen",
            Self::MaskGit => "open-muse MaskGIT-VQGAN",
            Self::Mage => "MAGE",
            Self::Rosinality => "rosinality's VQ-VAE-2",
        })
    }
}

/// A weight file that is understood: what it is, and which of its tensors the model takes.
#[derive(Debug)]
pub struct Recognised {
    /// Where the file comes from.
    pub family: Family,
    /// The model that its tensors make.
    pub config: ModelConfig,
    /// Fields of the config that neither the shapes nor the file told, at the family's published
    /// value.
    pub assumed: Vec<&'static str>,
    /// The file's name of each of the model's tensors.
    pub names: BTreeMap<String, String>,
    /// Tensors that are no part of the autoencoder: losses, discriminators, averages, the rest of a
    /// larger checkpoint.
    pub aside: Vec<String>,
    /// What all of its tensors' names begin with; mostly nothing. Training scripts wrap models in
    /// others, and larger checkpoints keep them beside others.
    pub prefix: String,
    /// What the names of other autoencoders in the file begin with, such as of the one that this is
    /// a moving average of.
    pub others: Vec<String>,
}

impl Recognised {
    /// Recognises `file`. `hints` is the text of a `config.json` that came with it, of this
    /// project or of diffusers, and settles what shapes cannot.
    ///
    /// # Errors
    /// [`Error::WeightsUnknown`] for names of no known family, [`Error::ConfigInvalid`] for a config
    /// that cannot be, [`Error::WeightsMismatch`] for shapes that contradict each other.
    pub fn of(file: &Container, hints: Option<&str>) -> Result<Self> {
        let ours = file.metadata(CONFIG_KEY).filter(|json| is_ours(json));
        // This project's own files have their names as they are.
        let (prefix, others) = match ours {
            Some(_) => ("", vec![]),
            None => nest::prefix(file.names())?,
        };
        let mut aside = Vec::new();
        let mut names = BTreeMap::new();
        for name in file.names() {
            match name.strip_prefix(prefix) {
                Some(own) if !is_aside(own) => {
                    names.insert(own.to_owned(), name.to_owned());
                }
                _ => aside.push(name.to_owned()),
            }
        }
        if let Some(json) = ours {
            return Ok(Self {
                family: Family::Tesserae,
                config: ModelConfig::from_json(json)?,
                assumed: vec![],
                names,
                aside,
                prefix: String::new(),
                others: vec![],
            });
        }
        let any = |start: &str| names.keys().any(|name| name.starts_with(start));
        let (mut family, names) = if any("encoder.down_blocks.") {
            (Family::Diffusers, DIFFUSERS.to_taming(names)?)
        } else if any("encoder.conv_blocks.") {
            (Family::LlamaGen, LLAMAGEN.to_taming(names)?)
        } else if any("enc_b.blocks.") {
            (Family::Rosinality, rosinality::to_ours(names)?)
        } else if any("encoder.down.0.block.") {
            match is_mage(&names) {
                true => (Family::Mage, MAGE.to_taming(names)?),
                false => (Family::Taming, FLUX.to_taming(names)?),
            }
        } else {
            return Err(Error::WeightsUnknown);
        };
        let shape = |name: &str| names.get(name).and_then(|theirs| file.shape(theirs));
        let (mut config, mut assumed) = match family {
            Family::Rosinality => (rosinality::infer(shape)?, rosinality::ASSUMED.to_vec()),
            _ => (taming::infer(&names, shape)?, taming::ASSUMED.to_vec()),
        };
        if let (Family::LlamaGen, AutoencoderConfig::VqGan(vqgan)) = (family, &mut config) {
            vqgan.quantizer = QuantizerKind::Cosine;
            assumed.push("quantizer");
        }
        // Its names are taming-transformers' but for the layers that it has alone.
        if let AutoencoderConfig::VqGan(vqgan) = &config
            && family == Family::Taming
            && vqgan.network.layers == Layers::MaskGit
        {
            family = Family::MaskGit;
        }
        if let AutoencoderConfig::Kl(kl) = &mut config
            && (kl.network.factor(), kl.embed_dim) == (8, 4)
        {
            // Stable Diffusion's; latents of this shape are hardly ever anything else.
            kl.scaling_factor = Some(0.18215);
            assumed.push("scaling_factor");
        }
        if let Some(json) = hints {
            hints::apply(&mut config, json, &mut assumed)?;
        }
        config.validate().map_err(|e| mend(e, &config, &assumed))?;
        Ok(Self {
            family,
            config: config.into(),
            assumed,
            names,
            aside,
            prefix: prefix.to_owned(),
            others: others.into_iter().map(str::to_owned).collect(),
        })
    }
}

/// Adds to a config's fault how a config file would mend it, where it was only assumed.
fn mend(error: Error, config: &AutoencoderConfig, assumed: &[&str]) -> Error {
    let (Some(network), Error::ConfigInvalid(fault)) = (config.network_config(), &error) else {
        return error;
    };
    if !(fault.starts_with("`norm_groups`") && assumed.contains(&"norm_groups")) {
        return error;
    }
    let widths = [network.widths(), network.decoding().widths()];
    let widths = widths.into_iter().flatten().flatten();
    let most = widths.fold(network.first_width(), taming::greatest_divisor);
    Error::ConfigInvalid(format!(
        "{fault}; the file does not say how many groups there are, so that {} were assumed. A \
         config file beside it or `--config` can say, as {{\"norm_groups\": {most}}}: a number \
         that divides {most}",
        network.norm_groups
    ))
}

/// Whether metadata under the name that this project uses are this project's: others keep their own
/// config there.
fn is_ours(json: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(json).is_ok_and(|value| value.get("kind").is_some())
}

/// A side of a tensor that is to have so many.
fn side(name: &str, shape: Option<&[usize]>, sides: usize, axis: usize) -> Result<usize> {
    shape
        .filter(|shape| shape.len() == sides)
        .and_then(|shape| shape.get(axis).copied())
        .ok_or_else(|| Error::WeightsMismatch(format!("`{name}` is missing or misshapen")))
}
