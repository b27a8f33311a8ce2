use wasm_bindgen::prelude::*;

use super::{Engine, Model, Prior, Tokens, clock};
use crate::error::{Error, one_line};
use crate::generate::{self, SampleOptions, filled};

/// Draws the tokens of some pictures from a prior, step by step.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Sampler {
    inner: generate::Sampler,
    rows: u32,
    columns: u32,
}

#[wasm_bindgen]
impl Sampler {
    /// Begins to sample; omitted options take their defaults. `start` are tokens to begin with,
    /// row-major, −1 where they are to be drawn.
    pub fn begin(
        engine: &Engine,
        prior: &Prior,
        #[wasm_bindgen(unchecked_param_type = "SampleOptions")] options: JsValue,
        start: Option<Vec<i32>>,
    ) -> Result<Sampler, JsValue> {
        // Through JSON, where unknown fields are rejected by name.
        let json = js_sys::JSON::stringify(&options).map(String::from);
        let options: SampleOptions = serde_json::from_str(&json.unwrap_or_default())
            .map_err(|e| Error::Argument(one_line(e)))?;
        let start: Option<Vec<Option<u32>>> =
            start.map(|tokens| tokens.into_iter().map(|t| u32::try_from(t).ok()).collect());
        let loaded = prior.loaded();
        let [rows, columns] = loaded.config.grid().map(|side| side as u32);
        Ok(Sampler {
            inner: generate::Sampler::new(
                loaded.network.clone(),
                &loaded.config,
                options,
                start.as_deref(),
                engine.device(),
            )?,
            rows,
            columns,
        })
    }

    /// Number of steps.
    #[wasm_bindgen(getter)]
    pub fn steps(&self) -> usize {
        self.inner.steps()
    }

    /// Steps done so far.
    #[wasm_bindgen(getter)]
    pub fn done(&self) -> usize {
        self.inner.done()
    }

    /// Takes the next step, for all pictures.
    pub async fn step(&mut self) -> Result<(), JsValue> {
        clock::breathe().await;
        Ok(self.inner.step().await?)
    }

    /// A picture's tokens so far, row-major; −1 where not drawn yet.
    pub fn tokens(&self, picture: usize) -> Result<Vec<i32>, JsValue> {
        let tokens = self.picture(picture)?.iter();
        // Codes are below 2²⁰.
        let tokens = tokens.map(|token| token.map_or(-1, |code| code as i32));
        Ok(tokens.collect())
    }

    /// A picture's tokens for `model` to decode, with the nearest known one in the place of each
    /// that is not drawn yet; null before the first is.
    pub fn preview(&self, picture: usize, model: &Model) -> Result<Option<Tokens>, JsValue> {
        let filled = filled(self.picture(picture)?, self.columns as usize);
        filled
            .map(|indices| model.tokens(self.rows, self.columns, indices))
            .transpose()
    }
}

impl Sampler {
    fn picture(&self, index: usize) -> Result<&[Option<u32>], Error> {
        let tokens = self.inner.tokens().get(index).map(Vec::as_slice);
        tokens.ok_or_else(|| Error::Argument(format!("There is no picture {index}")))
    }
}
