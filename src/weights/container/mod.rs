//! Tensors by name, from one safetensors file, several shards or a PyTorch checkpoint.

mod header;
mod stored;

pub use stored::{Stored, elements};

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use safetensors::tensor::Dtype;
use serde::Deserialize;

use super::{CONFIG_KEY, Source, sniff};
use crate::error::{Error, Result, one_line, shown};

/// Suffix of the name of an int8 tensor's scales.
pub const SCALE: &str = ".scale";

/// A weight file with a validated header and tensor ranges. No values have been read yet; tensors
/// are read from the source one at a time.
///
/// # Examples
/// ```
/// # use std::rc::Rc;
/// # use tesserae::weights::Container;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let file = Rc::new(std::fs::read("www/models/digits.safetensors")?);
/// let file = Container::open(file)?;
/// let name = file.names().find(|name| name.ends_with("embedding.weight")).expect("a codebook");
/// let count: usize = file.shape(name).expect("a listed tensor").iter().product();
/// assert_eq!(file.values(name)?.len(), count);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Container {
    metadata: HashMap<String, String>,
    tensors: BTreeMap<String, Stored>,
    taken: String,
    passed_over: Vec<String>,
}

/// `model.safetensors.index.json`, as written by the Hub's tools next to the shards.
#[derive(Debug, Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Container {
    /// Reads the header of a safetensors file or, in native builds, locates the tensors of a
    /// PyTorch checkpoint.
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`] if it is neither, [`Error::PickleRefused`],
    /// [`Error::WeightsPickle`] in a browser, and read errors.
    pub fn open(source: Rc<dyn Source>) -> Result<Self> {
        let first = source.read(0, source.len().min(sniff::BEGINNING) as usize)?;
        if sniff::is_pickle(&first) {
            return Self::open_checkpoint(source);
        }
        // A file without a header may not be a weight file at all; saying so is more helpful.
        let read = header::read(&source).map_err(|error| match error {
            Error::WeightsCorrupt(_) => sniff::explain(&first).unwrap_or(error),
            other => other,
        });
        let (metadata, tensors) = read?;
        let file = Self {
            metadata,
            tensors,
            taken: String::new(),
            passed_over: vec![],
        };
        file.with_scales()
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn open_checkpoint(source: Rc<dyn Source>) -> Result<Self> {
        let checkpoint = super::pickle::read(source.as_ref())?;
        let stored = |entry: super::pickle::Entry| {
            (
                entry.name.clone(),
                Stored::of_checkpoint(entry, source.clone()),
            )
        };
        Ok(Self {
            metadata: HashMap::new(),
            tensors: checkpoint.entries.into_iter().map(stored).collect(),
            taken: checkpoint.taken,
            passed_over: checkpoint.passed_over,
        })
    }

    #[cfg(target_arch = "wasm32")]
    fn open_checkpoint(_source: Rc<dyn Source>) -> Result<Self> {
        Err(Error::WeightsPickle)
    }

    /// Reads the headers of all shards named in `index` (the text of a
    /// `model.safetensors.index.json`); `open` opens a shard by file name.
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`] for an invalid index, or one that places a tensor in a shard that
    /// does not contain it; the errors of [`Container::open`] and of `open`.
    pub fn sharded(
        index: &str,
        mut open: impl FnMut(&str) -> Result<Rc<dyn Source>>,
    ) -> Result<Self> {
        let index: Index = serde_json::from_str(index).map_err(|e| {
            Error::WeightsCorrupt(format!("the index of its shards: {}", one_line(e)))
        })?;
        let mut shards: BTreeMap<&str, Self> = BTreeMap::new();
        let mut tensors = BTreeMap::new();
        for (name, file) in &index.weight_map {
            // Shards must be in the same folder as their index; anything else could read unrelated
            // files.
            if file.is_empty() || file.contains(['/', '\\']) {
                return Err(Error::WeightsCorrupt(format!(
                    "the index of its shards names `{}`, which is not a file name",
                    one_line(file)
                )));
            }
            if !shards.contains_key(file.as_str()) {
                shards.insert(file, Self::open(open(file)?)?);
            }
            let stored = shards
                .get(file.as_str())
                .and_then(|shard| shard.tensors.get(name))
                .ok_or_else(|| {
                    let (name, file) = (one_line(name), one_line(file));
                    Error::WeightsCorrupt(format!("`{name}` is not in the shard `{file}`"))
                })?;
            tensors.insert(name.clone(), stored.clone());
        }
        let metadata = shards.into_values().flat_map(|shard| shard.metadata);
        Ok(Self {
            metadata: metadata.collect(),
            tensors,
            taken: String::new(),
            passed_over: vec![],
        })
    }

    /// Pairs int8 tensors with their scales, which are not model tensors themselves.
    fn with_scales(mut self) -> Result<Self> {
        if !self.metadata.contains_key(CONFIG_KEY) {
            return Ok(self);
        }
        let narrow: Vec<String> = self
            .tensors
            .iter()
            .filter(|(_, stored)| stored.dtype() == Dtype::I8)
            .map(|(name, _)| name.clone())
            .collect();
        for name in narrow {
            let missing = || Error::WeightsMismatch(format!("`{name}{SCALE}` is missing"));
            let scale = self.tensors.remove(&format!("{name}{SCALE}"));
            let scale = scale.ok_or_else(missing)?;
            if let Some(stored) = self.tensors.get_mut(&name) {
                stored.scale_by(&name, scale)?;
            }
        }
        Ok(self)
    }

    /// A value from the header's metadata.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// In a PyTorch checkpoint, the keys that lead to the tensors, joined with dots.
    pub fn taken(&self) -> &str {
        &self.taken
    }

    /// In a PyTorch checkpoint, the locations of models that were not taken.
    pub fn passed_over(&self) -> &[String] {
        &self.passed_over
    }

    /// Names of the tensors, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Shape of a tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|stored| stored.shape.as_slice())
    }

    /// Reads a tensor's values, widened to f32.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] for an unknown name or an unsupported type, and read errors.
    pub fn values(&self, name: &str) -> Result<Vec<f32>> {
        self.tensors
            .get(name)
            .ok_or_else(|| Error::WeightsMismatch(format!("{} is missing", shown(name))))?
            .values(name)
    }
}
