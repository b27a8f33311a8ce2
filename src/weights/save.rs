use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use burn::module::Module;
use half::f16;
use safetensors::tensor::{Dtype, View};
use serde::{Deserialize, Serialize};

use super::container::SCALE;
use super::narrow::Narrow;
use super::{CONFIG_KEY, CORPUS_KEY, Corpus, NAME_KEY, TUNING_KEY};
use crate::error::{Error, Result};
use crate::models::{Config, Part};
use crate::params::{self, Values};

/// Storage type of the weights; they are computed in f32 either way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Storage {
    /// Half precision: half the download.
    #[default]
    F16,
    /// Full precision: what training resumes from.
    F32,
    /// For distribution: convolutions, linear layers and tables of vectors in int8 with one scale per
    /// output channel or vector; the rest, including the codebook, in f32.
    Int8,
}

/// Metadata of a weight file besides the config.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    /// The model's name.
    pub name: Option<&'a str>,
    /// How it was fine-tuned, as JSON.
    pub tuning: Option<&'a str>,
    /// For a prior, what it learned from.
    pub corpus: Option<&'a Corpus>,
}

impl<'a> About<'a> {
    /// Only a name.
    pub fn named(name: Option<&'a str>) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }
}

/// Writes a weight file in this project's format. Equal weights produce identical files.
///
/// # Errors
/// [`Error::DeviceLost`] when the device fails.
///
/// # Examples
/// ```
/// # use burn::tensor::Device;
/// # use pollster::block_on;
/// # use tesserae::models::Model;
/// # use tesserae::weights::{self, About, Storage};
/// # use tesserae::ModelConfig;
/// # fn main() -> tesserae::Result<()> {
/// let device = Device::flex();
/// let config = ModelConfig::preset("vqgan-tiny")?;
/// let network = Model::new(&config, &device)?; // random weights
/// let file = block_on(weights::save(&network, &config, About::named(Some("mine")), Storage::F16))?;
/// let loaded = weights::load(file, &device)?;
/// assert_eq!(loaded.name.as_deref(), Some("mine"));
/// assert_eq!(loaded.config, config);
/// # Ok(())
/// # }
/// ```
pub async fn save(
    network: &impl Module,
    config: &impl Config,
    about: About<'_>,
    storage: Storage,
) -> Result<Vec<u8>> {
    let exact = |name: &str| config.part(name) == Some(Part::Codebook);
    let config = to_json(config)?;
    let metadata = [(CONFIG_KEY, config.as_str())];
    let name = about.name.map(|name| (NAME_KEY, name));
    let tuning = about.tuning.map(|tuning| (TUNING_KEY, tuning));
    let corpus = about.corpus.map(serde_json::to_string).transpose();
    let corpus = corpus.map_err(|e| Error::Internal(e.to_string()))?;
    let corpus = corpus.as_deref().map(|json| (CORPUS_KEY, json));
    let metadata = metadata.into_iter().chain(name).chain(tuning);
    file(network, metadata.chain(corpus), storage, exact).await
}

/// A config as one line of JSON, with its kind first.
fn to_json(config: &impl Config) -> Result<String> {
    let mut text = Vec::new();
    let mut json = serde_json::Serializer::new(&mut text);
    let written = config.serialize_tagged(&mut json);
    written.map_err(|e| Error::Internal(e.to_string()))?;
    String::from_utf8(text).map_err(|e| Error::Internal(e.to_string()))
}

/// Writes any module's parameters as a safetensors file; those that are `exact` are never quantized.
///
/// # Errors
/// [`Error::DeviceLost`] when the device fails.
pub(super) async fn file<'a>(
    module: &impl Module,
    metadata: impl IntoIterator<Item = (&'a str, &'a str)>,
    storage: Storage,
    exact: impl Fn(&str) -> bool,
) -> Result<Vec<u8>> {
    let values = params::values(module).await?;
    let tensors = values.iter().flat_map(|(name, values)| match storage {
        Storage::F32 => vec![(name.clone(), Stored::F32(values))],
        Storage::F16 => vec![(name.clone(), Stored::F16(values))],
        Storage::Int8 => match Narrow::of(values).filter(|_| !exact(name)) {
            Some(narrow) => vec![
                (format!("{name}{SCALE}"), Stored::Scales(narrow.clone())),
                (name.clone(), Stored::I8(narrow)),
            ],
            None => vec![(name.clone(), Stored::F32(values))],
        },
    });
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    let metadata: HashMap<String, String> = metadata.into_iter().map(owned).collect();
    let file = safetensors::serialize(tensors, Some(metadata));
    in_order(file.map_err(|e| Error::Internal(e.to_string()))?)
}

/// A tensor to store, converted to bytes only when it is written.
enum Stored<'a> {
    F32(&'a Values),
    F16(&'a Values),
    I8(std::rc::Rc<Narrow>),
    Scales(std::rc::Rc<Narrow>),
}

impl View for Stored<'_> {
    fn dtype(&self) -> Dtype {
        match self {
            Self::F32(_) | Self::Scales(_) => Dtype::F32,
            Self::F16(_) => Dtype::F16,
            Self::I8(_) => Dtype::I8,
        }
    }

    fn shape(&self) -> &[usize] {
        match self {
            Self::F32(values) | Self::F16(values) => &values.shape,
            Self::I8(narrow) => &narrow.shape,
            Self::Scales(narrow) => &narrow.scale_shape,
        }
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let single = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let half = |value: &f32| f16::from_f32(*value).to_le_bytes();
        match self {
            Self::F32(values) => Cow::Owned(single(&values.values)),
            Self::F16(values) => Cow::Owned(values.values.iter().flat_map(half).collect()),
            Self::I8(narrow) => Cow::Borrowed(&narrow.values),
            Self::Scales(narrow) => Cow::Owned(single(&narrow.scales)),
        }
    }

    fn data_len(&self) -> usize {
        match self {
            Self::F32(values) => 4 * values.values.len(),
            Self::F16(values) => 2 * values.values.len(),
            Self::I8(narrow) => narrow.values.len(),
            Self::Scales(narrow) => 4 * narrow.scales.len(),
        }
    }
}

/// Sorts the header's keys, since the metadata come from a hash map.
fn in_order(file: Vec<u8>) -> Result<Vec<u8>> {
    let malformed = || Error::Internal("a weight file without a header was written".into());
    let (length, rest) = file.split_first_chunk::<8>().ok_or_else(malformed)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| malformed())?;
    let (header, data) = rest.split_at_checked(length).ok_or_else(malformed)?;
    let header: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(header).map_err(|e| Error::Internal(e.to_string()))?;
    let mut text = serde_json::to_vec(&header).map_err(|e| Error::Internal(e.to_string()))?;
    // The data stay 8-byte aligned, as in the safetensors writer's output.
    text.resize(text.len().next_multiple_of(8), b' ');
    Ok([&(text.len() as u64).to_le_bytes(), text.as_slice(), data].concat())
}

#[cfg(test)]
#[path = "save_tests.rs"]
mod tests;
