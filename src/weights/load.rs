use burn::tensor::{DType, Device};
use burn_store::{
    ApplyError, FloatCastAdapter, ModuleAdapter, ModuleSnapshot, PyTorchToBurnAdapter,
    SafetensorsStore,
};

use super::{CheckedWeights, Hashes};
use crate::config::ModelConfig;
use crate::error::{Error, Result};
use crate::models::Autoencoder;

/// A model read from a weight file, and what the file said of it.
#[derive(Debug)]
pub struct Loaded {
    /// The model, in f32 on the device asked for.
    pub model: Autoencoder,
    /// What it is made of.
    pub config: ModelConfig,
    /// Its name, where the file has one.
    pub name: Option<String>,
    /// What token files are matched by.
    pub hashes: Hashes,
    /// Number of parameters.
    pub parameters: usize,
}

/// Reads a weight file in this project's format. Nothing that is in use is touched before the whole
/// file has been found right.
///
/// # Errors
/// Those of [`CheckedWeights::of`], and [`Error::WeightsMismatch`] naming the first tensor that is
/// missing, misshapen or not the model's.
pub fn load(bytes: Vec<u8>, device: &Device) -> Result<Loaded> {
    let checked = CheckedWeights::of(&bytes)?;
    let mut model = Autoencoder::new(&checked.config, device)?;
    let mut store = SafetensorsStore::from_bytes(Some(bytes))
        .with_from_adapter(PyTorchToBurnAdapter.chain(FloatCastAdapter::to(DType::F32)))
        .skip_enum_variants(true)
        .validate(false)
        .allow_partial(true);
    let result = model
        .load_from(&mut store)
        .map_err(|e| Error::WeightsCorrupt(e.to_string()))?;
    if let Some(error) = result.errors.first() {
        return Err(Error::WeightsMismatch(match error {
            ApplyError::ShapeMismatch {
                path,
                expected,
                found,
            } => format!("`{path}` has shape {found:?} where {expected:?} is expected"),
            other => other.to_string(),
        }));
    }
    if let Some((path, _)) = result.missing.first() {
        return Err(Error::WeightsMismatch(format!("`{path}` is missing")));
    }
    if let Some(path) = result.unused.first() {
        return Err(Error::WeightsMismatch(format!(
            "`{path}` is not part of this model"
        )));
    }
    Ok(Loaded {
        model,
        parameters: checked.parameters(),
        config: checked.config,
        name: checked.name,
        hashes: checked.hashes,
    })
}
