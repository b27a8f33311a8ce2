use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::{Engine, Picture, Tokens, clock, object};
use crate::config::ModelConfig;
use crate::models::{Codec, MAX_PIXELS, Stage};
use crate::weights::{CheckedWeights, build};

/// A model with its weights on an [`Engine`]'s device.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Model {
    codec: Codec,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ModelFacts<'a> {
    kind: &'static str,
    name: Option<&'a str>,
    config: &'a ModelConfig,
    parameters: usize,
    factor: usize,
    codebook_size: usize,
    bits_per_token: u32,
    codebook_hash: String,
    decoder_hash: String,
    max_pixels: u64,
}

#[wasm_bindgen]
impl Model {
    /// Loads a safetensors file of any known family. `config` is the text of a config.json that
    /// came with it, for what shapes cannot tell.
    pub async fn load(
        engine: &Engine,
        weights: Vec<u8>,
        config: Option<String>,
    ) -> Result<Model, JsValue> {
        let checked = CheckedWeights::of(weights, config.as_deref())?;
        let codec = Codec::new(build(&checked, engine.device())?, engine.device());
        engine.device().memory_cleanup();
        Ok(Model { codec })
    }

    /// What the model is.
    #[wasm_bindgen(getter, unchecked_return_type = "ModelFacts")]
    pub fn facts(&self) -> Result<JsValue, JsValue> {
        let config = self.codec.config();
        let hashes = self.codec.hashes();
        object(&ModelFacts {
            kind: config.kind(),
            name: self.codec.name(),
            config,
            parameters: self.codec.parameters(),
            factor: config.factor(),
            codebook_size: config.codes(),
            bits_per_token: crate::tokens::bits_for(config.codes() as u32),
            codebook_hash: hashes.codebook.to_string(),
            decoder_hash: hashes.decoder.to_string(),
            max_pixels: MAX_PIXELS,
        })
    }

    /// Picture to tokens.
    pub async fn encode(
        &self,
        picture: &Picture,
        #[wasm_bindgen(unchecked_optional_param_type = "Progress")] progress: Option<Function>,
    ) -> Result<Tokens, JsValue> {
        let mut watch = watch(progress);
        Ok(Tokens::new(
            self.codec.encode(picture.inner(), &mut watch).await?,
        ))
    }

    /// Tokens to picture.
    pub async fn decode(
        &self,
        tokens: &Tokens,
        #[wasm_bindgen(unchecked_optional_param_type = "Progress")] progress: Option<Function>,
    ) -> Result<Picture, JsValue> {
        let mut watch = watch(progress);
        Ok(Picture::new(
            self.codec.decode(tokens.inner(), &mut watch).await?,
        ))
    }

    /// A sentence if another decoder made these tokens.
    pub fn warning(&self, tokens: &Tokens) -> Option<String> {
        self.codec.warning(tokens.inner()).map(str::to_owned)
    }

    /// A colour for each code, three bytes (RGB) each; near codes have near colours.
    pub async fn palette(&self) -> Result<Vec<u8>, JsValue> {
        Ok(self.codec.palette(0).await?)
    }
}

/// Reports to JavaScript, after giving its event loop a turn so that a cancel can arrive.
fn watch(progress: Option<Function>) -> impl AsyncFnMut(Stage, usize, usize) -> bool {
    async move |stage, done, total| {
        clock::breathe().await;
        let Some(progress) = &progress else {
            return true;
        };
        let stage = match stage {
            Stage::Encode => "encode",
            Stage::Decode => "decode",
        };
        // A callback that throws ends the work as one that returns false does.
        progress
            .call3(
                &JsValue::NULL,
                &stage.into(),
                &(done as f64).into(),
                &(total as f64).into(),
            )
            .is_ok_and(|answer| answer != JsValue::FALSE)
    }
}
