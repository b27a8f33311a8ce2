use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::object;
use crate::error::Error;
use crate::tokens::{self, Grid};

/// A picture as codebook indices.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Tokens {
    inner: tokens::Tokens,
}

#[derive(Serialize)]
struct GridFacts {
    rows: u32,
    columns: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenFacts {
    width: u32,
    height: u32,
    codebook_size: u32,
    grids: Vec<GridFacts>,
    count: usize,
    bits_per_token: u32,
    bits_per_pixel: f64,
    bytes: usize,
    perplexity: f64,
    used: usize,
    codebook_hash: String,
    decoder_hash: String,
}

#[wasm_bindgen]
impl Tokens {
    /// Reads a token file.
    pub fn parse(bytes: &[u8]) -> Result<Tokens, JsValue> {
        Ok(Self::new(tokens::Tokens::from_bytes(bytes)?))
    }

    /// Facts about the tokens.
    #[wasm_bindgen(getter, unchecked_return_type = "TokenFacts")]
    pub fn facts(&self) -> Result<JsValue, JsValue> {
        let t = &self.inner;
        let usage = t.usage();
        object(&TokenFacts {
            width: t.width,
            height: t.height,
            codebook_size: t.codebook_size,
            grids: t
                .grids
                .iter()
                .map(|g| GridFacts {
                    rows: g.rows,
                    columns: g.columns,
                })
                .collect(),
            count: t.count(),
            bits_per_token: t.bits_per_token(),
            bits_per_pixel: t.bits_per_pixel(),
            bytes: t.to_bytes()?.len(),
            perplexity: usage.perplexity,
            used: usage.used,
            codebook_hash: t.codebook_hash.to_string(),
            decoder_hash: t.decoder_hash.to_string(),
        })
    }

    /// Serialises the tokens as a token file.
    pub fn bytes(&self) -> Result<Vec<u8>, JsValue> {
        Ok(self.inner.to_bytes()?)
    }

    /// The same picture with other indices in its only grid, row-major.
    pub fn replaced(&self, indices: Vec<u32>) -> Result<Tokens, JsValue> {
        let Grid { rows, columns, .. } = *self.inner.grid()?;
        let grid = Grid {
            rows,
            columns,
            indices,
        };
        Ok(Self::new(self.inner.replaced(grid)?))
    }

    /// The indices of one grid, row-major.
    pub fn indices(&self, grid: usize) -> Result<Vec<u32>, JsValue> {
        let grids = &self.inner.grids;
        let found = grids.get(grid).ok_or_else(|| {
            Error::Argument(format!(
                "There is no grid {grid}: these tokens have {}",
                grids.len()
            ))
        })?;
        Ok(found.indices.clone())
    }
}

impl Tokens {
    pub(super) fn new(inner: tokens::Tokens) -> Self {
        Self { inner }
    }

    pub(super) fn inner(&self) -> &tokens::Tokens {
        &self.inner
    }
}
