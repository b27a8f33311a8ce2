use burn::module::{Module, Param};
use burn::nn::conv::Conv2dConfig;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};

use super::half::widened;
use crate::kernels::convolve;

/// 2D convolution: Burn's layer, running on this crate's own kernels.
#[derive(Module, Debug)]
pub struct Conv2d {
    /// `[channels_out, channels_in, rows, columns]`.
    pub weight: Param<Tensor<4>>,
    /// `[channels_out]`.
    pub bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    options: ConvOptions<2>,
}

impl Conv2d {
    /// A convolution of `channels` (in, out) with a `kernel` of rows and columns. `padding` is the
    /// number of zeros before and after the rows and the columns. Weights are initialised randomly, as in Burn's
    /// `Conv2d`.
    pub fn new(
        channels: [usize; 2],
        kernel: [usize; 2],
        stride: usize,
        padding: [(usize, usize); 2],
        device: &Device,
    ) -> Self {
        let layer = Conv2dConfig::new(channels, kernel).init(device);
        Self {
            weight: layer.weight,
            bias: layer.bias,
            options: ConvOptions::new_with_padding([stride, stride], padding, [1, 1], 1),
        }
    }

    /// # Shapes
    /// - input: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, height', width']`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.forward_by(x, |weight| weight)
    }

    /// Like [`Conv2d::forward`], with what `change` makes of the weight.
    pub fn forward_by(
        &self,
        x: Tensor<4>,
        change: impl FnOnce(Tensor<4>) -> Tensor<4>,
    ) -> Tensor<4> {
        let weight = change(widened(self.weight.val()));
        let bias = match &self.bias {
            Some(bias) => bias.val(),
            None => Tensor::zeros([weight.dims()[0]], &x.device()),
        };
        convolve(x, weight, bias, self.options.clone())
    }
}
