//! A picture's tokens, and the `.tokens` file format.
//!
//! # The file, version 1
//! All numbers are little-endian.
//!
//! | offset | bytes | content |
//! | --- | --- | --- |
//! | 0 | 4 | magic, `TSRA` |
//! | 4 | 1 | version, 1 |
//! | 5 | 1 | number of grids G, 1 to 8 |
//! | 6 | 1 | bits per index B: ⌈log₂ K⌉, at least 1 |
//! | 7 | 1 | reserved, 0 |
//! | 8 | 4 | width of the picture before padding, in pixels |
//! | 12 | 4 | height of the picture before padding, in pixels |
//! | 16 | 4 | codebook size K, 1 to 2²⁰ |
//! | 20 | 8 | hash of the codebook |
//! | 28 | 8 | hash of the decoder |
//! | 36 | 8 G | for each grid its rows and its columns, 4 bytes each, at least 1 |
//! | 36 + 8 G | ⌈N B / 8⌉ | the N indices of all grids, row-major, grid after grid, B bits each, lowest bit first, filled up with zero bits; N at most 2²⁴ |
//! | end − 4 | 4 | CRC-32 (IEEE 802.3, as in PNG) of everything before |
//!
//! Nothing may follow. A file that violates any of these rules is rejected.

mod bits;
mod format;
mod hash;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

pub use bits::width as bits_for;
pub use format::VERSION;
pub use hash::Hash;

/// Maximum number of grids per picture.
pub const MAX_GRIDS: usize = 8;
/// Maximum number of indices per picture, over all grids.
pub const MAX_INDICES: usize = 1 << 24;
/// Maximum codebook size.
pub const MAX_CODEBOOK: u32 = 1 << 20;

/// A picture as codebook indices.
///
/// # Examples
/// ```
/// # use tesserae::Tokens;
/// # use tesserae::tokens::{Grid, Hash};
/// # fn main() -> tesserae::Result<()> {
/// let tokens = Tokens {
///     width: 16,
///     height: 16,
///     codebook_size: 512,
///     codebook_hash: Hash([1; 8]),
///     decoder_hash: Hash([2; 8]),
///     grids: vec![Grid { rows: 2, columns: 2, indices: vec![7, 300, 7, 0] }],
/// };
/// let file = tokens.to_bytes()?;
/// assert_eq!(Tokens::from_bytes(&file)?, tokens);
/// assert_eq!((tokens.bits_per_token(), tokens.usage().used), (9, 3));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Width of the picture in pixels, before padding.
    pub width: u32,
    /// Height of the picture in pixels, before padding.
    pub height: u32,
    /// Number of codebook entries; every index is below it.
    pub codebook_size: u32,
    /// Which codebook the indices refer to; with any other they are meaningless.
    pub codebook_hash: Hash,
    /// Which decoder they were made for; any other would decode a different picture.
    pub decoder_hash: Hash,
    /// The indices: one grid, or several for hierarchical models, coarsest first.
    pub grids: Vec<Grid>,
}

/// A grid of indices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    /// Rows, at least 1.
    pub rows: u32,
    /// Columns, at least 1.
    pub columns: u32,
    /// The indices, row-major, `rows * columns` of them.
    pub indices: Vec<u32>,
}

/// The cells above, below, left and right of a cell, as far as they are in a grid; all row-major.
///
/// # Examples
/// ```
/// # use tesserae::tokens::neighbours;
/// let around: Vec<usize> = neighbours([3, 3], 1).collect();
/// assert_eq!(around, [4, 0, 2]); // of the middle of the first row
/// ```
pub fn neighbours([rows, columns]: [usize; 2], cell: usize) -> impl Iterator<Item = usize> {
    let (row, column) = (cell / columns, cell % columns);
    let around = [
        (row > 0).then(|| cell - columns),
        (row + 1 < rows).then(|| cell + columns),
        (column > 0).then(|| cell - 1),
        (column + 1 < columns).then(|| cell + 1),
    ];
    around.into_iter().flatten()
}

/// How much of the codebook is used.
///
/// # Examples
/// ```
/// # use tesserae::tokens::Usage;
/// let usage = Usage::of([7, 7, 3, 3]);
/// assert_eq!(usage.used, 2);
/// assert!((usage.perplexity - 2.0).abs() < 1e-9); // both equally often
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Number of codes that occur at least once.
    pub used: usize,
    /// `exp(−Σ p ln p)` over the codes' frequencies p: the number of equally frequent codes with
    /// the same entropy; 0 without indices.
    pub perplexity: f64,
}

impl Usage {
    /// Computes the usage of `indices`.
    pub fn of(indices: impl IntoIterator<Item = u32>) -> Self {
        let mut sorted: Vec<u32> = indices.into_iter().collect();
        sorted.sort_unstable();
        let runs = sorted.chunk_by(|a, b| a == b);
        Self::of_counts(runs.map(|run| run.len() as f64))
    }

