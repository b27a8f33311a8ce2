//! What the golden tests share. The bodies take the device, so that the native tests and those in
//! the browser, on the CPU and on WebGPU, are the same.

// Each test crate uses a part of this.
#![allow(dead_code, unused_macros, unused_imports)]

mod file;

pub mod differences;
pub mod on;

pub mod families;
pub mod layers;
pub mod losses;
pub mod models;
pub mod quantizers;

pub use file::Golden;
pub use on::{On, relative_error};

/// The golden file of this name, from `tests/golden`, within the program: a browser has no files.
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

/// Makes a native test of each body, on the CPU.
macro_rules! native_tests {
    ($($family:ident::$body:ident)*) => {$(
        #[test]
        fn $body() {
            pollster::block_on(common::$family::$body(&common::On::cpu()));
        }
    )*};
}
pub(crate) use native_tests;
