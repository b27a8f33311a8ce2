//! Operations with custom forward and backward passes, where Burn composes many small steps or is
//! slow on the CPU.

mod columns;
mod convolution;
mod cpu;
mod group_norm;
mod half;
mod silu;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

/// Burn's backend for every GPU, from whichever of its crates is enabled.
#[cfg(all(feature = "cuda", not(any(target_arch = "wasm32", feature = "wgpu"))))]
use burn::backend::Cuda as CubeBackend;
#[cfg(any(target_arch = "wasm32", feature = "wgpu"))]
use burn::backend::Wgpu as CubeBackend;

pub use convolution::{Convolution, convolve};
pub use group_norm::{GroupNormalisation, group_norm};
pub use half::{Half, half_product};
pub use silu::{Silu, silu};
