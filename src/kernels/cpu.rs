//! Helpers shared by the CPU kernels.

use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape};

/// Number of values that a thread processes at a time, unless a larger unit is given.
pub const CHUNK: usize = 16 * 1024;

/// Number of accumulator lanes in a sum, so that the compiler can vectorise it.
const LANES: usize = 16;

/// A tensor of `values`.
pub fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    let layout = Layout::contiguous(Shape::from(shape.to_vec()));
    FlexTensor::new(Bytes::from_elems(values), layout, DType::F32)
}

/// `make(0)`, `make(1)`, …, in parallel where threads are available.
pub fn each<T: Send>(count: usize, make: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        (0..count).into_par_iter().map(make).collect()
    }
    #[cfg(target_arch = "wasm32")]
    (0..count).map(make).collect()
}

/// Calls a function on each chunk of `size` values with its index, in parallel likewise.
pub fn each_chunk(
    values: &mut [f32],
    size: usize,
    change: impl Fn(usize, &mut [f32]) + Sync + Send,
) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        let chunks = values.par_chunks_mut(size).enumerate();
        chunks.for_each(|(index, chunk)| change(index, chunk));
    }
    #[cfg(target_arch = "wasm32")]
    for (index, chunk) in values.chunks_mut(size).enumerate() {
        change(index, chunk);
    }
}

/// The sum of `term` over two slices of equal length.
pub fn sum(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    // Lanes are flushed regularly, as a long sum in f32 loses precision.
    let blocks = a.chunks(CHUNK).zip(b.chunks(CHUNK)).map(|(a, b)| {
        let mut lanes = [0.0; LANES];
        let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
        let rest = a.remainder().iter().zip(b.remainder());
        let rest: f32 = rest.map(|(a, b)| term(*a, *b)).sum();
        for (a, b) in a.zip(b) {
            for lane in 0..LANES {
                lanes[lane] += term(a[lane], b[lane]);
            }
        }
        f64::from(rest) + lanes.iter().map(|lane| f64::from(*lane)).sum::<f64>()
    });
    blocks.sum::<f64>() as f32
}

/// e to the power of `x`, accurate to three units in the last place, written so that it vectorises.
///
/// Source: Cephes `expf` (Moshier 1992).
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    /// Adding 1.5 · 2²³ leaves the nearest integer in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    // Outside this range the result would not be a normal number.
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let power = shifted - ROUND;
    // ln 2 split in two, the first part having few digits.
    let r = x - power * 0.693_359_4 + power * 2.121_944_4e-4;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let two = shifted
        .to_bits()
        .wrapping_sub(ROUND.to_bits())
        .wrapping_add(127)
        << 23;
    (p * r * r + r + 1.0) * f32::from_bits(two)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_the_standard_librarys() {
        for i in -8700..=8800 {
            let x = i as f32 / 100.0;
            let (got, wanted) = (f64::from(exp(x)), f64::from(x).exp());
            assert!(
                (got / wanted - 1.0).abs() < 4e-7,
                "e^{x}: {got}, not {wanted}"
            );
        }
        assert!(exp(f32::NAN).is_nan());
        assert!(exp(-1e9) < 1e-37 && exp(1e9) > 1e38);
    }

    #[test]
    fn sums_take_every_value_once() {
        let values: Vec<f32> = (0..CHUNK + 37).map(|i| (i % 7) as f32).collect();
        let wanted: f32 = values.iter().sum();
        assert_eq!(sum(&values, &values, |a, _| a), wanted);
    }
}
