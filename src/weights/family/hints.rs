use serde::Deserialize;

use crate::error::{Error, Result, one_line, shown};
use crate::models::{AutoencoderConfig, QuantizerKind};
use crate::nn::NetworkConfig;
use crate::weights::sniff;

/// What a `config.json`, in this project's or diffusers' format, can add to the shapes. Other
/// fields are ignored: the shapes determine them.
#[derive(Debug, Deserialize)]
struct Hints {
    #[serde(alias = "norm_num_groups")]
    norm_groups: Option<usize>,
    norm_eps: Option<f64>,
    #[serde(alias = "sample_size")]
    resolution: Option<usize>,
    input: Option<[f32; 2]>,
    quantizer: Option<QuantizerKind>,
    act_fn: Option<String>,
    tanh_out: Option<bool>,
    scaling_factor: Option<serde_json::Value>,
    shift_factor: Option<serde_json::Value>,
}

impl Hints {
    fn read(json: &str) -> Result<Self> {
        serde_json::from_str(json).map_err(|e| {
            Error::ConfigInvalid(match sniff::is_yaml(json) {
                true => {
                    "the config file is YAML, but only JSON is supported: what the shapes do not \
                     determine can be given in a JSON file, as {\"norm_groups\": 32}"
                        .to_owned()
                }
                false => format!("the config file: {}", one_line(e)),
            })
        })
    }

    /// Rejects networks that compute something different in ways that their tensors do not show.
    fn refuse(&self) -> Result<()> {
        let refused = |what: String| Err(Error::ConfigInvalid(what));
        match (&self.act_fn, self.tanh_out) {
            (Some(name), _) if !["silu", "swish"].contains(&name.to_lowercase().as_str()) => {
                refused(format!(
                    "`act_fn` is {}, but only silu is supported",
                    shown(name)
                ))
            }
            (_, Some(true)) => refused("`tanh_out` is true, which is not supported".to_owned()),
            _ => Ok(()),
        }
    }
}

/// The levels with attention in `before`, as resolutions in `after`.
fn moved(before: &NetworkConfig, after: &NetworkConfig) -> Vec<usize> {
    let levels = (0..before.ch_mult.len()).filter(|&level| before.attends(level));
    levels.map(|level| after.level_resolution(level)).collect()
}

/// Replaces assumed values with those in `json`.
pub fn apply(
    config: &mut AutoencoderConfig,
    json: &str,
    assumed: &mut Vec<&'static str>,
) -> Result<()> {
    let hints = Hints::read(json)?;
    hints.refuse()?;
    let mut told = |name: &str| assumed.retain(|field| *field != name);
    if let (AutoencoderConfig::VqGan(vqgan), Some(quantizer)) = (&mut *config, hints.quantizer) {
        vqgan.quantizer = quantizer;
        told("quantizer");
    }
    if let AutoencoderConfig::Kl(kl) = &mut *config {
        // Not needed to decode, so anything that is not a usable number is ignored.
        let number = |value: &Option<serde_json::Value>| {
            let value = value.as_ref()?.as_f64()? as f32;
            value.is_finite().then_some(value)
        };
        kl.scaling_factor = number(&hints.scaling_factor).filter(|scale| *scale > 0.0);
        kl.shift_factor = number(&hints.shift_factor);
    }
    if let Some(given) = hints.input {
        *config.input_range_mut() = given;
        told("input");
    }
    let Some(network) = config.network_config_mut() else {
        return Ok(());
    };
    if let Some(groups) = hints.norm_groups {
        network.norm_groups = groups;
        told("norm_groups");
    }
    if let Some(eps) = hints.norm_eps {
        network.norm_eps = eps;
        told("norm_eps");
    }
    // A nominal resolution too small to halve at every level would be the same at two levels.
    let halvings = network.ch_mult.len().saturating_sub(1) as u32;
    let halves = |side: &usize| side.checked_shr(halvings).is_some_and(|side| side > 0);
    if let Some(resolution) = hints.resolution.filter(halves) {
        let before = network.clone();
        network.resolution = resolution;
        network.attn_resolutions = moved(&before, network);
        let own = moved(&before.decoding(), network);
        if let Some(decoder) = &mut network.decoder {
            decoder.attn_resolutions = own;
        }
        told("resolution");
    }
    Ok(())
}
