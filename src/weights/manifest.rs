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
    /// The kind of model, as in the config.
    pub kind: String,
    /// Training stage: `vqvae`, by reconstruction alone, `vqgan`, also with a discriminator,
    /// `prior`, on another model's tokens, or `generator`, to make pictures out of noise.
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
    /// Hashes of the codebooks that earlier versions of it had, whose tokens it cannot decode.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<Hash>,
    /// Of a prior, the models without which it is of no use: the one whose tokens it predicts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Need>,
    /// Of a prior or a generator, the names of its classes, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// Of a prior or a generator, the settings that its samples were measured with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling: Option<Sampling>,
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

/// Settings of [`SampleOptions`](crate::generate::SampleOptions) or
/// [`PictureOptions`](crate::generate::PictureOptions).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// Number of steps.
    pub steps: usize,
    /// Classifier-free guidance; 1 is none.
    pub guidance: f64,
    /// Of a prior, divides the logits; of a generator, multiplies the latent.
    pub temperature: f64,
}

/// A model that another one needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// Its name.
    pub name: String,
    /// Hash of its codebook.
    pub hash: Hash,
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

    /// Adds an entry, or replaces the one with its name, whose codebook is then retired if the new
    /// one has another.
    pub fn put(&mut self, mut entry: ManifestEntry) {
        let Some(old) = self.models.iter_mut().find(|old| old.name == entry.name) else {
            self.models.push(entry);
            return;
        };
        entry.retired = std::mem::take(&mut old.retired);
        if old.codebook != entry.codebook {
            entry.retired.extend(old.codebook);
        }
        entry
            .retired
            .retain(|codebook| Some(*codebook) != entry.codebook);
        *old = entry;
    }

    /// Names the model in `error` if it is about tokens that an earlier version of a shipped model
    /// made.
    pub fn explain(&self, error: Error) -> Error {
        let Error::TokensOtherCodebook { found, .. } = &error else {
            return error;
        };
        let made = |entry: &&ManifestEntry| entry.retired.iter().any(|c| c.to_string() == *found);
        match self.models.iter().find(made) {
            Some(entry) => Error::TokensRetired(entry.name.clone()),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, codebook: u8) -> ManifestEntry {
        ManifestEntry {
            name: name.to_owned(),
            kind: "vqgan".to_owned(),
            stage: "vqgan".to_owned(),
            file: String::new(),
            bytes: 0,
            sha256: String::new(),
            config: ModelConfig::preset("vqgan-tiny").unwrap(),
            codebook: Some(Hash([codebook; 8])),
            retired: Vec::new(),
            needs: Vec::new(),
            classes: Vec::new(),
            discriminator: None,
            card: String::new(),
            trained_on: String::new(),
            licence: String::new(),
            quality: serde_json::Value::Null,
            sampling: None,
        }
    }

    #[test]
    fn a_codebook_that_is_replaced_is_remembered_and_explains_its_tokens() {
        let mut manifest = Manifest { models: Vec::new() };
        for (name, codebook) in [("a", 1), ("b", 1), ("a", 1), ("a", 2), ("a", 3), ("a", 2)] {
            manifest.put(entry(name, codebook));
        }
        assert_eq!(manifest.models.len(), 2);
        let a = manifest.entry("a").unwrap();
        assert_eq!(a.codebook, Some(Hash([2; 8])));
        assert_eq!(a.retired, [Hash([1; 8]), Hash([3; 8])]);
        assert!(manifest.entry("b").unwrap().retired.is_empty());

        let refused = |codebook| Error::TokensOtherCodebook {
            expected: Hash([2; 8]).to_string(),
            found: Hash([codebook; 8]).to_string(),
        };
        let explained = manifest.explain(refused(3));
        assert_eq!(explained.code(), "tokens_retired");
        assert!(
            explained.to_string().contains("an earlier version of a,"),
            "{explained}"
        );
        assert_eq!(manifest.explain(refused(9)).code(), "tokens_other_codebook");
        assert_eq!(manifest.explain(Error::NoCodebook).code(), "no_codebook");
    }
}
