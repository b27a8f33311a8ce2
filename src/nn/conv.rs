use burn::module::{Module, Param};
use burn::nn::conv::Conv2dConfig;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};

use crate::kernels::convolve;

/// A convolution over pictures: Burn's layer, on this crate's own kernels.
#[derive(Module, Debug)]
pub struct Conv2d {
    /// `[channels_out, channels_in, side, side]`.
    pub weight: Param<Tensor<4>>,
    /// `[channels_out]`.
    pub bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    options: ConvOptions<2>,
}

impl Conv2d {
    /// From and to `channels`, by a kernel of side `kernel`, with `padding` zeros before and after
    /// the rows and the columns. Weights are random as Burn's `Conv2d` has them.
    pub fn new(
        channels: [usize; 2],
        kernel: usize,
        stride: usize,
        padding: [(usize, usize); 2],
        device: &Device,
    ) -> Self {
        let layer = Conv2dConfig::new(channels, [kernel, kernel]).init(device);
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
        let weight = self.weight.val();
        let bias = match &self.bias {
            Some(bias) => bias.val(),
            None => Tensor::zeros([weight.dims()[0]], &x.device()),
        };
        convolve(x, weight, bias, self.options.clone())
    }
}
