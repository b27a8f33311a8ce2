use rand::{Rng, RngExt};

use crate::error::{Error, Result};
use crate::models::PriorConfig;
use crate::tokens::Grid;

/// The training data of a prior: grids of tokens, each with its class.
#[derive(Debug, Clone)]
pub struct TokenGrids {
    grids: Vec<(Grid, usize)>,
    rows: usize,
    columns: usize,
}

impl TokenGrids {
    /// Checks `grids`, each with its class, against the prior. A grid larger than the prior's is
    /// cropped at random, a smaller one left out.
    ///
    /// # Errors
    /// [`Error::DatasetEmpty`] without grids, [`Error::WeightsMismatch`] if all are smaller than the
    /// prior's, or one has codes or a class that it does not have.
    pub fn new(mut grids: Vec<(Grid, usize)>, prior: &PriorConfig) -> Result<Self> {
        let [rows, columns] = prior.grid();
        let refused = |message: String| Err(Error::WeightsMismatch(message));
        let Some((first, _)) = grids.first() else {
            return Err(Error::DatasetEmpty("the tokens".to_owned()));
        };
        let sides = [first.rows, first.columns];
        grids.retain(|(grid, _)| grid.rows as usize >= rows && grid.columns as usize >= columns);
        if grids.is_empty() {
            let [tall, wide] = sides;
            return refused(format!(
                "a picture has {tall}×{wide} tokens, but the prior predicts {rows}×{columns}"
            ));
        }
        for (grid, class) in &grids {
            let codes = prior.codes();
            if let Some(code) = grid.indices.iter().find(|code| **code as usize >= codes) {
                return refused(format!(
                    "a picture has code {code}, but the prior only {codes}"
                ));
            }
            let classes = prior.classes();
            if classes > 0 && *class >= classes {
                return refused(format!(
                    "a picture has class {class}, but the prior only {classes}"
                ));
            }
        }
        Ok(Self {
            grids,
            rows,
            columns,
        })
    }

    /// Number of grids, without those left out.
    pub fn len(&self) -> usize {
        self.grids.len()
    }

    /// Whether there are none; never, by [`TokenGrids::new`].
    pub fn is_empty(&self) -> bool {
        self.grids.is_empty()
    }

    /// A random grid of the prior's size, row-major, and its class.
    pub fn draw(&self, rng: &mut impl Rng) -> (Vec<u32>, usize) {
        let index = rng.random_range(0..self.grids.len());
        self.window(index, |slack| rng.random_range(0..=slack))
    }

    /// The window of the grid `index` in its middle, and its class.
    pub fn middle(&self, index: usize) -> (Vec<u32>, usize) {
        self.window(index, |slack| slack / 2)
    }

    fn window(&self, index: usize, mut place: impl FnMut(usize) -> usize) -> (Vec<u32>, usize) {
        let (grid, class) = &self.grids[index];
        let width = grid.columns as usize;
        let top = place(grid.rows as usize - self.rows);
        let left = place(width - self.columns);
        let rows = grid.indices.chunks(width).skip(top).take(self.rows);
        let window = rows.flat_map(|row| &row[left..left + self.columns]);
        (window.copied().collect(), *class)
    }
}
