// Needed for a single call to a function that the linker defines.
#![allow(unsafe_code)]

use std::sync::Once;

use wasm_bindgen::prelude::*;

unsafe extern "C" {
    fn __wasm_call_ctors();
}

/// Runs once before everything else. Panics are logged to the console with their message (the
/// instance is unusable after one), and the thousands of items that CubeCL registers for its
/// compiler are registered.
///
/// If a module never calls the linker's constructor function, every export is wrapped in a call to
/// it and spends most of its time there.
#[wasm_bindgen(start)]
pub fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        // SAFETY: defined by the linker, takes no arguments, and what it runs has no preconditions.
        unsafe { __wasm_call_ctors() };
        console_error_panic_hook::set_once();
    });
}
