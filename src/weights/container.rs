use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use burn::tensor::{Bytes, DType};
use burn_store::burn_pack;
use safetensors::tensor::{Dtype, SafeTensors};

use crate::error::{Error, Result};

/// A safetensors file whose header and ranges are in order. The bytes are shared, so that tensors
/// can be drawn from them one at a time.
#[derive(Debug, Clone)]
pub struct Container {
    bytes: Arc<Vec<u8>>,
    metadata: HashMap<String, String>,
    tensors: BTreeMap<String, Stored>,
}

/// Where one tensor lies, and as what.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Sides, outermost first.
    pub shape: Vec<usize>,
    dtype: Dtype,
    range: Range<usize>,
}

impl Container {
    /// Reads the header; no value is looked at.
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`] for what is no safetensors file.
    pub fn parse(bytes: Vec<u8>) -> Result<Self> {
        let corrupt = |e: safetensors::SafeTensorError| Error::WeightsCorrupt(plain(&e));
        let (header, metadata) = SafeTensors::read_metadata(&bytes).map_err(corrupt)?;
        // Eight bytes hold the header's length; the reader above has found it within the file.
        let data = 8 + header;
        if metadata.data_len() != bytes.len() - data {
            return Err(Error::WeightsCorrupt(
                "its data is longer or shorter than its header says".into(),
            ));
        }
        let tensors = metadata
            .tensors()
            .into_iter()
            .map(|(name, info)| {
                let (start, end) = info.data_offsets;
                let stored = Stored {
                    shape: info.shape.clone(),
                    dtype: info.dtype,
                    range: data + start..data + end,
                };
                (name, stored)
            })
            .collect();
        Ok(Self {
            metadata: metadata.metadata().clone().unwrap_or_default(),
            bytes: Arc::new(bytes),
            tensors,
        })
    }

    /// A value of the header's metadata.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// Names of the tensors, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Sides of a tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|stored| stored.shape.as_slice())
    }

    /// The values of a tensor, widened to f32.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] for a name that is not there or a type that is not read.
    pub fn values(&self, name: &str) -> Result<Vec<f32>> {
        let stored = self.stored(name)?;
        widen(name, stored.dtype, &self.bytes[stored.range.clone()])
    }

    /// A tensor to load under the name `target` with the sides `shape`, in f32, read only when the
    /// model takes it; rows and columns change places if `transpose`.
    ///
    /// # Errors
    /// As [`Container::values`].
    pub(super) fn tensor(
        &self,
        name: &str,
        target: String,
        shape: Vec<usize>,
        transpose: bool,
    ) -> Result<burn_pack::Tensor> {
        let stored = self.stored(name)?.clone();
        let length = shape.iter().product::<usize>() * size_of::<f32>();
        let (bytes, name) = (self.bytes.clone(), name.to_owned());
        Ok(burn_pack::Tensor::deferred(
            target,
            DType::F32,
            shape,
            None,
            length,
            move || {
                let mut values = widen(&name, stored.dtype, &bytes[stored.range.clone()])
                    .map_err(|e| burn_pack::Error::ValidationError(e.to_string()))?;
                if transpose {
                    values = super::check::transposed(&values, &stored.shape);
                }
                Ok(Bytes::from_elems(values))
            },
        ))
    }

    fn stored(&self, name: &str) -> Result<&Stored> {
        self.tensors
            .get(name)
            .ok_or_else(|| Error::WeightsMismatch(format!("`{name}` is missing")))
    }
}

fn widen(name: &str, dtype: Dtype, data: &[u8]) -> Result<Vec<f32>> {
    let pairs = || data.as_chunks::<2>().0.iter();
    let fours = || data.as_chunks::<4>().0.iter();
    Ok(match dtype {
        Dtype::F32 => fours().map(|b| f32::from_le_bytes(*b)).collect(),
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

/// A header error without its full stop, to stand inside a sentence.
fn plain(error: &safetensors::SafeTensorError) -> String {
    error.to_string().trim_end_matches('.').to_owned()
}
