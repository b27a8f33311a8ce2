//! Recognises a weight file's family and config from its tensor names and shapes.

mod aside;
mod diffusers;
mod flux;
mod hints;
mod llamagen;
mod mage;
mod priors;
mod recognised;
mod rename;
mod rosinality;
mod shape;
mod taming;

use std::collections::BTreeMap;

use aside::is_aside;
use diffusers::DIFFUSERS;
use flux::FLUX;
use llamagen::LLAMAGEN;
use mage::{MAGE, is_mage};
pub use recognised::{Family, Recognised};

use super::{CONFIG_KEY, Container, nest};
use crate::error::{Error, Result};
use crate::models::{AutoencoderConfig, ModelConfig, QuantizerKind};
use crate::nn::Layers;

impl Recognised {
    /// Recognises the prior in `file`, also where there is an autoencoder next to it; otherwise as
    /// [`Recognised::of`].
    ///
    /// # Errors
    /// The errors of [`Recognised::of`].
    pub fn prior_of(file: &Container, hints: Option<&str>) -> Result<Self> {
        match priors::recognise(file, hints)? {
            Some(prior) if file.metadata(CONFIG_KEY).is_none() => Ok(prior),
            _ => Self::of(file, hints),
        }
    }

    /// Recognises `file`; of an autoencoder and a prior, the autoencoder. `hints` is the text of a `config.json` that came with it, from this
    /// project or diffusers, and provides what the shapes leave open.
    ///
    /// # Errors
    /// [`Error::WeightsUnknown`] for an unknown family, [`Error::ConfigInvalid`] for an impossible
    /// config, [`Error::WeightsMismatch`] for shapes that contradict each other.
    pub fn of(file: &Container, hints: Option<&str>) -> Result<Self> {
        let ours = file.metadata(CONFIG_KEY).filter(|json| is_ours(json));
        // This project's own files use the model's names unchanged.
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
            return match priors::recognise(file, hints)? {
                Some(prior) => Ok(prior),
                None => Err(Error::WeightsUnknown),
            };
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
        // open-muse uses taming-transformers' names except for the layers it alone has.
        if let AutoencoderConfig::VqGan(vqgan) = &config
            && family == Family::Taming
            && vqgan.network.layers == Layers::MaskGit
        {
            family = Family::MaskGit;
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

/// If the invalid field was only assumed, explains how a config file can set it.
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
        "{fault}; the file does not say how many groups there are, so {} were assumed. A config \
         file next to it or `--config` can set the number, as {{\"norm_groups\": {most}}}; it \
         must divide {most}",
        network.norm_groups
    ))
}

/// Whether metadata under this project's key are this project's: others store their own config
/// there.
fn is_ours(json: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(json).is_ok_and(|value| value.get("kind").is_some())
}
