use wasm_bindgen::prelude::*;

use super::Tokens;
use crate::generate::{self, Margins};
use crate::tokens;

/// A grid of tokens, some of which are known while a prior is to draw the others.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Canvas {
    inner: generate::Canvas,
    /// The picture that it was made from, for its size.
    original: tokens::Tokens,
}

#[wasm_bindgen]
impl Canvas {
    /// A picture's tokens, without those where `mask`, row-major, is not zero.
    pub fn masked(original: &Tokens, mask: Vec<u8>) -> Result<Canvas, JsValue> {
        let mask: Vec<bool> = mask.into_iter().map(|cell| cell != 0).collect();
        let inner = known(original)?.without(&mask)?;
        Ok(Self::new(inner, original))
    }

    /// A picture's tokens with room for so many more on each side.
    pub fn extended(
        original: &Tokens,
        top: usize,
        right: usize,
        bottom: usize,
        left: usize,
    ) -> Result<Canvas, JsValue> {
        let margins = Margins {
            top,
            right,
            bottom,
            left,
        };
        let inner = known(original)?.extended(margins)?;
        Ok(Self::new(inner, original))
    }

    /// A picture's tokens without a `share` of them, above 0 and at most 1, chosen by `seed`.
    pub fn varied(original: &Tokens, share: f64, seed: u32) -> Result<Canvas, JsValue> {
        let inner = known(original)?.varied(share, seed.into())?;
        Ok(Self::new(inner, original))
    }

    /// Number of rows.
    #[wasm_bindgen(getter)]
    pub fn rows(&self) -> usize {
        self.inner.rows()
    }

    /// Number of columns.
    #[wasm_bindgen(getter)]
    pub fn columns(&self) -> usize {
        self.inner.columns()
    }

    /// The tokens, row-major; −1 where they are to be drawn.
    #[wasm_bindgen(getter)]
    pub fn tokens(&self) -> Vec<i32> {
        drawn(&self.inner)
    }
}

impl Canvas {
    fn new(inner: generate::Canvas, original: &Tokens) -> Self {
        let original = original.inner().clone();
        Self { inner, original }
    }

    pub(super) fn into_parts(self) -> (generate::Canvas, tokens::Tokens) {
        (self.inner, self.original)
    }
}

fn known(tokens: &Tokens) -> Result<generate::Canvas, JsValue> {
    Ok(tokens.inner().grid()?.try_into()?)
}

/// A canvas's tokens as JavaScript has them.
pub(super) fn drawn(canvas: &generate::Canvas) -> Vec<i32> {
    // Codes are below 2²⁰.
    let tokens = canvas.tokens().iter();
    tokens
        .map(|token| token.map_or(-1, |code| code as i32))
        .collect()
}
