use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, one_line};
use crate::models::ModelConfig;
use crate::tokens::Hash;

/// `www/models/index.json`: the shipped models.
///
/// # Examples
/// ```
/// # use tesserae::weights::Manifest;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let index = Manifest::from_json(&std::fs::read_to_string("www/models/index.json")?)?;
/// for model in &index.models {
///     println!("{}: {} bytes, {}", model.name, model.bytes, model.licence);
/// }
/// assert_eq!(index.entry("photos-f8")?.config.kind(), "vqgan");
/// assert_eq!(index.entry("phtos-f8").unwrap_err().code(), "model_unknown");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// In display order.
    pub models: Vec<ManifestEntry>,
}

/// One shipped model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManifestEntry {
    /// Its name on the page and for `--model`.
    pub name: String,
    /// `vqvae`, `vqgan`, `kl` or `vqvae2`, as in the config.
    pub kind: String,
    /// Training stage: `vqvae`, by reconstruction alone, or `vqgan`, also with a discriminator.
    pub stage: String,
    /// Weight file, relative to the index.
    pub file: String,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// The model's config.
    pub config: ModelConfig,
    /// Hash of its codebook, as in token files: models with the same hash can decode each other's
    /// tokens. Absent for a model without tokens.
    pub codebook: Option<Hash>,
    /// The discriminator it was trained with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discriminator: Option<Companion>,
    /// Model card, relative to the index.
    pub card: String,
    /// Its training images.
    pub trained_on: String,
    /// Licence of the weights.
    pub licence: String,
    /// Measured quality, by metric.
    pub quality: serde_json::Value,
}

/// An additional file of a model, not needed for reconstruction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Companion {
    /// The file, relative to the index.
    pub file: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, hex.
    pub sha256: String,
}

impl Manifest {
    /// Parses the index.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] describes the problem.
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
