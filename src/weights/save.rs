use std::collections::BTreeMap;

use burn::tensor::{DType, Device};
use burn_store::{
    BurnToPyTorchAdapter, FloatCastAdapter, ModuleAdapter, ModuleSnapshot, SafetensorsStore,
};
use serde::{Deserialize, Serialize};

use super::narrow::narrow;
use super::{CONFIG_KEY, NAME_KEY, TUNING_KEY, params};
use crate::config::ModelConfig;
use crate::error::{Error, Result};
use crate::models::Autoencoder;

/// How weights are stored; they are computed in f32 either way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Storage {
    /// Half precision: half the download.
    #[default]
    F16,
    /// Full precision: what training resumes from.
    F32,
    /// For transport: convolutions in 8 bits with a scale for each output channel, the rest, and
    /// the codebook with it, in f32.
    Int8,
}

/// What a weight file says of itself beside the config.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    /// The model's name.
    pub name: Option<&'a str>,
    /// How it was fine-tuned, as JSON.
    pub tuning: Option<&'a str>,
}

impl<'a> About<'a> {
    /// A name and no more.
    pub fn named(name: Option<&'a str>) -> Self {
        Self { name, tuning: None }
    }
}

/// Writes a weight file in this project's format.
///
/// # Errors
/// [`Error::Internal`] when a tensor cannot be read back from the device.
pub fn save(
    model: &Autoencoder,
    config: &ModelConfig,
    about: About<'_>,
    storage: Storage,
) -> Result<Vec<u8>> {
    let config = config.to_json()?;
    let metadata = [(CONFIG_KEY, config.as_str())];
    let name = about.name.map(|name| (NAME_KEY, name));
    let tuning = about.tuning.map(|tuning| (TUNING_KEY, tuning));
    file(
        model,
        metadata.into_iter().chain(name).chain(tuning),
        storage,
    )
}

/// A copy of `model` in the processor's memory, from which [`save`] can read in a browser, too.
///
/// # Errors
/// [`Error::DeviceLost`] when the device fails.
pub async fn on_host(model: &Autoencoder, config: &ModelConfig) -> Result<Autoencoder> {
    let mut values = params::values(model).await?;
    let copy = Autoencoder::new(config, &Device::flex())?;
    params::fill(copy, |name| {
        let value = values.remove(name).map(|(_, values)| values);
        value.ok_or_else(|| Error::Internal(format!("the model has no `{name}`")))
    })
}

/// A safetensors file of any module's parameters.
///
/// # Errors
/// [`Error::Internal`] when a tensor cannot be read back from the device.
pub(super) fn file<'a>(
    module: &impl ModuleSnapshot,
    metadata: impl IntoIterator<Item = (&'a str, &'a str)>,
    storage: Storage,
) -> Result<Vec<u8>> {
    let dtype = match storage {
        Storage::F16 => DType::F16,
        Storage::F32 | Storage::Int8 => DType::F32,
    };
    let store = SafetensorsStore::from_bytes(None)
        .with_to_adapter(BurnToPyTorchAdapter.chain(FloatCastAdapter::to(dtype)))
        .skip_enum_variants(true)
        .clear_metadata();
    let mut store = metadata
        .into_iter()
        .fold(store, |store, (key, value)| store.metadata(key, value));
    let internal = |e: burn_store::SafetensorsStoreError| Error::Internal(e.to_string());
    module.save_into(&mut store).map_err(internal)?;
    let file = store.get_bytes().map_err(internal)?;
    in_order(match storage {
        Storage::Int8 => narrow(&file)?,
        Storage::F16 | Storage::F32 => file,
    })
}

/// The same file with its header's keys in order: equal weights then make equal files, and one
/// checksum. (The metadata come out of a hash map.)
fn in_order(file: Vec<u8>) -> Result<Vec<u8>> {
    let malformed = || Error::Internal("a weight file without a header was written".into());
    let (length, rest) = file.split_first_chunk::<8>().ok_or_else(malformed)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| malformed())?;
    let (header, data) = rest.split_at_checked(length).ok_or_else(malformed)?;
    let header: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(header).map_err(|e| Error::Internal(e.to_string()))?;
    let mut text = serde_json::to_vec(&header).map_err(|e| Error::Internal(e.to_string()))?;
    // The data stay aligned to eight bytes, as the format's own writer leaves them.
    text.resize(text.len().next_multiple_of(8), b' ');
    Ok([&(text.len() as u64).to_le_bytes(), text.as_slice(), data].concat())
}

#[cfg(test)]
mod tests {
    use super::super::load;
    use super::*;
    use crate::config::{DecoderNorm, Layers};
    use burn::tensor::{Device, Distribution, Tensor};

