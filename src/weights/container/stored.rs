use std::rc::Rc;

use safetensors::tensor::Dtype;

use crate::error::{Error, Result, shown};
use crate::weights::Source;

/// Location, shape and type of one tensor.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Length of each axis, outermost first.
    pub shape: Vec<usize>,
    dtype: Dtype,
    source: Rc<dyn Source>,
    place: Place,
    /// For int8: the scale factors, one for each index along one axis.
    scale: Option<Scale>,
}

#[derive(Debug, Clone)]
enum Place {
    /// Contiguous and row-major, starting at this offset in the source.
    Rows(u64),
    /// As described in a PyTorch checkpoint: possibly a view with arbitrary strides.
    #[cfg(not(target_arch = "wasm32"))]
    View(crate::weights::pickle::Entry),
}

#[derive(Debug, Clone)]
struct Scale {
    stored: Box<Stored>,
    /// The axis it applies to.
    axis: usize,
}

impl Stored {
    /// A row-major tensor, whose extent has been checked against the source.
    pub fn new(shape: Vec<usize>, dtype: Dtype, source: Rc<dyn Source>, start: u64) -> Self {
        Self {
            shape,
            dtype,
            source,
            place: Place::Rows(start),
            scale: None,
        }
    }

    /// A tensor in a PyTorch checkpoint.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn of_checkpoint(entry: crate::weights::pickle::Entry, source: Rc<dyn Source>) -> Self {
        Self {
            shape: entry.shape.clone(),
            dtype: entry.dtype,
            source,
            place: Place::View(entry),
            scale: None,
        }
    }

    /// Type of the values.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// Attaches `scale`, a tensor with length 1 on all axes but one, as a factor of the values.
    pub(super) fn scale_by(&mut self, name: &str, scale: Self) -> Result<()> {
        let long = |(a, b): (&usize, &usize)| *a == *b && *a != 1;
        let axis = scale.shape.iter().zip(&self.shape).position(long);
        let axis = axis.unwrap_or(0);
        let expected: Vec<usize> = self
            .shape
            .iter()
            .enumerate()
            .map(|(i, &side)| if i == axis { side } else { 1 })
            .collect();
        if expected.is_empty() || scale.shape != expected || scale.dtype != Dtype::F32 {
            return Err(Error::WeightsMismatch(format!(
                "{} does not have exactly one scale per channel",
                shown(name)
            )));
        }
        let stored = Box::new(scale);
        self.scale = Some(Scale { stored, axis });
        Ok(())
    }

    /// The values, widened to f32.
    pub(super) fn values(&self, name: &str) -> Result<Vec<f32>> {
        Ok(match (self.dtype, &self.scale) {
            (Dtype::F64, _) => words(&self.bytes()?, |b| f64::from_le_bytes(b) as f32),
            (Dtype::F32, _) => words(&self.bytes()?, f32::from_le_bytes),
            (Dtype::F16, _) => words(&self.bytes()?, |b| half::f16::from_le_bytes(b).to_f32()),
            (Dtype::BF16, _) => words(&self.bytes()?, |b| half::bf16::from_le_bytes(b).to_f32()),
            (Dtype::I8, Some(scale)) => scale.apply(&self.shape, &self.bytes()?)?,
            (other, _) => {
                return Err(Error::WeightsMismatch(format!(
                    "{} is stored as {other:?}, which is not F64, F32, F16 or BF16",
                    shown(name)
                )));
            }
        })
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        match &self.place {
            Place::Rows(start) => {
                let bits = elements(&self.shape).saturating_mul(self.dtype.bitsize() as u64);
                let length = usize::try_from(bits / 8).map_err(|_| Error::ModelTooLarge {
                    needed: bits / 8,
                    limit: usize::MAX as u64,
                })?;
                self.source.read(*start, length)
            }
            #[cfg(not(target_arch = "wasm32"))]
            Place::View(entry) => entry.bytes(self.source.as_ref()),
        }
    }
}

/// Number of values in a tensor, as a u64 even where addresses have 32 bits.
pub fn elements(shape: &[usize]) -> u64 {
    match shape.contains(&0) {
        true => 0,
        false => shape
            .iter()
            .fold(1, |count: u64, side| count.saturating_mul(*side as u64)),
    }
}

impl Scale {
    fn apply(&self, shape: &[usize], bytes: &[u8]) -> Result<Vec<f32>> {
        // In an empty tensor, the product of some axes may overflow.
        if bytes.is_empty() {
            return Ok(vec![]);
        }
        let scales = self.stored.values("scale")?;
        let inner: usize = shape[self.axis + 1..].iter().product();
        let value = |(i, &byte): (usize, &u8)| {
            let scale = scales.get(i / inner % shape[self.axis]);
            f32::from(byte.cast_signed()) * scale.copied().unwrap_or(f32::NAN)
        };
        Ok(bytes.iter().enumerate().map(value).collect())
    }
}

fn words<const N: usize>(bytes: &[u8], widen: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (words, _) = bytes.as_chunks::<N>();
    words.iter().map(|word| widen(*word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(values: &[f32], shape: &[usize]) -> Stored {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Stored::new(shape.to_vec(), Dtype::F32, Rc::new(bytes), 0)
    }

    #[test]
    fn scales_go_along_the_side_that_they_have() {
        let bytes: Vec<u8> = [1_i8, -2, 3, -4].map(|v| v.cast_unsigned()).to_vec();
        let narrow = || Stored::new(vec![2, 2], Dtype::I8, Rc::new(bytes.clone()), 0);
        let mut by_row = narrow();
        by_row.scale_by("w", stored(&[1.0, 10.0], &[2, 1])).unwrap();
        assert_eq!(by_row.values("w").unwrap(), [1.0, -2.0, 30.0, -40.0]);
        let mut by_column = narrow();
        by_column
            .scale_by("w", stored(&[1.0, 10.0], &[1, 2]))
            .unwrap();
        assert_eq!(by_column.values("w").unwrap(), [1.0, -20.0, 3.0, -40.0]);
        for shape in [vec![2], vec![2, 2], vec![1, 1], vec![3, 1]] {
            let scale = stored(&vec![1.0; shape.iter().product()], &shape);
            let error = narrow().scale_by("w", scale).unwrap_err();
            assert_eq!(error.code(), "weights_mismatch", "{shape:?}");
        }
    }
}
