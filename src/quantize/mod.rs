//! From latents to codes and back: codebook search, gradients and codebook updates.

mod ema;
mod gumbel;
mod kmeans;
mod nearest;
mod palette;
mod vq;

pub use ema::EmaCodebook;
pub(crate) use ema::replaced;
pub use gumbel::{GumbelOutput, GumbelQuantizer};
pub use kmeans::kmeans;
pub use nearest::{margins, nearest};
pub use palette::palette;
pub use vq::{Quantized, VectorQuantizer};

use burn::tensor::Tensor;

/// Flattens latents to rows: `[batch, D, rows, columns]` to `[batch · rows · columns, D]`.
pub fn flatten(z: Tensor<4>) -> Tensor<2> {
    let [batch, dim, rows, columns] = z.dims();
    z.permute([0, 2, 3, 1])
        .reshape([batch * rows * columns, dim])
}

/// The inverse of [`flatten`]: `[batch · rows · columns, D]` to `[batch, D, rows, columns]`.
pub fn unflatten(flat: Tensor<2>, [batch, rows, columns]: [usize; 3]) -> Tensor<4> {
    let [_, dim] = flat.dims();
    flat.reshape([batch, rows, columns, dim])
        .permute([0, 3, 1, 2])
}
