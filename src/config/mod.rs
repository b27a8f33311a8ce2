//! What a model is made of: the one description that the command line, the weight file's metadata
//! and JavaScript share, as JSON.

mod kinds;
mod network;
mod presets;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use kinds::{KlConfig, QuantizerKind, VqGanConfig, VqVae2Config, VqVaeConfig};
pub use network::{DecoderConfig, DecoderNorm, Layers, NetworkConfig};

use crate::error::{Error, Result, one_line};

/// Any model of this crate. In JSON the field `kind` tells which; a field of no meaning is refused
/// by its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", tag = "kind", rename_all = "lowercase")]
pub enum ModelConfig {
    /// VQ-VAE (van den Oord et al. 2017, <https://arxiv.org/abs/1711.00937>).
    VqVae(VqVaeConfig),
    /// VQ-GAN's autoencoder (Esser et al. 2021, <https://arxiv.org/abs/2012.09841>).
    VqGan(VqGanConfig),
    /// AutoencoderKL (Kingma and Welling 2013, <https://arxiv.org/abs/1312.6114>; Rombach et al.
    /// 2021, <https://arxiv.org/abs/2112.10752>): no codebook, so no tokens.
    Kl(KlConfig),
    /// VQ-VAE-2 (Razavi et al. 2019, <https://arxiv.org/abs/1906.00446>): two grids of tokens.
    VqVae2(VqVae2Config),
}

/// [`ModelConfig`] as serde reads it. Flattened structs cannot deny unknown fields themselves.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Lenient {
    VqVae(VqVaeConfig),
    VqGan(VqGanConfig),
    Kl(KlConfig),
    VqVae2(VqVae2Config),
}

impl TryFrom<Value> for ModelConfig {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let text = |e: serde_json::Error| e.to_string();
        // Nearly every field is always written, so any model of the kind knows them. What is unknown
        // comes first: it may be the misspelt name of what would then be missing.
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or("");
        let optional = match kind {
            "vqgan" | "kl" => &NetworkConfig::OPTIONAL[..],
            _ => &[],
        };
        if let Ok(example) = Self::preset(&format!("{kind}-tiny"))
            && let Value::Object(known) = serde_json::to_value(example).map_err(text)?
            && let Value::Object(given) = &value
            && let Some(name) = given
                .keys()
                .find(|name| !known.contains_key(*name) && !optional.contains(&name.as_str()))
        {
            return Err(format!("unknown field `{name}`"));
        }
        Ok(match serde_json::from_value(value).map_err(text)? {
            Lenient::VqVae(c) => Self::VqVae(c),
            Lenient::VqGan(c) => Self::VqGan(c),
            Lenient::Kl(c) => Self::Kl(c),
            Lenient::VqVae2(c) => Self::VqVae2(c),
        })
    }
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
            serde_json::from_str(json).map_err(|e| Error::ConfigInvalid(one_line(e)))?;
        config.validate()?;
        Ok(config)
    }

    /// The config as one line of JSON.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|e| Error::Internal(e.to_string()))
    }

    /// `vqvae`, `vqgan`, `kl` or `vqvae2`, as in the JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::VqVae(_) => "vqvae",
            Self::VqGan(_) => "vqgan",
            Self::Kl(_) => "kl",
            Self::VqVae2(_) => "vqvae2",
        }
    }

    /// What a picture's sides are padded to a multiple of: pixels that one of the coarsest latents
    /// stands for along each side.
    pub fn factor(&self) -> usize {
        match self {
            Self::VqVae(c) => 1 << c.downsamplings,
            Self::VqGan(c) => c.network.factor(),
            Self::Kl(c) => c.network.factor(),
            Self::VqVae2(_) => 8,
        }
    }

    /// For each grid of tokens, coarsest first, the pixels that one token stands for along each
    /// side. Empty for a model without a codebook.
    pub fn grids(&self) -> Vec<usize> {
        match self {
            Self::VqVae(_) | Self::VqGan(_) => vec![self.factor()],
            Self::Kl(_) => vec![],
            Self::VqVae2(_) => vec![8, 4],
        }
    }

    /// Number of codebook entries, K, of each codebook; 0 without one.
    pub fn codes(&self) -> usize {
        match self {
            Self::VqVae(c) => c.n_embed,
            Self::VqGan(c) => c.n_embed,
            Self::Kl(_) => 0,
            Self::VqVae2(c) => c.n_embed,
        }
    }

    /// Width of a codebook entry, D; of the latent where there is no codebook.
    pub fn embed_dim(&self) -> usize {
        match self {
            Self::VqVae(c) => c.embed_dim,
            Self::VqGan(c) => c.embed_dim,
            Self::Kl(c) => c.embed_dim,
            Self::VqVae2(c) => c.embed_dim,
        }
    }

    /// Value of black and of white in the network's input and output.
    pub fn input_range(&self) -> [f32; 2] {
        match self {
            Self::VqVae(c) => c.input,
            Self::VqGan(c) => c.network.input,
            Self::Kl(c) => c.network.input,
            Self::VqVae2(c) => c.input,
        }
    }

    /// Checks that a model can be built from this.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] names the field.
    pub fn validate(&self) -> Result<()> {
        let [low, high] = self.input_range();
        if !(low.is_finite() && high.is_finite() && low < high) {
            return Err(Error::ConfigInvalid(
                "`input` must be two finite numbers, black below white".into(),
            ));
        }
        match self {
            Self::VqVae(c) => c.validate(),
            Self::VqGan(c) => c.validate(),
            Self::Kl(c) => c.validate(),
            Self::VqVae2(c) => c.validate(),
        }
    }
}

