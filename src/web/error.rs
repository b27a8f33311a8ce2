use js_sys::Reflect;
use wasm_bindgen::JsValue;

use crate::error::Error;

impl From<Error> for JsValue {
    /// An `Error` named `TesseraeError` with the stable `code`.
    fn from(error: Error) -> Self {
        coded(error.code(), &error.to_string())
    }
}

/// For what serde or JavaScript refuses, which only a bug here can cause.
pub fn internal(message: &str) -> JsValue {
    Error::Internal(message.to_owned()).into()
}

fn coded(code: &str, message: &str) -> JsValue {
    let error = js_sys::Error::new(message);
    error.set_name("TesseraeError");
    // Setting a property of a fresh object cannot fail.
    let _ = Reflect::set(&error, &"code".into(), &code.into());
    error.into()
}
