//! The browser bindings, and the only module that knows JavaScript. `www/engine/worker.js` uses
//! exactly this API, as does everyone who installs the package from npm.

mod adapter;
mod canvas;
mod clock;
mod engine;
mod error;
mod generator;
mod latents;
mod model;
mod picture;
mod picture_sampler;
mod prior;
mod prior_trainer;
mod sampler;
mod source;
mod start;
mod tokens;
mod trainer;
mod tuner;
mod types;

pub use canvas::Canvas;
pub use engine::Engine;
pub use generator::{Generator, GeneratorWeights};
pub use latents::Latents;
pub use model::{Model, Weights};
pub use picture::{Picture, compare};
pub use picture_sampler::PictureSampler;
pub use prior::{Prior, PriorWeights};
pub use prior_trainer::PriorTrainer;
pub use sampler::Sampler;
pub use start::start;
pub use tokens::Tokens;
pub use trainer::Trainer;
pub use tuner::Tuner;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

use crate::error::{Error, one_line};

/// The package version.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Size of the wasm memory in bytes. Wasm memory never shrinks, so this is also the peak.
#[wasm_bindgen(js_name = memoryBytes)]
pub fn memory_bytes() -> f64 {
    let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    let buffer: js_sys::ArrayBuffer = memory.buffer().unchecked_into();
    f64::from(buffer.byte_length())
}

/// Reads a plain JavaScript object; unknown fields are rejected by name, `undefined` has none.
fn parsed<T: DeserializeOwned>(value: &JsValue) -> Result<T, Error> {
    serde_json::from_str(&json(value)).map_err(|e| Error::Argument(one_line(e)))
}

/// The JSON of a plain JavaScript object.
fn json(value: &JsValue) -> String {
    match js_sys::JSON::stringify(value) {
        Ok(json) => json.as_string().unwrap_or_else(|| "{}".to_owned()),
        // Not JSON, as its reader will say.
        Err(_) => String::new(),
    }
}

/// Converts a value to a plain JavaScript object: numbers as numbers, maps as objects.
fn object(value: &impl Serialize) -> Result<JsValue, JsValue> {
    value
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .map_err(|e| error::internal(&e.to_string()))
}
