//! taming-transformers' minGPT: tokens row by row, after a condition.

mod config;
mod network;

pub use config::MinGptConfig;
pub use network::MinGpt;

use burn::tensor::Device;

use crate::error::{Error, Result};
use crate::fields::{grid, transformer, within};
use crate::models::{Kind, Part, Vocabulary};

/// Most positions.
const MAX_BLOCK: usize = 1 << 16;

impl Kind for MinGptConfig {
    const NAME: &'static str = "mingpt";
    type Network = MinGpt;

    fn example() -> Self {
        Self {
            codes: 8,
            rows: 4,
            columns: 4,
            classes: 4,
            width: 16,
            layers: 2,
            heads: 2,
            block: 16,
        }
    }

    /// | name | description |
    /// |---|---|
    /// | `mingpt-tiny` | a few thousand parameters, for tests |
    /// | `mingpt-imagenet` | taming-transformers' class-conditional ImageNet model, 1.4 billion parameters |
    fn presets() -> Vec<(&'static str, Self)> {
        let imagenet = Self {
            codes: 16_384,
            rows: 16,
            columns: 16,
            classes: 1000,
            width: 1536,
            layers: 48,
            heads: 24,
            block: 256,
        };
        vec![
            ("mingpt-tiny", Self::example()),
            ("mingpt-imagenet", imagenet),
        ]
    }

    fn validate(&self) -> Result<()> {
        let invalid = |message| Err(Error::ConfigInvalid(message));
        grid(self.rows, self.columns)?;
        transformer(
            self.codes,
            self.classes,
            self.width,
            self.layers,
            self.heads,
        )?;
        within("block", self.block, MAX_BLOCK)?;
        if !self.width.is_multiple_of(self.heads) {
            let message = format!("`heads` is {}, but must divide `width`", self.heads);
            return invalid(message);
        }
        if self.classes > self.codes {
            return invalid("`classes` must be at most `codes`: classes are tokens too".into());
        }
        if self.block < self.tokens() {
            let message = format!("`block` is {}, below the grid's tokens", self.block);
            return invalid(message);
        }
        Ok(())
    }

    fn network(&self, device: &Device) -> Result<MinGpt> {
        Ok(MinGpt::new(self, device))
    }

    fn part(_tensor: &str) -> Option<Part> {
        None
    }
}
