use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Tensor};

/// Splits the last axis into heads: `[batch, n, heads · width]` to `[batch, heads, n, width]`.
pub fn split_heads(x: Tensor<3>, heads: usize) -> Tensor<4> {
    let [batch, positions, all] = x.dims();
    let width = all / heads;
    x.reshape([batch, positions, heads, width]).swap_dims(1, 2)
}

/// The reverse of [`split_heads`].
pub fn merge_heads(x: Tensor<4>) -> Tensor<3> {
    let [batch, heads, positions, width] = x.dims();
    x.swap_dims(1, 2).reshape([batch, positions, heads * width])
}

/// Softmax(q kᵀ / √width) v. The queries are the last positions of the keys; with `causal`, each
/// attends only to itself and to the positions before it.
///
/// # Shapes
/// - `q` and output: `[batch, heads, queries, width]`
/// - `k`, `v`: `[batch, heads, keys, width]`
///
/// Source: Vaswani et al. 2017, <https://arxiv.org/abs/1706.03762>, section 3.2.1.
pub fn attention(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, causal: bool) -> Tensor<4> {
    let [_, _, queries, width] = q.dims();
    let keys = k.dims()[2];
    let scores = q
        .mul_scalar((width as f64).powf(-0.5))
        .matmul(k.swap_dims(2, 3));
    // One query, the last position, attends to all.
    let scores = if causal && queries > 1 {
        let before = (keys - queries) as i64;
        let later = Tensor::<2, Bool>::tril_mask([queries, keys], before, &scores.device());
        let later = later.unsqueeze::<4>().expand(scores.shape());
        scores.mask_fill(later, f32::NEG_INFINITY)
    } else {
        scores
    };
    softmax(scores, 3).matmul(v)
}

/// Divides each vector, along the last axis, by its root mean square, without learned weights.
pub fn rms<const D: usize>(x: Tensor<D>, epsilon: f64) -> Tensor<D> {
    let mean = x.clone().square().mean_dim(D - 1);
    x / (mean + epsilon).sqrt()
}
