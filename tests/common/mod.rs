//! Shared by the golden tests. The bodies take the device as an argument, so that the native tests
//! and those in the browser, on the CPU and on WebGPU, are the same.

// Each test crate uses only a part of this.
#![allow(dead_code, unused_macros, unused_imports)]

mod file;

pub mod differences;
pub mod hashed;
pub mod on;

pub mod families;
pub mod generators;
pub mod layers;
pub mod losses;
pub mod models;
pub mod priors;
pub mod quantizers;

pub use file::Golden;
pub use on::{On, relative_error};

/// The golden file with this name from `tests/golden`, embedded in the program: a browser has no
/// file system.
macro_rules! golden {
    ($name:literal) => {
        $crate::common::Golden::of(
            $name,
            include_bytes!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/golden/",
                $name,
                ".safetensors"
            )),
        )
    };
}
pub(crate) use golden;

/// Turns each body into a native test on the CPU.
macro_rules! native_tests {
    ($($family:ident::$body:ident)*) => {$(
        #[test]
        fn $body() {
            pollster::block_on(common::$family::$body(&common::On::cpu()));
        }
    )*};
}
pub(crate) use native_tests;
