use crate::error::{Error, Result};

/// Length of one axis of a tensor that must have `sides` axes.
pub fn side(name: &str, shape: Option<&[usize]>, sides: usize, axis: usize) -> Result<usize> {
    shape
        .filter(|shape| shape.len() == sides)
        .and_then(|shape| shape.get(axis).copied())
        .ok_or_else(|| Error::WeightsMismatch(format!("`{name}` is missing or misshapen")))
}
