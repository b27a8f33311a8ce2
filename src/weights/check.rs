use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{Container, Family, NAME_KEY, Recognised};
use crate::config::ModelConfig;
use crate::error::{Error, Result};
use crate::tokens::Hash;

/// A weight file whose header, family, ranges, types and values are in order.
#[derive(Debug)]
pub struct CheckedWeights {
    /// Where the file comes from.
    pub family: Family,
    /// The model that it holds.
    pub config: ModelConfig,
    /// Fields of the config that were assumed; see [`Recognised::assumed`].
    pub assumed: Vec<&'static str>,
    /// The model's name, where the file has one.
    pub name: Option<String>,
    /// What token files are matched by.
    pub hashes: Hashes,
    /// Shape of the model's tensors, by the model's names.
    pub shapes: BTreeMap<String, Vec<usize>>,
    /// Tensors of the file that are no part of the model.
    pub aside: Vec<String>,
    file: Container,
    /// The file's name of each of the model's tensors.
    names: BTreeMap<String, String>,
}

/// First 8 bytes of SHA-256 over tensors' names, shapes and f32 values, in the order of their
/// names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashes {
    /// Of the codebook: tokens mean nothing to another one.
    pub codebook: Hash,
    /// Of the decoder: another one makes another picture of the same tokens.
    pub decoder: Hash,
}

impl CheckedWeights {
    /// Reads the header and looks at every value, without building a model. `config` is the text of
    /// a `config.json` that came with the file; see [`Recognised::of`].
    ///
    /// # Errors
    /// Those of [`Container::parse`] and [`Recognised::of`], [`Error::WeightsMismatch`] for a type
    /// that is not read, and [`Error::WeightsNotFinite`].
    pub fn of(bytes: Vec<u8>, config: Option<&str>) -> Result<Self> {
        let file = Container::parse(bytes)?;
        let recognised = Recognised::of(&file, config)?;
        let mut shapes = BTreeMap::new();
        let (mut codebook, mut decoder) = (Sha256::new(), Sha256::new());
        for (ours, theirs) in &recognised.names {
            let mut values = file.values(theirs)?;
            let stored = file.shape(theirs).unwrap_or_default();
            if is_transposed(ours, theirs) {
                values = transposed(&values, stored);
            }
            if !values.iter().all(|v| v.is_finite()) {
                return Err(Error::WeightsNotFinite(theirs.clone()));
            }
            let shape = shape_of(ours, theirs, stored);
            let hash = match ours.split('.').next() {
                Some("quantize" | "quantize_t" | "quantize_b") => Some(&mut codebook),
                Some("decoder" | "post_quant_conv" | "dec" | "upsample_t") => Some(&mut decoder),
                _ => None,
            };
            if let Some(hash) = hash {
                hash.update(ours.as_bytes());
                for side in &shape {
                    hash.update((*side as u64).to_le_bytes());
                }
                for value in &values {
                    hash.update(value.to_le_bytes());
                }
            }
            shapes.insert(ours.clone(), shape);
        }
        Ok(Self {
            family: recognised.family,
            config: recognised.config,
            assumed: recognised.assumed,
            name: file.metadata(NAME_KEY).map(str::to_owned),
            hashes: Hashes {
                codebook: first_bytes(codebook),
                decoder: first_bytes(decoder),
            },
            shapes,
            aside: recognised.aside,
            file,
            names: recognised.names,
        })
    }

    /// Number of values in the model's tensors.
    pub fn parameters(&self) -> usize {
        self.shapes
            .values()
            .map(|shape| shape.iter().product::<usize>())
            .sum()
    }

    /// The model's tensors, each read from the file only when it is taken.
    pub(super) fn tensors(&self) -> Result<Vec<burn_store::burn_pack::Tensor>> {
        self.names
            .iter()
            .map(|(ours, theirs)| {
                let shape = self.shapes.get(ours).cloned().unwrap_or_default();
                let flip = is_transposed(ours, theirs);
                self.file.tensor(theirs, ours.clone(), shape, flip)
            })
            .collect()
    }
}

/// diffusers stores attention's 1×1 convolutions as linear layers.
fn shape_of(name: &str, theirs: &str, stored: &[usize]) -> Vec<usize> {
    let projection = ["q", "k", "v", "proj_out"]
        .iter()
        .any(|part| name.ends_with(&format!(".{part}.weight")));
    match stored {
        [to, from] if projection => vec![*to, *from, 1, 1],
        [dim, codes] if is_transposed(name, theirs) => vec![*codes, *dim],
        other => other.to_vec(),
    }
}

/// rosinality stores codebooks as `[D, K]`.
fn is_transposed(ours: &str, theirs: &str) -> bool {
    ours.ends_with("embedding.weight") && theirs.ends_with(".embed")
}

/// Values of a matrix with the sides `stored`, column after column.
pub(super) fn transposed(values: &[f32], stored: &[usize]) -> Vec<f32> {
    match *stored {
        [_, columns] => (0..columns)
            .flat_map(|x| values.iter().skip(x).step_by(columns).copied())
            .collect(),
        _ => values.to_vec(),
    }
}

fn first_bytes(hash: Sha256) -> Hash {
    let digest = hash.finalize();
    Hash(std::array::from_fn(|i| digest[i]))
}
