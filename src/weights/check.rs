use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, SafeTensors};
use sha2::{Digest, Sha256};

use super::{CONFIG_KEY, NAME_KEY};
use crate::config::ModelConfig;
use crate::error::{Error, Result};
use crate::tokens::Hash;

/// A weight file whose header, ranges, types and values are in order.
#[derive(Debug)]
pub struct CheckedWeights {
    /// The model that the file says it holds.
    pub config: ModelConfig,
    /// The model's name, where the file has one.
    pub name: Option<String>,
    /// What token files are matched by.
    pub hashes: Hashes,
    /// Shape of every tensor by name.
    pub shapes: BTreeMap<String, Vec<usize>>,
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
    /// Reads the header and looks at every value, without building a model.
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`] for what is no safetensors file or has no config,
    /// [`Error::ConfigInvalid`], [`Error::WeightsMismatch`] for a type that is not stored here, and
    /// [`Error::WeightsNotFinite`].
    pub fn of(bytes: &[u8]) -> Result<Self> {
        let corrupt = |e: safetensors::SafeTensorError| Error::WeightsCorrupt(plain(&e));
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(corrupt)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(corrupt)?;
        let metadata = header.metadata().as_ref();
        let value = |key: &str| metadata.and_then(|m| m.get(key));
        let config = value(CONFIG_KEY).ok_or_else(|| {
            Error::WeightsCorrupt("its header has no `config` that says which model it is".into())
        })?;
        let config = ModelConfig::from_json(config)?;

        let mut shapes = BTreeMap::new();
        let (mut codebook, mut decoder) = (Sha256::new(), Sha256::new());
        let mut names = tensors.names();
        names.sort();
        for name in names {
            let view = tensors.tensor(name).map_err(corrupt)?;
            let values = to_f32(name, view.dtype(), view.data())?;
            if values.iter().any(|v| !v.is_finite()) {
                return Err(Error::WeightsNotFinite(name.to_owned()));
            }
            let hash = match name.split('.').next() {
                Some("quantize") => Some(&mut codebook),
                Some("decoder" | "post_quant_conv") => Some(&mut decoder),
                _ => None,
            };
            if let Some(hash) = hash {
                hash.update(name.as_bytes());
                for side in view.shape() {
                    hash.update((*side as u64).to_le_bytes());
                }
                for value in &values {
                    hash.update(value.to_le_bytes());
                }
            }
            shapes.insert(name.to_owned(), view.shape().to_vec());
        }
        Ok(Self {
            config,
            name: value(NAME_KEY).cloned(),
            hashes: Hashes {
                codebook: first_bytes(codebook),
                decoder: first_bytes(decoder),
            },
            shapes,
        })
    }

    /// Number of values in all tensors.
    pub fn parameters(&self) -> usize {
        self.shapes
            .values()
            .map(|shape| shape.iter().product::<usize>())
            .sum()
    }
}

fn first_bytes(hash: Sha256) -> Hash {
    let digest = hash.finalize();
    Hash(std::array::from_fn(|i| digest[i]))
}

/// The values of a stored tensor, widened to f32.
fn to_f32(name: &str, dtype: Dtype, data: &[u8]) -> Result<Vec<f32>> {
    let pairs = || data.as_chunks::<2>().0.iter();
    Ok(match dtype {
        Dtype::F32 => data
            .as_chunks::<4>()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect(),
        Dtype::F16 => pairs()
            .map(|b| half::f16::from_le_bytes(*b).to_f32())
            .collect(),
        Dtype::BF16 => pairs()
            .map(|b| half::bf16::from_le_bytes(*b).to_f32())
            .collect(),
        other => {
            return Err(Error::WeightsMismatch(format!(
                "`{name}` is stored as {other:?}, which is none of F32, F16 and BF16"
            )));
        }
    })
}

/// What a reader of the page can make of a header error.
fn plain(error: &safetensors::SafeTensorError) -> String {
    let text = error.to_string();
    text.trim_end_matches('.').to_owned()
}
