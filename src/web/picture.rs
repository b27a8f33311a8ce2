use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::object;
use crate::pixels::{self, metrics};

/// A picture in 8-bit RGB.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Picture {
    inner: pixels::Picture,
}

#[wasm_bindgen]
impl Picture {
    /// Reads a PNG, JPEG or WebP file, upright as its EXIF says, transparency over white.
    pub fn decode(bytes: &[u8]) -> Result<Picture, JsValue> {
        Ok(Self::new(pixels::Picture::decode(bytes)?))
    }

    /// `decode`, then `fit`. What would still be too large to encode is refused from its header.
    #[wasm_bindgen(js_name = decodeFit)]
    pub fn decode_fit(bytes: &[u8], max_side: u32, square: bool) -> Result<Picture, JsValue> {
        Ok(Self::new(pixels::Picture::decode_fit(
            bytes, max_side, square,
        )?))
    }

    /// A picture from its samples: red, green and blue, 8 bits each, row by row.
    #[wasm_bindgen(js_name = fromRgb)]
    pub fn from_rgb(width: u32, height: u32, rgb: Vec<u8>) -> Result<Picture, JsValue> {
        Ok(Self::new(pixels::Picture::from_rgb(width, height, rgb)?))
    }

    /// Width in pixels.
    #[wasm_bindgen(getter)]
    pub fn width(&self) -> u32 {
        self.inner.width()
    }

    /// Height in pixels.
    #[wasm_bindgen(getter)]
    pub fn height(&self) -> u32 {
        self.inner.height()
    }

    /// Scaled down, never up, so that the longest side is at most `max_side` (0 keeps the size);
    /// with `square` the centre square is taken first.
    pub fn fit(&self, max_side: u32, square: bool) -> Picture {
        Self::new(self.inner.fit(max_side, square))
    }

    /// The samples, as [`Picture::from_rgb`] takes them.
    pub fn rgb(&self) -> js_sys::Uint8Array {
        js_sys::Uint8Array::from(self.inner.rgb())
    }

    /// RGBA, 8 bits each, as a canvas takes them.
    pub fn rgba(&self) -> js_sys::Uint8ClampedArray {
        js_sys::Uint8ClampedArray::from(self.inner.to_rgba().as_slice())
    }

    /// The picture as a PNG file.
    pub fn png(&self) -> Result<Vec<u8>, JsValue> {
        Ok(self.inner.png()?)
    }
}

impl Picture {
    pub(super) fn new(inner: pixels::Picture) -> Self {
        Self { inner }
    }

    pub(super) fn into_inner(self) -> pixels::Picture {
        self.inner
    }

    pub(super) fn inner(&self) -> &pixels::Picture {
        &self.inner
    }
}

#[derive(Serialize)]
struct Quality {
    psnr: f64,
    ssim: f64,
}

/// How near two pictures of one size are.
#[wasm_bindgen(unchecked_return_type = "Quality")]
pub fn compare(a: &Picture, b: &Picture) -> Result<JsValue, JsValue> {
    object(&Quality {
        psnr: metrics::psnr(&a.inner, &b.inner)?,
        ssim: metrics::ssim(&a.inner, &b.inner)?,
    })
}
