use burn::module::Module;
use burn::tensor::module::{avg_pool2d, interpolate};
use burn::tensor::ops::{AvgPoolOptions, InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Tensor};

use super::{Conv2d, conv};

/// Halves height and width: pads one row and column of zeros at the bottom and right, then 3×3,
/// stride 2.
///
/// Source: taming-transformers `Downsample`, which pads by `(0, 1, 0, 1)`.
#[derive(Module, Debug)]
pub struct Downsample {
    conv: Conv2d,
}

impl Downsample {
    /// A layer over `channels` channels.
    pub fn new(channels: usize, device: &Device) -> Self {
        Self {
            conv: Conv2d::new([channels, channels], 3, 2, [(0, 1); 2], device),
        }
    }

    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - output: `[batch, channels, height / 2, width / 2]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.conv.forward(x)
    }
}

/// Doubles height and width: nearest neighbour, then 3×3.
///
/// Source: taming-transformers `Upsample`.
#[derive(Module, Debug)]
pub struct Upsample {
    conv: Conv2d,
}

impl Upsample {
    /// A layer over `channels` channels.
    pub fn new(channels: usize, device: &Device) -> Self {
        Self {
            conv: conv(channels, channels, 3, device),
        }
    }

    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - output: `[batch, channels, 2 · height, 2 · width]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.conv.forward(double(x))
    }
}

/// Nearest-neighbour resizing to `height`×`width`.
pub(super) fn resize(x: Tensor<4>, height: usize, width: usize) -> Tensor<4> {
    let [_, _, rows, columns] = x.dims();
    if (rows, columns) == (height, width) {
        return x;
    }
    let options = InterpolateOptions::new(InterpolateMode::Nearest);
    interpolate(x, options.with_output_size([height, width]))
}

/// Doubles height and width by repeating each value four times.
pub(super) fn double(x: Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    resize(x, 2 * height, 2 * width)
}

/// Halves height and width by averaging 2×2 blocks; an odd last row or column is dropped.
pub fn halve(x: Tensor<4>) -> Tensor<4> {
    avg_pool2d(x, AvgPoolOptions::new([2, 2]))
}
