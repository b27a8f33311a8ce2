use serde::{Deserialize, Serialize};

use crate::config::ModelConfig;
use crate::error::{Error, Result, one_line};

/// `www/models/index.json`: the models that are shipped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// In the order in which they are offered.
    pub models: Vec<ManifestEntry>,
}

/// One shipped model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManifestEntry {
    /// What it is called on the page and after `--model`.
    pub name: String,
    /// `vqvae`, `vqgan`, `kl` or `vqvae2`, as in the config.
    pub kind: String,
    /// What it is for: `autoencoder` turns pictures into tokens and back.
    pub stage: String,
    /// Weight file, relative to the index.
    pub file: String,
    /// Length of the file.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// What it is made of.
    pub config: ModelConfig,
    /// Names of other entries that it does not work without.
    pub needs: Vec<String>,
    /// The pictures that it learned from.
    pub trained_on: String,
    /// Licence of the weights.
    pub licence: String,
    /// Measured quality, by name of the measure.
    pub quality: serde_json::Value,
}

impl Manifest {
    /// Reads the index.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] says what is wrong with it.
    pub fn from_json(json: &str) -> Result<Self> {
        serde_json::from_str(json)
            .map_err(|e| Error::ConfigInvalid(format!("model index: {}", one_line(e))))
    }

    /// The entry called `name`.
    ///
    /// # Errors
    /// [`Error::ModelUnknown`].
    pub fn entry(&self, name: &str) -> Result<&ManifestEntry> {
        self.models
            .iter()
            .find(|entry| entry.name == name)
            .ok_or_else(|| Error::ModelUnknown(name.to_owned()))
    }
}
