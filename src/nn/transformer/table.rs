use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Int, Tensor};

use super::SPREAD;
use crate::nn::half::{is_half, widened};

/// Number of vectors that are widened at a time.
const ROWS: usize = 2048;

/// A table of vectors: Burn's embedding, except that it may be f16.
#[derive(Module, Debug)]
pub struct Table {
    /// `[rows, width]`.
    weight: Param<Tensor<2>>,
}

impl Table {
    /// `rows` vectors, with initial values from a narrow normal distribution.
    pub fn new(rows: usize, width: usize, device: &Device) -> Self {
        Self {
            weight: SPREAD.init([rows, width], device),
        }
    }

    /// `rows` vectors, with initial values from the standard normal distribution, as in PyTorch.
    pub fn normal(rows: usize, width: usize, device: &Device) -> Self {
        let (mean, std) = (0.0, 1.0);
        Self {
            weight: Initializer::Normal { mean, std }.init([rows, width], device),
        }
    }

    /// The vectors with these numbers, `[n, width]`.
    pub fn rows(&self, numbers: Tensor<1, Int>) -> Tensor<2> {
        widened(self.weight.val().select(0, numbers))
    }

    /// The vectors of a batch, `[batch, n, width]`, for numbers `[batch, n]`.
    pub fn forward(&self, numbers: Tensor<2, Int>) -> Tensor<3> {
        let [batch, count] = numbers.dims();
        let rows = self.rows(numbers.reshape([batch * count]));
        let width = rows.dims()[1];
        rows.reshape([batch, count, width])
    }

    /// All vectors, `[rows, width]`.
    pub fn all(&self) -> Tensor<2> {
        widened(self.weight.val())
    }

    /// The product of each vector with `x`, `[batch, n, rows]` for `[batch, n, width]`.
    pub fn products(&self, x: Tensor<3>) -> Tensor<3> {
        let weight = self.weight.val();
        if !is_half(&weight) {
            return x.matmul(weight.transpose().unsqueeze());
        }
        let parts = weight.split(ROWS, 0).into_iter().map(|part| {
            let part = widened(part).transpose();
            x.clone().matmul(part.unsqueeze())
        });
        Tensor::cat(parts.collect(), 2)
    }
}
