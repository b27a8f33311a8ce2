use wasm_bindgen::prelude::*;

use super::canvas::{self, Canvas};
use super::{Engine, Model, Prior, Tokens, clock, parsed};
use crate::error::Error;
use crate::generate::{self, SampleOptions};
use crate::tokens;

/// Draws the tokens of some pictures from a prior, step by step.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Sampler {
    inner: generate::Sampler,
    /// What it was begun with.
    original: Option<tokens::Tokens>,
}

#[wasm_bindgen]
impl Sampler {
    /// Begins to sample; omitted options take their defaults. With `start`, a masked prior draws what is
    /// missing of it, whatever its size.
    pub fn begin(
        engine: &Engine,
        prior: &Prior,
        #[wasm_bindgen(unchecked_param_type = "SampleOptions")] options: JsValue,
        start: Option<Canvas>,
    ) -> Result<Sampler, JsValue> {
        let options: SampleOptions = parsed(&options)?;
        let (start, original) = start.map(Canvas::into_parts).unzip();
        let loaded = prior.loaded();
        let network = loaded.network.clone();
        let device = engine.device();
        let inner = generate::Sampler::new(network, &loaded.config, options, start, device)?;
        Ok(Sampler { inner, original })
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
        Ok(canvas::drawn(self.picture(picture)?))
    }

    /// A picture's tokens for `model` to decode, with the nearest known one in the place of each
    /// that is not drawn yet; null before the first is.
    pub fn preview(&self, picture: usize, model: &Model) -> Result<Option<Tokens>, JsValue> {
        let Some(grid) = self.picture(picture)?.preview() else {
            return Ok(None);
        };
        let tokens = model.codec().tokens_like(self.original.as_ref(), grid)?;
        Ok(Some(Tokens::new(tokens)))
    }
}

impl Sampler {
    fn picture(&self, index: usize) -> Result<&generate::Canvas, Error> {
        let canvas = self.inner.pictures().get(index);
        canvas.ok_or_else(|| Error::Argument(format!("There is no picture {index}")))
    }
}
