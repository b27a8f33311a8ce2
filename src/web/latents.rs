use wasm_bindgen::prelude::*;

use crate::codec;
use crate::models::LatentScale;

/// A picture's latents, from a model without a codebook.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Latents(codec::Latents);

#[wasm_bindgen]
impl Latents {
    /// Width of the picture in pixels.
    #[wasm_bindgen(getter)]
    pub fn width(&self) -> u32 {
        self.0.width
    }

    /// Height of the picture in pixels.
    #[wasm_bindgen(getter)]
    pub fn height(&self) -> u32 {
        self.0.height
    }

    /// Number of channels per latent.
    #[wasm_bindgen(getter)]
    pub fn channels(&self) -> u32 {
        self.0.channels
    }

    /// Number of rows.
    #[wasm_bindgen(getter)]
    pub fn rows(&self) -> u32 {
        self.0.rows
    }

    /// Number of columns.
    #[wasm_bindgen(getter)]
    pub fn columns(&self) -> u32 {
        self.0.columns
    }

    /// The values in channel-major order, `[channels, rows, columns]`.
    pub fn values(&self) -> Vec<f32> {
        self.0.values.clone()
    }

    /// Hash of the encoder that produced them; a model only decodes latents from its own encoder.
    #[wasm_bindgen(getter, js_name = encoderHash)]
    pub fn encoder_hash(&self) -> String {
        self.0.encoder_hash.to_string()
    }

    /// The values as a generator models them: (value − shift) · scale, with the model's
    /// `latentScale`.
    pub fn scaled(&self, scale: f32, shift: f32) -> Vec<f32> {
        self.0.scaled(LatentScale { scale, shift })
    }

    /// A copy of these latents with new values, given in the scaled form returned by `scaled`.
    #[wasm_bindgen(js_name = withScaled)]
    pub fn with_scaled(&self, values: &[f32], scale: f32, shift: f32) -> Result<Latents, JsValue> {
        let scale = LatentScale { scale, shift };
        Ok(Self(self.0.with_scaled(values, scale)?))
    }
}

impl Latents {
    pub(super) fn new(latents: codec::Latents) -> Self {
        Self(latents)
    }

    pub(super) fn inner(&self) -> &codec::Latents {
        &self.0
    }
}
