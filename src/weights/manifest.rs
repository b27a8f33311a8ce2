use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, one_line};
use crate::models::ModelConfig;
use crate::tokens::Hash;

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
    /// How far its training went: `vqvae`, by reconstruction alone, or `vqgan`, against a
    /// discriminator as well.
    pub stage: String,
    /// Weight file, relative to the index.
    pub file: String,
    /// Length of the file.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// What it is made of.
    pub config: ModelConfig,
    /// Hash of its codebook, as token files have it: entries with the same one decode each other's
    /// tokens. Absent for a model without tokens.
    pub codebook: Option<Hash>,
    /// The discriminator that it was trained against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discriminator: Option<Companion>,
    /// Model card, relative to the index.
    pub card: String,
    /// The pictures that it learned from.
    pub trained_on: String,
    /// Licence of the weights.
    pub licence: String,
    /// Measured quality, by name of the measure.
    pub quality: serde_json::Value,
}

/// A file that belongs to a model and that reconstruction does without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Companion {
    /// The file, relative to the index.
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
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
