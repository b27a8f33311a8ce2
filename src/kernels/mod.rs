//! Operations with a forward and a backward pass of this crate's own: Burn composes them of many
//! small steps, or is slow at them on the CPU.

mod columns;
mod convolution;
mod cpu;
mod group_norm;
mod silu;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use convolution::{Convolution, convolve};
pub use group_norm::{GroupNormalisation, group_norm};
pub use silu::{Silu, silu};
