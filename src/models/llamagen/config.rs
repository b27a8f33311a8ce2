use serde::{Deserialize, Serialize};

use crate::models::vocabulary::Cost;
use crate::models::{Order, Vocabulary};

/// LlamaGen's transformer: causal, row by row, after the class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LlamaGenConfig {
    /// Number of codes, K.
    pub codes: usize,
    /// Rows of the grid.
    pub rows: usize,
    /// Columns of the grid.
    pub columns: usize,
    /// Number of classes; 0 for an unconditional prior.
    #[serde(default)]
    pub classes: usize,
    /// Width of a position's vector, D.
    pub width: usize,
    /// Number of layers.
    pub layers: usize,
    /// Number of heads; the width of each, D / heads, is a multiple of 4.
    pub heads: usize,
    /// Width inside the feed-forward layers.
    pub hidden: usize,
}

impl Vocabulary for LlamaGenConfig {
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

    fn pass_macs(&self) -> u64 {
        Cost {
            positions: self.tokens(),
            width: self.width,
            layers: self.layers,
            hidden: self.hidden,
            matrices: 3,
            logits: self.codes,
        }
        .macs()
    }

    fn scores(&self) -> usize {
        self.heads.saturating_mul(self.tokens().pow(2))
    }
}
