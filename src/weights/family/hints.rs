use serde::Deserialize;

use crate::config::{ModelConfig, QuantizerKind, VqVae2Config, VqVaeConfig};
use crate::error::{Error, Result, one_line};

/// What a `config.json` can add to the shapes, under this project's names or diffusers'. Other
/// fields are left alone: the shapes have told them already.
#[derive(Debug, Deserialize)]
struct Hints {
    #[serde(alias = "norm_num_groups")]
    norm_groups: Option<usize>,
    norm_eps: Option<f64>,
    #[serde(alias = "sample_size")]
    resolution: Option<usize>,
    input: Option<[f32; 2]>,
    quantizer: Option<QuantizerKind>,
}

/// Replaces what was assumed by what `json` says.
pub fn apply(config: &mut ModelConfig, json: &str, assumed: &mut Vec<&'static str>) -> Result<()> {
    let hints: Hints = serde_json::from_str(json)
        .map_err(|e| Error::ConfigInvalid(format!("the config file: {}", one_line(e))))?;
    let mut told = |name: &str| assumed.retain(|field| *field != name);
    if let (ModelConfig::VqGan(vqgan), Some(quantizer)) = (&mut *config, hints.quantizer) {
        vqgan.quantizer = quantizer;
        told("quantizer");
    }
    let network = match config {
        ModelConfig::VqGan(c) => &mut c.network,
        ModelConfig::Kl(c) => &mut c.network,
        ModelConfig::VqVae(VqVaeConfig { input, .. })
        | ModelConfig::VqVae2(VqVae2Config { input, .. }) => {
            if let Some(given) = hints.input {
                *input = given;
                told("input");
            }
            return Ok(());
        }
    };
    if let Some(given) = hints.input {
        network.input = given;
        told("input");
    }
    if let Some(groups) = hints.norm_groups {
        network.norm_groups = groups;
        told("norm_groups");
    }
    if let Some(eps) = hints.norm_eps {
        network.norm_eps = eps;
        told("norm_eps");
    }
    // A nominal side too small to halve at every level would give two levels one side.
    let halvings = network.ch_mult.len().saturating_sub(1) as u32;
    let halves = |side: &usize| side.checked_shr(halvings).is_some_and(|side| side > 0);
    if let Some(resolution) = hints.resolution.filter(halves) {
        let levels: Vec<usize> = (0..network.ch_mult.len())
            .filter(|&level| network.attends(level))
            .collect();
        network.resolution = resolution;
        network.attn_resolutions = levels
            .into_iter()
            .map(|level| network.level_resolution(level))
            .collect();
        told("resolution");
    }
    Ok(())
}
