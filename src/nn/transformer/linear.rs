use burn::module::{Module, Param};
use burn::nn::{Initializer, LinearConfig};
use burn::tensor::{Device, Tensor, module};

use super::SPREAD;
use crate::kernels::half_product;
use crate::nn::half::{is_half, widened};

/// A linear layer: Burn's, except that its weight may be f16.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[in, out]`.
    weight: Param<Tensor<2>>,
    /// `[out]`.
    bias: Option<Param<Tensor<1>>>,
}

impl Linear {
    /// Without a bias, with initial weights from a narrow normal distribution.
    pub fn new(from: usize, to: usize, device: &Device) -> Self {
        Self {
            weight: SPREAD.init([from, to], device),
            bias: None,
        }
    }

    /// Like [`Linear::new`], with a bias that begins at zero.
    pub fn with_bias(from: usize, to: usize, device: &Device) -> Self {
        Self {
            bias: Some(Initializer::Zeros.init([to], device)),
            ..Self::new(from, to, device)
        }
    }

    /// With a bias; both begin at zero.
    pub fn zeros(from: usize, to: usize, device: &Device) -> Self {
        let zeros = Initializer::Zeros;
        Self {
            weight: zeros.init([from, to], device),
            bias: Some(zeros.init([to], device)),
        }
    }

    /// With a bias; both begin uniform, as in PyTorch.
    pub fn uniform(from: usize, to: usize, device: &Device) -> Self {
        let layer = LinearConfig::new(from, to).init(device);
        Self {
            weight: layer.weight,
            bias: layer.bias,
        }
    }

    /// Like [`Linear::forward`], with what `change` makes of the weight, given as `[out, in]`.
    pub fn forward_by(
        &self,
        x: Tensor<2>,
        change: impl FnOnce(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        let weight = widened(self.weight.val());
        let weight = change(weight.transpose()).transpose();
        module::linear(x, weight, self.bias.as_ref().map(Param::val))
    }

    /// # Shapes
    /// - input: `[…, in]`
    /// - output: `[…, out]`
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let weight = self.weight.val();
        let bias = self.bias.as_ref().map(Param::val);
        if !is_half(&weight) {
            return module::linear(x, weight, bias);
        }
        let [from, to] = weight.dims();
        let mut shape = x.dims();
        let rows = x.shape().num_elements() / from;
        let y = half_product(x.reshape([rows, from]), weight);
        let y = match bias {
            Some(bias) => y + bias.unsqueeze(),
            None => y,
        };
        shape[D - 1] = to;
        y.reshape(shape)
    }
}
