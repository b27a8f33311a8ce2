//! Transformer layers, for the priors: attention over heads with a key-value cache, rotary positions
//! on a grid, gated and plain feed-forward layers, modulation by a condition.

mod attention;
mod cache;
mod feed_forward;
mod modulation;
mod rotary;

pub use attention::{attention, merge_heads, rms, split_heads};
pub use cache::{Cache, KeyValues};
pub use feed_forward::{FeedForward, SwiGlu};
pub use modulation::Modulation;
pub use rotary::{Rotary, rotate};

use burn::nn::{Embedding, EmbeddingConfig, Initializer, Linear, LinearConfig};
use burn::tensor::Device;

/// Standard deviation of initial weights; GPT-2, LlamaGen and Halton-MaskGIT all use it.
const SPREAD: Initializer = Initializer::Normal {
    mean: 0.0,
    std: 0.02,
};

/// A linear layer without a bias, with initial weights from a narrow normal distribution.
pub fn linear(from: usize, to: usize, device: &Device) -> Linear {
    LinearConfig::new(from, to)
        .with_bias(false)
        .with_initializer(SPREAD)
        .init(device)
}

/// Like [`linear`], with a bias that begins at zero.
pub fn linear_with_bias(from: usize, to: usize, device: &Device) -> Linear {
    Linear {
        bias: Some(Initializer::Zeros.init([to], device)),
        ..linear(from, to, device)
    }
}

/// A table of `rows` vectors, with initial values from a narrow normal distribution.
pub fn table(rows: usize, width: usize, device: &Device) -> Embedding {
    EmbeddingConfig::new(rows, width)
        .with_initializer(SPREAD)
        .init(device)
}