    #[test]
    fn a_saved_model_loads_and_computes_the_same() {
        let device = Device::flex();
        for preset in ["vqgan-tiny", "vqvae-tiny", "kl-tiny", "vqvae2-tiny"] {
            let config = ModelConfig::preset(preset).unwrap();
            let model = Autoencoder::new(&config, &device).unwrap();
            let bytes = save(&model, &config, About::named(Some("mine")), Storage::F32).unwrap();
            let loaded = load(bytes, &device).unwrap();
            assert_eq!(loaded.name.as_deref(), Some("mine"));
            assert_eq!(loaded.config, config);
            let x = Tensor::<4>::random([1, 3, 16, 16], Distribution::Uniform(-0.5, 0.5), &device);
            let rebuilt = |model: &Autoencoder| model.reconstruct(x.clone()).unwrap().into_data();
            rebuilt(&loaded.model).assert_eq(&rebuilt(&model), true);
        }
    }

    #[test]
    fn int8_keeps_the_codebook_and_each_channel_within_half_a_step() {
        let device = Device::flex();
        for preset in ["vqgan-tiny", "vqvae-tiny"] {
            let config = ModelConfig::preset(preset).unwrap();
            let model = Autoencoder::new(&config, &device).unwrap();
            let file = |storage| save(&model, &config, About::default(), storage).unwrap();
            let (full, narrow) = (file(Storage::F32), file(Storage::Int8));
            assert!(narrow.len() * 2 < full.len(), "{preset}");
            let read = |bytes| super::super::CheckedWeights::of(bytes, None).unwrap();
            let (full, narrow) = (read(full), read(narrow));
            assert_eq!(full.hashes.codebook, narrow.hashes.codebook);
            assert_eq!(full.shapes, narrow.shapes);
            for (name, shape) in &full.shapes {
                let (f, n) = (full.values(name).unwrap(), narrow.values(name).unwrap());
                let largest = f.iter().fold(0.0, |a: f32, v| a.max(v.abs()));
                let step = if shape.len() == 4 {
                    largest / 127.0
                } else {
                    0.0
                };
                for (f, n) in f.iter().zip(&n) {
                    assert!(
                        (f - n).abs() <= 0.501 * step,
                        "{preset} {name}: {f} and {n}"
                    );
                }
            }
        }
    }

    #[test]
    fn equal_weights_make_equal_files() {
        let device = Device::flex();
        let config = ModelConfig::preset("vqvae-tiny").unwrap();
        let model = Autoencoder::new(&config, &device).unwrap();
        let file = || save(&model, &config, About::named(Some("mine")), Storage::F16).unwrap();
        let first = file();
        for _ in 0..8 {
            assert_eq!(file(), first);
        }
    }

    fn has(config: &ModelConfig, names: &[&str]) {
        let device = Device::flex();
        let model = Autoencoder::new(config, &device).unwrap();
        let bytes = save(&model, config, About::default(), Storage::F16).unwrap();
        let checked = super::super::CheckedWeights::of(bytes.clone(), None).unwrap();
        for name in names {
            assert!(checked.shapes.contains_key(*name), "{name} is missing");
        }
        load(bytes, &device).unwrap();
    }

    #[test]
    fn published_names_are_the_file_names() {
        let names = [
            "encoder.down.0.block.0.norm1.weight",
            "encoder.down.1.block.0.nin_shortcut.bias",
            "encoder.mid.attn_1.proj_out.weight",
            "decoder.up.1.upsample.conv.weight",
            "decoder.up.0.block.1.conv2.bias",
            "decoder.mid.block_1.norm1.weight",
            "quantize.embedding.weight",
            "post_quant_conv.weight",
        ];
        has(&ModelConfig::preset("vqgan-tiny").unwrap(), &names);

        let ModelConfig::VqGan(mut config) = ModelConfig::preset("vqgan-tiny").unwrap() else {
            panic!("a preset of another kind");
        };
        config.network.ch = 32;
        config.network.decoder_norm = DecoderNorm::Spatial;
        let names = [
            "encoder.mid.block_1.norm1.weight",
            "decoder.mid.block_1.norm1.norm_layer.weight",
            "decoder.mid.attn_1.norm.conv_y.weight",
            "decoder.up.0.block.1.norm2.conv_b.bias",
            "decoder.norm_out.norm_layer.bias",
        ];
        has(&ModelConfig::VqGan(config.clone()), &names);

        config.network.decoder_norm = DecoderNorm::Group;
        config.network.layers = Layers::MaskGit;
        config.network.mid_attention = false;
        let names = [
            "encoder.mid.0.conv1.weight",
            "decoder.up.1.upsample_conv.bias",
            "decoder.up.0.block.0.nin_shortcut.weight",
        ];
        has(&ModelConfig::VqGan(config), &names);
    }
}
