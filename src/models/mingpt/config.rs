use serde::{Deserialize, Serialize};

use crate::models::vocabulary::Cost;
use crate::models::{Order, Vocabulary};

/// taming-transformers' minGPT: causal, row by row, after a condition from the same table of
/// tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MinGptConfig {
    /// Number of codes, K, which is also that of its tokens.
    pub codes: usize,
    /// Rows of the grid.
    pub rows: usize,
    /// Columns of the grid.
    pub columns: usize,
    /// Number of classes, each the token of the same number; 0 for an unconditional prior, whose
    /// condition is token 0.
    #[serde(default)]
    pub classes: usize,
    /// Width of a position's vector, D; 4 D inside the feed-forward layers.
    pub width: usize,
    /// Number of layers.
    pub layers: usize,
    /// Number of heads; divides D.
    pub heads: usize,
    /// Number of positions; as many as tokens at least.
    pub block: usize,
}

impl Vocabulary for MinGptConfig {
    fn order(&self) -> Order {
        Order::Raster
    }

    fn codes(&self) -> usize {
        self.codes
    }

    fn grid(&self) -> [usize; 2] {
        [self.rows, self.columns]
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn no_class(&self) -> Option<usize> {
        (self.classes == 0).then_some(0)
    }

    fn pass_macs(&self) -> u64 {
        Cost {
            positions: self.tokens(),
            width: self.width,
            layers: self.layers,
            hidden: 4 * self.width,
            matrices: 2,
            logits: self.codes,
        }
        .macs()
    }

    fn scores(&self) -> usize {
        self.heads.saturating_mul(self.tokens().pow(2))
    }
}
