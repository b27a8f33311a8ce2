//! LlamaGen's transformer: tokens row by row, after the class.

mod config;
mod network;

pub use config::LlamaGenConfig;
pub use network::LlamaGen;

use burn::tensor::Device;

use crate::error::{Error, Result};
use crate::fields::{MAX_WIDTH, grid, transformer, within};
use crate::models::{Kind, Part};

impl LlamaGenConfig {
    /// On 16,384 codes and ImageNet's 1,000 classes.
    fn published(side: usize, width: usize, layers: usize, heads: usize, hidden: usize) -> Self {
        Self {
            codes: 16_384,
            rows: side,
            columns: side,
            classes: 1000,
            width,
            layers,
            heads,
            hidden,
        }
    }
}

impl Kind for LlamaGenConfig {
    const NAME: &'static str = "llamagen";
    type Network = LlamaGen;

    fn example() -> Self {
        Self {
            codes: 8,
            rows: 4,
            columns: 4,
            classes: 4,
            width: 16,
            layers: 2,
            heads: 2,
            hidden: 32,
        }
    }

    /// | name | description |
    /// |---|---|
    /// | `llamagen-tiny` | a few thousand parameters, for tests |
    /// | `llamagen-b-256`, `llamagen-l-256`, `llamagen-b-384`, `llamagen-l-384` | LlamaGen's published class-conditional models |
    fn presets() -> Vec<(&'static str, Self)> {
        let base = |side| Self::published(side, 768, 12, 12, 2048);
        let large = |side| Self::published(side, 1024, 24, 16, 2816);
        vec![
            ("llamagen-tiny", Self::example()),
            ("llamagen-b-256", base(16)),
            ("llamagen-l-256", large(16)),
            ("llamagen-b-384", base(24)),
            ("llamagen-l-384", large(24)),
        ]
    }

    fn validate(&self) -> Result<()> {
        grid(self.rows, self.columns)?;
        transformer(
            self.codes,
            self.classes,
            self.width,
            self.layers,
            self.heads,
        )?;
        within("hidden", self.hidden, MAX_WIDTH)?;
        if !self.width.is_multiple_of(4 * self.heads) {
            return Err(Error::ConfigInvalid(format!(
                "`width` is {}, but with {} heads it must be a multiple of {}",
                self.width,
                self.heads,
                4 * self.heads
            )));
        }
        Ok(())
    }

    fn network(&self, device: &Device) -> Result<LlamaGen> {
        Ok(LlamaGen::new(self, device))
    }

    fn part(_tensor: &str) -> Option<Part> {
        None
    }
}
