// One call that only the linker can answer.
#![allow(unsafe_code)]

use std::sync::Once;

use wasm_bindgen::prelude::*;

unsafe extern "C" {
    fn __wasm_call_ctors();
}

/// Runs once before everything else: panics reach the console with their message (the instance is
/// dead after one), and the thousands of parts that CubeCL registers for its compiler are registered.
///
/// A module that never calls the linker's function for the latter gets a call of it in front of each
/// of its exports, and spends most of its time there.
#[wasm_bindgen(start)]
pub fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        // SAFETY: the linker defines it, without arguments; what it runs depends on nothing else.
        unsafe { __wasm_call_ctors() };
        console_error_panic_hook::set_once();
    });
}
