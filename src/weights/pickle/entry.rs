use safetensors::tensor::Dtype;

use super::faults::{corrupt, refused};
use super::value::Tensor;
use crate::error::{Result, shown};
use crate::weights::Source;

/// Name and location of a tensor in a checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Name in the state dict.
    pub name: String,
    /// Length of each axis, outermost first; at most 8 axes.
    pub shape: Vec<usize>,
    /// Stride of each axis, in elements.
    pub strides: Vec<usize>,
    /// Element type; little-endian.
    pub dtype: Dtype,
    /// Offset in bytes of its first element in the source.
    pub start: u64,
}

/// The tensors found in a checkpoint.
#[derive(Debug, Default)]
pub struct Checkpoint {
    /// The tensors of its state dict, in order.
    pub entries: Vec<Entry>,
    /// The keys that lead to that dict, joined with dots; empty if it is the top-level dict.
    pub taken: String,
    /// Other dicts that contain models, such as the one that `taken` is an EMA of.
    pub passed_over: Vec<String>,
}

impl Entry {
    /// Checks a view against its storage, which is `bytes` long and begins at `start`.
    pub(super) fn new(name: &str, tensor: &Tensor, start: u64, bytes: u64) -> Result<Self> {
        let outside = || corrupt(format!("{} lies outside its storage", shown(name)));
        let size = tensor.dtype.bitsize() as u64 / 8;
        let (elements, reach) = extent(&tensor.shape, &tensor.strides).ok_or_else(outside)?;
        let offset = (tensor.offset as u64).checked_mul(size);
        let end = (tensor.offset as u64)
            .checked_add(reach)
            .and_then(|end| end.checked_mul(size));
        let (Some(offset), Some(end)) = (offset, end) else {
            return Err(outside());
        };
        if end > bytes {
            return Err(outside());
        }
        // A stride of 0 can expand a few bytes to any number of elements.
        if elements > bytes / size {
            return Err(refused(format!(
                "{} has more elements than its storage",
                shown(name)
            )));
        }
        Ok(Self {
            name: name.to_owned(),
            shape: tensor.shape.clone(),
            strides: tensor.strides.clone(),
            dtype: tensor.dtype,
            start: start.checked_add(offset).ok_or_else(outside)?,
        })
    }

    /// Its elements in index order, whatever the strides.
    ///
    /// # Errors
    /// Read errors of the source.
    pub fn bytes(&self, source: &dyn Source) -> Result<Vec<u8>> {
        let size = self.dtype.bitsize() / 8;
        let outside = || corrupt(format!("{} lies outside its storage", shown(&self.name)));
        let (elements, reach) = extent(&self.shape, &self.strides).ok_or_else(outside)?;
        let length = |count: u64| {
            let count = usize::try_from(count).ok();
            count.and_then(|count| count.checked_mul(size))
        };
        let (Some(total), Some(span)) = (length(elements), length(reach)) else {
            return Err(outside());
        };
        let stored = source.read(self.start, span)?;
        if self.is_contiguous() {
            return Ok(stored);
        }
        let mut ordered = Vec::with_capacity(total);
        let mut index = vec![0; self.shape.len()];
        for _ in 0..elements {
            let at: usize = index
                .iter()
                .zip(&self.strides)
                .map(|(i, stride)| i * stride)
                .sum();
            ordered.extend_from_slice(&stored[at * size..][..size]);
            // Increments the index, last axis first.
            for (i, side) in index.iter_mut().zip(&self.shape).rev() {
                *i += 1;
                if i != side {
                    break;
                }
                *i = 0;
            }
        }
        Ok(ordered)
    }

    /// Whether its elements are contiguous in index order.
    pub fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        for (side, stride) in self.shape.iter().zip(&self.strides).rev() {
            if *side != 1 && *stride != expected {
                return false;
            }
            expected *= side;
        }
        true
    }
}

/// Number of elements, and the distance from the first to the furthest, inclusive; `None` on
/// overflow.
fn extent(shape: &[usize], strides: &[usize]) -> Option<(u64, u64)> {
    if shape.contains(&0) {
        return Some((0, 0));
    }
    let (mut elements, mut reach) = (1_u64, 1_u64);
    for (side, stride) in shape.iter().zip(strides) {
        elements = elements.checked_mul(*side as u64)?;
        reach = reach.checked_add((*side as u64 - 1).checked_mul(*stride as u64)?)?;
    }
    Some((elements, reach))
}
