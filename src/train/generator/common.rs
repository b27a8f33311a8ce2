//! What the trainings of all generators have in common.

use burn::tensor::Device;

use super::GeneratorTrainConfig;
use crate::error::{Error, Result};
use crate::models::Generator;
use crate::params;
use crate::train::task::{Artifact, Role};
use crate::weights::{About, Storage, save};

/// Checks the config, and that `generator` is what it describes.
pub fn check(config: &GeneratorTrainConfig, generator: &Generator, device: &Device) -> Result<()> {
    config.validate()?;
    let expected = params::shapes(&Generator::new(&config.model, device)?);
    match params::shapes(generator) == expected {
        true => Ok(()),
        false => Err(Error::WeightsMismatch(
            "the generator does not match the config".to_owned(),
        )),
    }
}

/// What a checkpoint says of its training.
pub fn identity(config: &GeneratorTrainConfig) -> Result<String> {
    serde_json::to_string(config).map_err(|e| Error::Internal(e.to_string()))
}

/// Whether a checkpoint is of this training.
pub fn is_same(config: &GeneratorTrainConfig, identity: &str) -> bool {
    let other: Option<GeneratorTrainConfig> = serde_json::from_str(identity).ok();
    other.as_ref() == Some(config)
}

/// The weight file of `generator`.
pub async fn artifacts(
    config: &GeneratorTrainConfig,
    generator: &Generator,
    about: About<'_>,
    storage: Storage,
) -> Result<Vec<Artifact>> {
    Ok(vec![Artifact {
        role: Role::Weights,
        bytes: save(generator, &config.model, about, storage).await?,
    }])
}
