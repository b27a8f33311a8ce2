use burn::tensor::Device;
use burn_store::{ApplyError, ModuleSnapshot, PyTorchToBurnAdapter};

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

/// Reads a weight file of any family that [`super::Recognised`] knows.
///
/// # Errors
/// Those of [`CheckedWeights::of`] and [`build`].
pub fn load(bytes: Vec<u8>, device: &Device) -> Result<Loaded> {
    build(&CheckedWeights::of(bytes, None)?, device)
}

/// Builds the model of a file that has been looked at.
///
/// # Errors
/// [`Error::WeightsMismatch`] naming the first tensor that is missing, misshapen or not the
/// model's.
pub fn build(checked: &CheckedWeights, device: &Device) -> Result<Loaded> {
    let mut model = Autoencoder::new(&checked.config, device)?;
    let adapter = Box::new(PyTorchToBurnAdapter);
    let result = model.apply(checked.tensors()?, None, Some(adapter), true);
    if let Some(error) = result.errors.first() {
        return Err(Error::WeightsMismatch(match error {
            ApplyError::ShapeMismatch {
                path,
                expected,
                found,
            } => format!(
                "`{}` has shape {:?} where {:?} is expected",
                stored(path),
                found.as_slice(),
                expected.as_slice()
            ),
            other => other.to_string(),
        }));
    }
    if let Some((path, _)) = result.missing.first() {
        return Err(Error::WeightsMismatch(format!(
            "`{}` is missing",
            stored(path)
        )));
    }
    if let Some(path) = result.unused.first() {
        return Err(Error::WeightsMismatch(format!(
            "`{path}` is not part of this model"
        )));
    }
    Ok(Loaded {
        model,
        parameters: checked.parameters(),
        config: checked.config.clone(),
        name: checked.name.clone(),
        hashes: checked.hashes,
    })
}

/// Burn's normalisations have names of their own for what files call weight and bias.
fn stored(path: &str) -> String {
    match path.rsplit_once('.') {
        Some((layer, "gamma")) => format!("{layer}.weight"),
        Some((layer, "beta")) => format!("{layer}.bias"),
        _ => path.to_owned(),
    }
}
