use burn::module::{Module, Param};
use burn::nn::conv::Conv2dConfig;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};

use crate::nn::{Conv2d, conv};

/// Factor by which a block widens its input before the depthwise convolution.
const EXPANSION: usize = 6;

/// Output channels and stride of Keras's `block_1` to `block_12`.
const BLOCKS: [(usize, usize); 12] = [
    (24, 2),
    (24, 1),
    (32, 2),
    (32, 1),
    (32, 1),
    (64, 2),
    (64, 1),
    (64, 1),
    (64, 1),
    (96, 1),
    (96, 1),
    (96, 1),
];

/// Blocks, counted from `block_1`, whose widened input is one of the features.
const TAPS: [usize; 3] = [1, 3, 6];

/// The first blocks of MobileNetV2, up to Keras's `block_13_expand`, with each normalisation folded
/// into its convolution.
///
/// Source: Sandler et al. 2018, <https://arxiv.org/abs/1801.04381>; Keras
/// `applications/mobilenet_v2.py` with `alpha=1`.
#[derive(Module, Debug)]
pub struct MobileNet {
    first: Conv2d,
    /// Keras's `expanded_conv`, which does not widen its input.
    start: Separable,
    blocks: Vec<Block>,
    last: Conv2d,
}

/// Expansion, depthwise convolution and projection; adds its input where the shapes agree.
#[derive(Module, Debug)]
struct Block {
    expand: Conv2d,
    separable: Separable,
    residual: bool,
}

/// A depthwise 3×3 convolution, ReLU6 and a 1×1 convolution.
#[derive(Module, Debug)]
struct Separable {
    depthwise: Depthwise,
    project: Conv2d,
}

#[derive(Module, Debug)]
struct Depthwise {
    /// `[channels, 1, 3, 3]`.
    weight: Param<Tensor<4>>,
    /// `[channels]`.
    bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    options: ConvOptions<2>,
}

/// Zeros around the input of a 3×3 kernel. With a stride of 2 Keras pads only the bottom and the
/// right.
fn padding(stride: usize) -> [(usize, usize); 2] {
    match stride {
        1 => [(1, 1); 2],
        _ => [(0, 1); 2],
    }
}

fn relu6(x: Tensor<4>) -> Tensor<4> {
    x.clamp(0.0, 6.0)
}

impl Depthwise {
    fn new(channels: usize, stride: usize, device: &Device) -> Self {
        let layer = Conv2dConfig::new([channels, channels], [3, 3]).with_groups(channels);
        let layer = layer.init(device);
        Self {
            weight: layer.weight,
            bias: layer.bias,
            options: ConvOptions::new_with_padding([stride; 2], padding(stride), [1, 1], channels),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let bias = self.bias.as_ref().map(Param::val);
        conv2d(x, self.weight.val(), bias, self.options.clone())
    }
}

impl Separable {
    fn new(from: usize, to: usize, stride: usize, device: &Device) -> Self {
        Self {
            depthwise: Depthwise::new(from, stride, device),
            project: conv(from, to, 1, device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.project.forward(relu6(self.depthwise.forward(x)))
    }
}

impl MobileNet {
    /// Smallest side in pixels of the input.
    pub const SMALLEST: usize = 16;

    /// Initialises with random weights, to be overwritten by loading.
    pub fn new(device: &Device) -> Self {
        let mut from = 16;
        let block = |&(to, stride): &(usize, usize)| {
            let (before, wide) = (from, EXPANSION * from);
            from = to;
            Block {
                expand: conv(before, wide, 1, device),
                separable: Separable::new(wide, to, stride, device),
                residual: stride == 1 && before == to,
            }
        };
        let blocks = BLOCKS.iter().map(block).collect();
        Self {
            first: Conv2d::new([3, 32], [3, 3], 2, padding(2), device),
            start: Separable::new(32, 16, 1, device),
            blocks,
            last: conv(from, EXPANSION * from, 1, device),
        }
    }

    /// Keras's name of a parameter.
    pub fn published_name(name: &str) -> Option<String> {
        let (path, what) = name.rsplit_once('.')?;
        let path = match path.split('.').collect::<Vec<_>>()[..] {
            ["first"] => "Conv1".to_owned(),
            ["last"] => format!("block_{}_expand", BLOCKS.len() + 1),
            ["start", layer] => format!("expanded_conv_{layer}"),
            ["blocks", index, .., layer] => {
                format!("block_{}_{layer}", index.parse::<usize>().ok()? + 1)
            }
            _ => return None,
        };
        Some(format!("{path}.{what}"))
    }

    /// The activations after Keras's `Conv1_relu` and `block_1_expand_relu`, `block_3_…`,
    /// `block_6_…` and `block_13_…`.
    ///
    /// # Shapes
    /// - input: `[batch, 3, height, width]` in 0 to 1, sides of at least [`MobileNet::SMALLEST`]
    /// - output: five times `[batch, channels, height', width']` with 32, 96, 144, 192 and 576
    ///   channels, at a half, a half, a quarter, an eighth and a sixteenth of the size
    pub fn forward(&self, x: Tensor<4>) -> Vec<Tensor<4>> {
        let first = relu6(self.first.forward(x));
        let mut x = self.start.forward(first.clone());
        let mut features = vec![first];
        for (index, block) in self.blocks.iter().enumerate() {
            let wide = relu6(block.expand.forward(x.clone()));
            if TAPS.contains(&(index + 1)) {
                features.push(wide.clone());
            }
            let y = block.separable.forward(wide);
            x = if block.residual { x + y } else { y };
        }
        features.push(relu6(self.last.forward(x)));
        features
    }
}
