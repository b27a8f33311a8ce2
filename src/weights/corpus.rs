use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, one_line};
use crate::tokens::Hash;

/// What a prior learned from: whose tokens, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corpus {
    /// Name of the autoencoder whose tokens it predicts.
    pub tokenizer: String,
    /// Hash of that model's codebook, as in token files.
    pub codebook: Hash,
    /// Names of the classes, in order; empty for an unconditional prior.
    #[serde(default)]
    pub classes: Vec<String>,
}

impl Corpus {
    /// Reads the metadata of a weight file.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`].
    pub(super) fn from_json(json: &str) -> Result<Self> {
        serde_json::from_str(json)
            .map_err(|e| Error::ConfigInvalid(format!("corpus: {}", one_line(e))))
    }
}
