//! Devices: whether one computes correctly and how fast, and which one to use.

#[cfg(any(target_arch = "wasm32", test))]
pub(crate) mod choice;
mod self_test;

#[cfg(target_arch = "wasm32")]
pub(crate) use self_test::warm_up;
pub use self_test::{SelfTest, check, measure};
