use js_sys::Reflect;
use wasm_bindgen::JsValue;

use crate::error::Error;

impl From<Error> for JsValue {
    /// Converts to a JavaScript `Error` named `TesseraeError` with the stable `code`.
    fn from(error: Error) -> Self {
        coded(error.code(), &error.to_string())
    }
}

/// An error from serde or JavaScript that only a bug in this crate can cause.
pub fn internal(message: &str) -> JsValue {
    Error::Internal(message.to_owned()).into()
}

fn coded(code: &str, message: &str) -> JsValue {
    let error = js_sys::Error::new(message);
    error.set_name("TesseraeError");
    // Setting a property on a new object cannot fail.
    let _ = Reflect::set(&error, &"code".into(), &code.into());
    error.into()
}
