//! Halton-MaskGIT's transformer: masked tokens, in any order.

mod config;
mod network;

pub use config::MaskGitConfig;
pub use network::MaskGit;

use burn::tensor::Device;

use crate::error::Result;
use crate::fields::{MAX_WIDTH, grid, transformer, within};
use crate::models::{Kind, Part};

impl MaskGitConfig {
    /// On LlamaGen's 16,384 codes and ImageNet's 1,000 classes.
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

impl Kind for MaskGitConfig {
    const NAME: &'static str = "maskgit";
    type Network = MaskGit;

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
    /// | `maskgit-tiny` | a few thousand parameters, for tests |
    /// | `halton-tiny-256`, `-small-256`, `-base-256`, `-small-384`, `-base-384` | Halton-MaskGIT's published models |
    fn presets() -> Vec<(&'static str, Self)> {
        let small = |side| Self::published(side, 512, 12, 6, 1536);
        let base = |side| Self::published(side, 768, 12, 12, 2048);
        vec![
            ("maskgit-tiny", Self::example()),
            ("halton-tiny-256", Self::published(16, 384, 6, 6, 1024)),
            ("halton-small-256", small(16)),
            ("halton-base-256", base(16)),
            ("halton-small-384", small(24)),
            ("halton-base-384", base(24)),
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
        within("hidden", self.hidden, MAX_WIDTH)
    }

    fn network(&self, device: &Device) -> Result<MaskGit> {
        Ok(MaskGit::new(self, device))
    }

    fn part(_tensor: &str) -> Option<Part> {
        None
    }
}