    /// Computes the usage from the count of each code.
    pub fn of_counts(counts: impl IntoIterator<Item = f64>) -> Self {
        let counts: Vec<f64> = counts.into_iter().filter(|count| *count > 0.0).collect();
        let total: f64 = counts.iter().sum();
        let entropy: f64 = counts
            .iter()
            .map(|count| count / total)
            .map(|share| -share * share.ln())
            .sum();
        let used = counts.len();
        let perplexity = if used == 0 { 0.0 } else { entropy.exp() };
        Self { used, perplexity }
    }
}

impl Tokens {
    /// Total number of indices over all grids.
    pub fn count(&self) -> usize {
        self.grids.iter().map(|grid| grid.indices.len()).sum()
    }

    /// Bits per index in the file: ⌈log₂ K⌉, at least 1.
    pub fn bits_per_token(&self) -> u32 {
        bits::width(self.codebook_size)
    }

    /// Bits of all indices divided by the number of pixels, not counting the header.
    pub fn bits_per_pixel(&self) -> f64 {
        let pixels = f64::from(self.width) * f64::from(self.height);
        self.count() as f64 * f64::from(self.bits_per_token()) / pixels
    }

    /// Every index as a code, with a separate range per grid: grid `g` uses codes from `g * K` on.
    pub fn codes(&self) -> impl Iterator<Item = u32> {
        // At most 2³ grids of 2²⁰ codes each.
        let first = (0..).step_by(self.codebook_size as usize);
        let grids = first.zip(&self.grids);
        grids.flat_map(|(first, grid)| grid.indices.iter().map(move |index| first + index))
    }

    /// Codebook usage over all grids, each with its own codebook.
    pub fn usage(&self) -> Usage {
        Usage::of(self.codes())
    }

    /// The only grid.
    ///
    /// # Errors
    /// [`Error::Argument`] for a hierarchical model's several grids, which belong together.
    pub fn grid(&self) -> Result<&Grid> {
        match &self.grids[..] {
            [grid] => Ok(grid),
            grids => Err(Error::Argument(format!(
                "These tokens are {} grids that belong together; only a single grid can be edited",
                grids.len()
            ))),
        }
    }

    /// The same picture with other tokens in its only grid.
    ///
    /// # Errors
    /// [`Error::Argument`] for several grids, a grid of another size, or a code outside the codebook.
    pub fn replaced(&self, grid: Grid) -> Result<Self> {
        let Grid { rows, columns, .. } = *self.grid()?;
        if (grid.rows, grid.columns) != (rows, columns)
            || grid.indices.len() as u64 != u64::from(rows) * u64::from(columns)
        {
            return Err(Error::Argument(format!(
                "{} tokens in {}×{} cannot replace those of a grid of {rows}×{columns}",
                grid.indices.len(),
                grid.rows,
                grid.columns
            )));
        }
        if let Some(code) = grid
            .indices
            .iter()
            .find(|code| **code >= self.codebook_size)
        {
            return Err(Error::Argument(format!(
                "Code {code} is outside the codebook of {}",
                self.codebook_size
            )));
        }
        Ok(Self {
            grids: vec![grid],
            ..self.clone()
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample() -> Tokens {
        Tokens {
            width: 21,
            height: 13,
            codebook_size: 1000,
            codebook_hash: Hash([1, 2, 3, 4, 5, 6, 7, 8]),
            decoder_hash: Hash([0xF0; 8]),
            grids: vec![
                Grid {
                    rows: 1,
                    columns: 2,
                    indices: vec![999, 0],
                },
                Grid {
                    rows: 2,
                    columns: 3,
                    indices: vec![1, 2, 1, 512, 1, 2],
                },
            ],
        }
    }

    #[test]
    fn sums_are_over_all_grids() {
        let tokens = sample();
        assert_eq!(tokens.count(), 8);
        assert_eq!(tokens.bits_per_token(), 10);
        assert!((tokens.bits_per_pixel() - 80.0 / 273.0).abs() < 1e-12);
        assert_eq!(tokens.usage().used, 5);
        // The same index in two grids counts as two codes.
        let mut tokens = tokens;
        tokens.grids[0].indices = vec![1, 2];
        assert_eq!(tokens.usage().used, 5);
    }

    #[test]
    fn perplexity_of_known_shares() {
        let even = Usage::of((0..64).chain(0..64));
        assert_eq!(even.used, 64);
        assert!((even.perplexity - 64.0).abs() < 1e-9);
        assert_eq!(
            Usage::of([7; 9]),
            Usage {
                used: 1,
                perplexity: 1.0
            }
        );
        // Frequencies ½, ¼, ¼: an entropy of 1.5 bits.
        let uneven = Usage::of([5, 3, 5, 9]);
        assert_eq!(uneven.used, 3);
        assert!((uneven.perplexity - 2f64.powf(1.5)).abs() < 1e-9);
        assert_eq!(Usage::of([]).perplexity, 0.0);
    }
}
