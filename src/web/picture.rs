use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::object;
use crate::pixels::{self, metrics};

/// An 8-bit RGB picture.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Picture {
    inner: pixels::Picture,
}

#[wasm_bindgen]
impl Picture {
    /// Decodes a PNG, JPEG or WebP file, applying the EXIF orientation and compositing transparency
    /// over white.
    pub fn decode(bytes: &[u8]) -> Result<Picture, JsValue> {
        Ok(Self::new(pixels::Picture::decode(bytes)?))
    }

    /// `decode` followed by `fit`. A picture that would still be too large to encode is rejected
    /// from its header.
    #[wasm_bindgen(js_name = decodeFit)]
    pub fn decode_fit(bytes: &[u8], max_side: u32, square: bool) -> Result<Picture, JsValue> {
        Ok(Self::new(pixels::Picture::decode_fit(
            bytes, max_side, square,
        )?))
    }

    /// A picture from 8-bit RGB samples, row-major.
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

    /// Scales down, never up, so that the longest side is at most `max_side` (0 keeps the size);
    /// with `square`, crops to the centre square first.
    pub fn fit(&self, max_side: u32, square: bool) -> Picture {
        Self::new(self.inner.fit(max_side, square))
    }

    /// The middle of the picture, scaled up or down so that it covers `width`×`height` pixels.
    pub fn cover(&self, width: u32, height: u32) -> Result<Picture, JsValue> {
        Ok(Self::new(self.inner.cover(width, height)?))
    }

    /// The samples in the layout that [`Picture::from_rgb`] takes.
    pub fn rgb(&self) -> js_sys::Uint8Array {
        js_sys::Uint8Array::from(self.inner.rgb())
    }

    /// 8-bit RGBA samples, as a canvas expects them.
    pub fn rgba(&self) -> js_sys::Uint8ClampedArray {
        js_sys::Uint8ClampedArray::from(self.inner.to_rgba().as_slice())
    }

    /// Encodes the picture as PNG.
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

/// Measures how similar two pictures of the same size are.
#[wasm_bindgen(unchecked_return_type = "Quality")]
pub fn compare(a: &Picture, b: &Picture) -> Result<JsValue, JsValue> {
    object(&Quality {
        psnr: metrics::psnr(&a.inner, &b.inner)?,
        ssim: metrics::ssim(&a.inner, &b.inner)?,
    })
}
