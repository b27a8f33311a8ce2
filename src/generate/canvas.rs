use std::collections::VecDeque;

use rand::seq::index;

use crate::error::{Error, Result};
use crate::random::stream;
use crate::tokens::{Grid, MAX_INDICES, neighbours};

/// A grid of tokens, some of which are known while the others are to be drawn.
///
/// # Examples
/// ```
/// # use tesserae::generate::Canvas;
/// # use tesserae::tokens::Grid;
/// # fn main() -> tesserae::Result<()> {
/// let grid = Grid { rows: 2, columns: 3, indices: vec![1, 2, 3, 4, 5, 6] };
/// let hole = Canvas::try_from(&grid)?.without(&[false, true, true, false, false, false])?;
/// assert_eq!(hole.tokens()[..3], [Some(1), None, None]);
/// assert_eq!(hole.preview().unwrap().indices, [1, 1, 6, 4, 5, 6]); // the nearest of each
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canvas {
    rows: usize,
    columns: usize,
    tokens: Vec<Option<u32>>,
}

/// Tokens that a canvas gains on each side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Margins {
    /// Rows above.
    pub top: usize,
    /// Columns to the right.
    pub right: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns to the left.
    pub left: usize,
}

impl TryFrom<&Grid> for Canvas {
    type Error = Error;

    /// All tokens are known.
    fn try_from(grid: &Grid) -> Result<Self> {
        let tokens = grid.indices.iter().copied().map(Some).collect();
        Self::new(grid.rows as usize, grid.columns as usize, tokens)
    }
}

impl Canvas {
    /// No token is known.
    pub(super) fn empty(rows: usize, columns: usize) -> Self {
        Self {
            rows,
            columns,
            tokens: vec![None; rows * columns],
        }
    }

    /// From tokens, row-major, `None` where they are to be drawn.
    ///
    /// # Errors
    /// [`Error::Argument`] for the wrong number of tokens.
    pub fn new(rows: usize, columns: usize, tokens: Vec<Option<u32>>) -> Result<Self> {
        if tokens.is_empty() || Some(tokens.len()) != rows.checked_mul(columns) {
            return Err(Error::Argument(format!(
                "There are {} tokens for a grid of {rows}×{columns}",
                tokens.len()
            )));
        }
        Ok(Self {
            rows,
            columns,
            tokens,
        })
    }

    /// The same without the tokens where `mask`, row-major, is true.
    ///
    /// # Errors
    /// [`Error::Argument`] for a mask of the wrong length, or one that is nowhere true.
    pub fn without(mut self, mask: &[bool]) -> Result<Self> {
        if mask.len() != self.tokens.len() {
            return Err(Error::Argument(format!(
                "The mask has {} cells, the picture {} tokens",
                mask.len(),
                self.tokens.len()
            )));
        }
        for (token, masked) in self.tokens.iter_mut().zip(mask) {
            *token = token.filter(|_| !masked);
        }
        self.unfinished()
    }

    /// The same with room around it, at most [`MAX_INDICES`] tokens in all.
    ///
    /// # Errors
    /// [`Error::Argument`] for no room, or too much.
    pub fn extended(&self, margins: Margins) -> Result<Self> {
        let Margins {
            top,
            right,
            bottom,
            left,
        } = margins;
        let sum = |parts: [usize; 3]| parts.into_iter().try_fold(0, usize::checked_add);
        let rows = sum([top, self.rows, bottom]);
        let columns = sum([left, self.columns, right]);
        let count = rows.zip(columns).and_then(|(r, c)| r.checked_mul(c));
        let (Some(rows), Some(columns), Some(..=MAX_INDICES)) = (rows, columns, count) else {
            let told = format!("A picture has at most {MAX_INDICES} tokens, so extend it by less");
            return Err(Error::Argument(told));
        };
        let mut canvas = Self::empty(rows, columns);
        for (row, tokens) in self.tokens.chunks(self.columns).enumerate() {
            let start = (top + row) * columns + left;
            canvas.tokens[start..start + self.columns].copy_from_slice(tokens);
        }
        canvas.unfinished()
    }

