use serde::{Deserialize, Serialize};

use crate::models::vocabulary::Cost;
use crate::models::{Order, Vocabulary};

/// Halton-MaskGIT's transformer: bidirectional, over a fixed grid, with the class in its
/// modulations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaskGitConfig {
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
    /// Number of heads, each ⌊D / heads⌋ wide: where that leaves a remainder, queries, keys and
    /// values are narrower than D.
    pub heads: usize,
    /// Width inside the feed-forward layers.
    pub hidden: usize,
}

impl MaskGitConfig {
    /// Width of a head.
    pub fn head_width(&self) -> usize {
        self.width / self.heads.max(1)
    }
}

impl Vocabulary for MaskGitConfig {
    fn order(&self) -> Order {
        Order::Masked
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
        let cost = Cost {
            positions: self.tokens() + 1,
            width: self.width,
            layers: self.layers,
            hidden: self.hidden,
            matrices: 3,
            logits: self.codes + 1,
        };
        let [layers, width] = [self.layers, self.width].map(|number| number as u64);
        cost.macs() + (6 * layers + 2) * width * width
    }

    fn scores(&self) -> usize {
        self.heads.saturating_mul((self.tokens() + 1).pow(2))
    }
}
