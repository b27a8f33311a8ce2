use std::collections::BTreeMap;

use burn::tensor::DType;
use burn_store::{
    BurnToPyTorchAdapter, FloatCastAdapter, ModuleAdapter, ModuleSnapshot, SafetensorsStore,
};
use serde::{Deserialize, Serialize};

use super::{CONFIG_KEY, NAME_KEY};
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
}

/// Writes a weight file in this project's format.
///
/// # Errors
/// [`Error::Internal`] when a tensor cannot be read back from the device.
pub fn save(
    model: &Autoencoder,
    config: &ModelConfig,
    name: Option<&str>,
    storage: Storage,
) -> Result<Vec<u8>> {
    let dtype = match storage {
        Storage::F16 => DType::F16,
        Storage::F32 => DType::F32,
    };
    let mut store = SafetensorsStore::from_bytes(None)
        .with_to_adapter(BurnToPyTorchAdapter.chain(FloatCastAdapter::to(dtype)))
        .skip_enum_variants(true)
        .clear_metadata()
        .metadata(CONFIG_KEY, config.to_json()?);
    if let Some(name) = name {
        store = store.metadata(NAME_KEY, name);
    }
    let internal = |e: burn_store::SafetensorsStoreError| Error::Internal(e.to_string());
    model.save_into(&mut store).map_err(internal)?;
    in_order(store.get_bytes().map_err(internal)?)
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
    use burn::tensor::{Device, Distribution, Tensor};

    #[test]
    fn a_saved_model_loads_and_computes_the_same() {
        let device = Device::flex();
        for preset in ["vqgan-tiny", "vqvae-tiny", "kl-tiny", "vqvae2-tiny"] {
            let config = ModelConfig::preset(preset).unwrap();
            let model = Autoencoder::new(&config, &device).unwrap();
            let bytes = save(&model, &config, Some("mine"), Storage::F32).unwrap();
            let loaded = load(bytes, &device).unwrap();
            assert_eq!(loaded.name.as_deref(), Some("mine"));
            assert_eq!(loaded.config, config);
            let x = Tensor::<4>::random([1, 3, 16, 16], Distribution::Uniform(-0.5, 0.5), &device);
            let rebuilt = |model: &Autoencoder| model.reconstruct(x.clone()).unwrap().into_data();
            rebuilt(&loaded.model).assert_eq(&rebuilt(&model), true);
        }
    }

    #[test]
    fn equal_weights_make_equal_files() {
        let device = Device::flex();
        let config = ModelConfig::preset("vqvae-tiny").unwrap();
        let model = Autoencoder::new(&config, &device).unwrap();
        let file = || save(&model, &config, Some("mine"), Storage::F16).unwrap();
        let first = file();
        for _ in 0..8 {
            assert_eq!(file(), first);
        }
    }

    #[test]
    fn published_names_are_the_file_names() {
        let device = Device::flex();
        let config = ModelConfig::preset("vqgan-tiny").unwrap();
        let model = Autoencoder::new(&config, &device).unwrap();
        let bytes = save(&model, &config, None, Storage::F16).unwrap();
        let checked = super::super::CheckedWeights::of(bytes, None).unwrap();
        for name in [
            "encoder.down.0.block.0.norm1.weight",
            "encoder.down.1.block.0.nin_shortcut.bias",
            "encoder.mid.attn_1.proj_out.weight",
            "decoder.up.1.upsample.conv.weight",
            "decoder.up.0.block.1.conv2.bias",
            "quantize.embedding.weight",
            "post_quant_conv.weight",
        ] {
            assert!(checked.shapes.contains_key(name), "{name} is missing");
        }
    }
}
