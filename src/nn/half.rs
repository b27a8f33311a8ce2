use burn::tensor::{DType, FloatDType, Tensor};

/// Whether a weight is kept in memory as f16; see [`crate::params::Keep`].
pub fn is_half<const D: usize>(weight: &Tensor<D>) -> bool {
    weight.dtype() == DType::F16
}

/// A weight in f32. One that is f32 already is not copied.
pub fn widened<const D: usize>(weight: Tensor<D>) -> Tensor<D> {
    if is_half(&weight) {
        weight.cast(FloatDType::F32)
    } else {
        weight
    }
}
