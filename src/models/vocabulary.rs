use serde::Serialize;

/// The order in which a prior predicts the tokens of a grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Row by row, each token from those before it.
    Raster,
    /// In any order: each masked token from all that are known.
    Masked,
}

/// What a prior's config determines on its own.
///
/// # Examples
/// ```
/// # use tesserae::models::Order;
/// # use tesserae::PriorConfig;
/// # fn main() -> tesserae::Result<()> {
/// let config = PriorConfig::preset("halton-tiny-256")?;
/// assert_eq!((config.order(), config.grid(), config.codes()), (Order::Masked, [16, 16], 16384));
/// assert_eq!(config.no_class(), Some(1000)); // for guidance
/// # Ok(())
/// # }
/// ```
pub trait Vocabulary {
    /// The order in which it predicts tokens.
    fn order(&self) -> Order;

    /// Number of codes, K; tokens are 0 to K − 1.
    fn codes(&self) -> usize;

    /// Rows and columns of the grid of tokens.
    fn grid(&self) -> [usize; 2];

    /// Number of classes; 0 for an unconditional prior.
    fn classes(&self) -> usize;

    /// The class that stands for none, which guidance needs; `None` for a prior that was never
    /// trained without a class.
    fn no_class(&self) -> Option<usize> {
        Some(self.classes())
    }

    /// Multiply-accumulates of predicting every token of one grid, once.
    fn pass_macs(&self) -> u64;

    /// Elements of the attention scores of one grid in one layer.
    fn scores(&self) -> usize;

    /// Number of tokens in a grid.
    fn tokens(&self) -> usize {
        let [rows, columns] = self.grid();
        rows * columns
    }
}

/// The multiply-accumulates of a transformer over `positions`: per layer four projections of
/// `width`, attention, and `gates` matrices between `width` and `hidden`; then the logits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    pub positions: usize,
    pub width: usize,
    pub layers: usize,
    pub hidden: usize,
    /// Matrices of the feed-forward layer: 3 if it is gated, otherwise 2.
    pub matrices: usize,
    pub logits: usize,
}

impl Cost {
    pub fn macs(self) -> u64 {
        let [n, width, layers, hidden, matrices, logits] = [
            self.positions,
            self.width,
            self.layers,
            self.hidden,
            self.matrices,
            self.logits,
        ]
        .map(|number| number as u64);
        let layer = 4 * width * width + matrices * width * hidden + 2 * n * width;
        n * (layers * layer + width * logits)
    }
}