    /// The same without a `share` of its tokens, chosen at random by `seed`; at least one.
    ///
    /// # Errors
    /// [`Error::Argument`] for a share that is not above 0 and at most 1.
    pub fn varied(mut self, share: f64, seed: u64) -> Result<Self> {
        if !(share > 0.0 && share <= 1.0) {
            let told = "The share of tokens to draw again must be above 0 and at most 1";
            return Err(Error::Argument(told.to_owned()));
        }
        let count = self.tokens.len();
        let again = ((share * count as f64).round() as usize).clamp(1, count);
        for cell in index::sample(&mut stream(seed, CHOSEN), count, again) {
            self.tokens[cell] = None;
        }
        Ok(self)
    }

    fn unfinished(self) -> Result<Self> {
        match self.tokens.iter().all(Option::is_some) {
            true => Err(Error::Argument(
                "No token is masked, so there is nothing to fill".to_owned(),
            )),
            false => Ok(self),
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The tokens, row-major; `None` where not drawn yet.
    pub fn tokens(&self) -> &[Option<u32>] {
        &self.tokens
    }

    pub(super) fn set(&mut self, cell: usize, code: u32) {
        self.tokens[cell] = Some(code);
    }

    /// The cells whose tokens are not known.
    pub(super) fn masked(&self) -> Vec<usize> {
        let cells = self.tokens.iter().enumerate();
        cells
            .filter(|(_, token)| token.is_none())
            .map(|(cell, _)| cell)
            .collect()
    }

    /// The grid, once all tokens are known.
    pub fn grid(&self) -> Option<Grid> {
        Some(self.grid_of(self.tokens.iter().copied().collect::<Option<_>>()?))
    }

    /// The grid with each unknown token replaced by the nearest one that is known, in steps between
    /// neighbours; `None` if there is none at all. What a decoder makes of it shows where a picture
    /// is going.
    pub fn preview(&self) -> Option<Grid> {
        let mut filled = self.tokens.clone();
        let known = (0..filled.len()).filter(|cell| filled[*cell].is_some());
        let mut next: VecDeque<usize> = known.collect();
        while let Some(cell) = next.pop_front() {
            for neighbour in neighbours([self.rows, self.columns], cell) {
                if filled[neighbour].is_none() {
                    filled[neighbour] = filled[cell];
                    next.push_back(neighbour);
                }
            }
        }
        Some(self.grid_of(filled.into_iter().collect::<Option<_>>()?))
    }

    fn grid_of(&self, indices: Vec<u32>) -> Grid {
        // Both are at most MAX_INDICES, or a prior's own grid.
        Grid {
            rows: self.rows as u32,
            columns: self.columns as u32,
            indices,
        }
    }
}

/// Of the numbers of a seed, those that choose the tokens to draw again.
const CHOSEN: usize = u32::MAX as usize - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_spreads_each_token_to_its_surroundings() {
        let mut canvas = Canvas::empty(3, 4);
        assert_eq!(canvas.preview(), None);
        canvas.set(0, 5);
        canvas.set(11, 7);
        let expected = [5, 5, 5, 7, 5, 5, 7, 7, 5, 7, 7, 7];
        assert_eq!(canvas.preview().unwrap().indices, expected);
        assert_eq!(canvas.grid(), None);
    }

    #[test]
    fn an_extended_canvas_keeps_its_tokens_in_their_place() {
        let canvas = Canvas::new(1, 2, vec![Some(3), Some(4)]).unwrap();
        let margins = Margins {
            top: 1,
            left: 2,
            ..Margins::default()
        };
        let wide = canvas.extended(margins).unwrap();
        assert_eq!((wide.rows(), wide.columns()), (2, 4));
        let [a, b] = [3, 4].map(Some);
        assert_eq!(wide.tokens(), [None, None, None, None, None, None, a, b]);
        let far = Margins {
            top: usize::MAX,
            ..Margins::default()
        };
        for refused in [Margins::default(), far] {
            assert_eq!(canvas.extended(refused).unwrap_err().code(), "argument");
        }
    }

    #[test]
    fn a_share_of_the_tokens_is_drawn_again() {
        let canvas = Canvas::new(10, 10, (0..100).map(Some).collect()).unwrap();
        for (share, expected) in [(1e-9, 1), (0.25, 25), (1.0, 100)] {
            let varied = canvas.clone().varied(share, 3).unwrap();
            assert_eq!(varied.masked().len(), expected);
        }
        let [a, b] = [3, 4].map(|seed| canvas.clone().varied(0.25, seed).unwrap());
        assert_ne!(a, b);
        for share in [0.0, 1.1, f64::NAN] {
            let error = canvas.clone().varied(share, 3).unwrap_err();
            assert_eq!(error.code(), "argument");
        }
    }
}
