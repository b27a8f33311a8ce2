//! Transformer layers, for the priors: attention over heads with a key-value cache, rotary positions
//! on a grid, gated and plain feed-forward layers, modulation by a condition.

mod attention;
mod cache;
mod feed_forward;
mod linear;
mod modulation;
mod rotary;
mod table;

pub use attention::{attention, merge_heads, rms, split_heads};
pub use cache::{Cache, KeyValues};
pub use feed_forward::{FeedForward, SwiGlu};
pub use linear::Linear;
pub use modulation::Modulation;
pub use rotary::{Rotary, rotate};
pub use table::Table;

use burn::nn::Initializer;

/// Standard deviation of initial weights; GPT-2, LlamaGen and Halton-MaskGIT all use it.
const SPREAD: Initializer = Initializer::Normal {
    mean: 0.0,
    std: 0.02,
};
