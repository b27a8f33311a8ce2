use std::rc::Rc;

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, FileReaderSync};

use crate::error::{Error, Result};
use crate::weights::Source;

/// The bytes of a `Blob` (such as a file) or of a `Uint8Array`. Both stay on the JavaScript side;
/// only the part being read is copied into wasm memory.
pub fn source(bytes: JsValue) -> Result<Rc<dyn Source>> {
    let bytes = match bytes.dyn_into::<Uint8Array>() {
        Ok(array) => return Ok(Rc::new(Array(array))),
        Err(other) => other,
    };
    let blob: Blob = bytes
        .dyn_into()
        .map_err(|_| Error::Argument("Weights must be a Blob or a Uint8Array".into()))?;
    let reader = FileReaderSync::new().map_err(|_| {
        Error::Argument("A Blob can be read in a worker only; pass a Uint8Array instead".into())
    })?;
    Ok(Rc::new(File { blob, reader }))
}

#[derive(Debug)]
struct Array(Uint8Array);

impl Source for Array {
    fn len(&self) -> u64 {
        u64::from(self.0.length())
    }

    fn read(&self, start: u64, length: usize) -> Result<Vec<u8>> {
        self.check(start, length)?;
        // Within an array, whose length is at most 32 bits.
        let start = start as u32;
        Ok(self.0.subarray(start, start + length as u32).to_vec())
    }
}

#[derive(Debug)]
struct File {
    blob: Blob,
    reader: FileReaderSync,
}

impl Source for File {
    fn len(&self) -> u64 {
        // A double can represent every file length.
        self.blob.size() as u64
    }

    fn read(&self, start: u64, length: usize) -> Result<Vec<u8>> {
        self.check(start, length)?;
        let end = start as f64 + length as f64;
        let failed = |_| Error::Io {
            path: "The weight file".into(),
            reason: "it could not be read: it may have been moved or changed".into(),
        };
        let part = self
            .blob
            .slice_with_f64_and_f64(start as f64, end)
            .map_err(failed)?;
        let buffer = self.reader.read_as_array_buffer(&part).map_err(failed)?;
        Ok(Uint8Array::new(&buffer).to_vec())
    }
}
