//! Products with weights that stay f16 in memory, and are widened as they are used.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::flex::FlexTensor;
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{FloatDType, Tensor, f16};

use super::cpu::{CHUNK, each_chunk, tensor};

/// Up to this many rows, the weights' passage through memory takes longer than the product.
const FEW: usize = 8;

/// Number of outputs that a thread computes at a time: they stay in the fastest cache.
const OUTPUTS: usize = 256;

/// Number of inputs that are added at a time, so that the sums are loaded and stored less often.
const INPUTS: usize = 4;

/// A linear layer without bias whose weight is f16. There is no gradient at the weight: what is
/// trained is f32. Shapes:
///
/// - `x`: `[rows, in]`
/// - `weight`: `[in, out]`
#[backend_extension(Autodiff, Flex, Cube: cfg(any(target_arch = "wasm32", feature = "cuda", feature = "wgpu")))]
pub trait Half: Backend {
    /// `x` · `weight`, `[rows, out]`.
    fn half_product(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_matmul(x, Self::float_cast(weight, FloatDType::F32))
    }
}

#[cfg(any(target_arch = "wasm32", feature = "cuda", feature = "wgpu"))]
impl Half for super::CubeBackend {}

impl<B: Half, C: CheckpointStrategy> Half for Autodiff<B, C> {}

impl Half for Flex {
    fn half_product(x: FlexTensor, weight: FlexTensor) -> FlexTensor {
        let (x, weight) = (x.to_contiguous(), weight.to_contiguous());
        let [rows, width, outputs] = {
            let (x, weight) = (x.layout().shape(), weight.layout().shape());
            [x[0], x[1], weight[1]]
        };
        if rows > FEW {
            return Self::float_matmul(x, wide(&weight, [width, outputs]));
        }
        let (x, weight): (&[f32], &[f16]) = (x.storage(), weight.storage());
        // Blocks of outputs, each with all rows, so that a weight is widened once.
        let block = rows * OUTPUTS;
        let mut blocks = vec![0.0; outputs.div_ceil(OUTPUTS) * block];
        each_chunk(&mut blocks, block, |index, sums| {
            let first = index * OUTPUTS;
            let count = OUTPUTS.min(outputs - first);
            let mut wide = [[0.0; OUTPUTS]; INPUTS];
            for i in (0..width).step_by(INPUTS) {
                let inputs = INPUTS.min(width - i);
                for (input, wide) in wide.iter_mut().enumerate().take(inputs) {
                    widen(
                        &weight[(i + input) * outputs + first..][..count],
                        &mut wide[..count],
                    );
                }
                for (row, sums) in sums.as_chunks_mut::<OUTPUTS>().0.iter_mut().enumerate() {
                    // Of the last inputs some may be missing; their weights then count nothing.
                    let mut known = [0.0; INPUTS];
                    known[..inputs].copy_from_slice(&x[row * width + i..][..inputs]);
                    for (output, sum) in sums.iter_mut().enumerate() {
                        let terms = |input: usize| known[input] * wide[input][output];
                        *sum += (terms(0) + terms(1)) + (terms(2) + terms(3));
                    }
                }
            }
        });
        let mut y = Vec::with_capacity(rows * outputs);
        for row in 0..rows {
            for (index, block) in blocks.chunks_exact(block).enumerate() {
                let count = OUTPUTS.min(outputs - index * OUTPUTS);
                y.extend_from_slice(&block[row * OUTPUTS..][..count]);
            }
        }
        tensor(y, [rows, outputs])
    }
}

fn wide(weight: &FlexTensor, shape: [usize; 2]) -> FlexTensor {
    let narrow: &[f16] = weight.storage();
    let mut values = vec![0.0; narrow.len()];
    each_chunk(&mut values, CHUNK, |index, values| {
        widen(&narrow[index * CHUNK..][..values.len()], values);
    });
    tensor(values, shape)
}

/// Writes finite values to `wide`, which is as long.
#[cfg(not(target_arch = "wasm32"))]
fn widen(narrow: &[f16], wide: &mut [f32]) {
    use half::slice::HalfFloatSliceExt;
    narrow.convert_to_f32_slice(wide);
}

/// Writes finite values to `wide`, which is as long. WebAssembly has no instruction for it.
#[cfg(target_arch = "wasm32")]
fn widen(narrow: &[f16], wide: &mut [f32]) {
    for (wide, narrow) in wide.iter_mut().zip(narrow) {
        *wide = widened(*narrow);
    }
}

/// The value of a finite f16, written so that it vectorises.
#[cfg(any(test, target_arch = "wasm32"))]
#[inline(always)]
fn widened(narrow: f16) -> f32 {
    /// 2 to the power of 112, the distance between the two types' exponents.
    const DISTANCE: f32 = f32::from_bits((127 + 112) << 23);
    let bits = u32::from(narrow.to_bits());
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * DISTANCE;
    f32::from_bits(magnitude.to_bits() | (bits & 0x8000) << 16)
}

/// `x`, `[rows, in]`, times an f16 `weight`, `[in, out]`.
pub fn half_product(x: Tensor<2>, weight: Tensor<2>) -> Tensor<2> {
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(Dispatch::half_product(x, weight))
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device, Distribution};

    use super::*;

    #[test]
    fn widening_is_exact() {
        let finite = (0..=u16::MAX).map(f16::from_bits).filter(|x| x.is_finite());
        for narrow in finite {
            assert_eq!(widened(narrow).to_bits(), narrow.to_f32().to_bits());
        }
    }

    #[test]
    fn the_product_is_that_of_the_same_weights_in_f32() {
        let device = Device::flex();
        let spread = Distribution::Normal(0.0, 1.0);
        for (rows, width, outputs) in [(1, 5, 3), (2, 64, 512), (FEW, 33, 1025), (FEW + 1, 8, 700)]
        {
            let x = Tensor::<2>::random([rows, width], spread, &device);
            let weight = Tensor::<2>::random([width, outputs], spread, &device).cast(DType::F16);
            let wanted = x.clone().matmul(weight.clone().cast(DType::F32));
            let off = (half_product(x, weight) - wanted).abs().max();
            assert!(
                off.into_scalar::<f32>() < 1e-4,
                "{rows}, {width}, {outputs}"
            );
        }
    }
}