fn within(name: &str, value: usize, max: usize) -> Result<()> {
    if (1..=max).contains(&value) {
        Ok(())
    } else {
        Err(Error::ConfigInvalid(format!(
            "`{name}` is {value}, outside 1 to {max}"
        )))
    }
}

fn rgb_only(name: &str, value: usize) -> Result<()> {
    if value == 3 {
        Ok(())
    } else {
        Err(Error::ConfigInvalid(format!(
            "`{name}` is {value}, but pictures have 3 channels here"
        )))
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
            assert!(json.contains(&format!("\"kind\":\"{}\"", config.kind())));
        }
    }

    #[test]
    fn json_is_flat_and_complete() {
        let json = ModelConfig::preset("kl-tiny").unwrap().to_json().unwrap();
        let fields: Value = serde_json::from_str(&json).unwrap();
        for (name, value) in [
            ("ch", Value::from(4)),
            ("layers", "taming".into()),
            ("decoder_norm", "group".into()),
            ("quant_conv", true.into()),
        ] {
            assert_eq!(fields[name], value, "{json}");
        }
    }

    #[test]
    fn a_typo_names_the_field() {
        // One that must be there, one that may be absent, and one of another kind.
        for (preset, from, to) in [
            ("photos-f8", "z_channels", "z_chanels"),
            ("photos-f8", "mid_attention", "mid_atention"),
            ("vqvae-tiny", "hidden", "hiden"),
            ("kl-tiny", "quant_conv", "quantizer"),
            ("vqvae2-tiny", "residual_layers", "downsamplings"),
        ] {
            let json = ModelConfig::preset(preset).unwrap().to_json().unwrap();
            let bad = json.replace(&format!("\"{from}\""), &format!("\"{to}\""));
            assert_ne!(bad, json, "{from} is not in {json}");
            let error = ModelConfig::from_json(&bad).unwrap_err();
            assert_eq!(error.code(), "config_invalid");
            assert!(error.to_string().contains(to), "{error}");
        }
        for json in ["{}", "[]", "4", "{\"kind\": \"gan\"}", "{\"kind\": 4}"] {
            let error = ModelConfig::from_json(json).unwrap_err();
            assert_eq!(error.code(), "config_invalid", "{json}");
        }
    }

    #[test]
    fn impossible_sizes_are_refused() {
        for (preset, from, to) in [
            ("vqgan-tiny", "\"ch\":4", "\"ch\":0"),
            ("vqgan-tiny", "\"ch\":4", "\"ch\":5"),
            ("vqgan-tiny", "\"n_embed\":32", "\"n_embed\":99999999"),
            ("vqgan-tiny", "\"ch_mult\":[1,2,2]", "\"ch_mult\":[]"),
            (
                "vqgan-tiny",
                "\"ch_mult\":[1,2,2]",
                "\"ch_mult\":[18446744073709551615]",
            ),
            ("vqgan-tiny", "\"input\":[-1.0,1.0]", "\"input\":[1.0,1.0]"),
            ("vqgan-tiny", "\"in_channels\":3", "\"in_channels\":1"),
            ("vqgan-tiny", "\"out_ch\":3", "\"out_ch\":4"),
            ("kl-tiny", "\"ch\":4", "\"ch\":5"),
            ("kl-tiny", "\"embed_dim\":2", "\"embed_dim\":0"),
            // Without the convolution nothing makes one of the other.
            ("kl-tiny", "\"quant_conv\":true", "\"quant_conv\":false"),
            ("vqvae2-tiny", "\"hidden\":16", "\"hidden\":15"),
            ("vqvae2-tiny", "\"n_embed\":32", "\"n_embed\":0"),
            (
                "vqvae2-tiny",
                "\"residual_layers\":2",
                "\"residual_layers\":65",
            ),
        ] {
            let json = ModelConfig::preset(preset).unwrap().to_json().unwrap();
            let bad = json.replace(from, to);
            assert_ne!(bad, json, "{from} is not in {json}");
            assert_eq!(
                ModelConfig::from_json(&bad).unwrap_err().code(),
                "config_invalid",
                "{to}"
            );
        }
    }

    #[test]
    fn layers_and_norms_go_together() {
        for (preset, change, named) in [
            ("vqgan-tiny", r#"{"decoder_norm": "spatial"}"#, "32 groups"),
            ("vqgan-tiny", r#"{"layers": "maskgit"}"#, "mid_attention"),
            (
                "vqgan-tiny",
                r#"{"layers": "maskgit", "mid_attention": false, "attn_resolutions": [64]}"#,
                "attn_resolutions",
            ),
            (
                "vqgan-tiny",
                r#"{"layers": "maskgit", "mid_attention": false, "embed_dim": 4}"#,
                "embed_dim",
            ),
            (
                "vqgan-tiny",
                r#"{"layers": "maskgit", "decoder_norm": "spatial", "ch": 32}"#,
                "decoder_norm",
            ),
            (
                "kl-tiny",
                r#"{"decoder_norm": "spatial", "ch": 32}"#,
                "VQ-GAN",
            ),
            (
                "kl-tiny",
                r#"{"layers": "maskgit", "mid_attention": false}"#,
                "VQ-GAN",
            ),
            ("vqgan-tiny", r#"{"decoder_norm": "spatial", "ch": 32}"#, ""),
            (
                "vqgan-tiny",
                r#"{"layers": "maskgit", "mid_attention": false}"#,
                "",
            ),
        ] {
            let config = ModelConfig::preset(preset).unwrap();
            let mut json = serde_json::to_value(config).unwrap();
            let changes: Value = serde_json::from_str(change).unwrap();
            for (name, value) in changes.as_object().unwrap() {
                json[name] = value.clone();
            }
            let said = match ModelConfig::from_json(&json.to_string()) {
                Ok(_) => String::new(),
                Err(error) => error.to_string(),
            };
            assert!(said.contains(named), "{change}: {said}");
            assert_eq!(said.is_empty(), named.is_empty(), "{change}: {said}");
        }
    }
}
