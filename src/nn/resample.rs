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
            conv: Conv2d::new([channels, channels], [3, 3], 2, [(0, 1); 2], device),
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
pub fn double(x: Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    resize(x, 2 * height, 2 * width)
}

/// Doubles height and width by bilinear interpolation between pixel centres.
///
/// Source: PyTorch `interpolate` with `mode='bilinear'` and `align_corners=False`.
pub fn double_smoothly(x: Tensor<4>) -> Tensor<4> {
    double_axis(double_axis(x, 2), 3)
}

fn double_axis(x: Tensor<4>, axis: usize) -> Tensor<4> {
    let mut sides = x.dims();
    let length = sides[axis];
    let part = |start, count| x.clone().narrow(axis, start, count);
    let before = Tensor::cat(vec![part(0, 1), part(0, length - 1)], axis);
    let after = Tensor::cat(vec![part(1, length - 1), part(length - 1, 1)], axis);
    let own = x.clone().mul_scalar(0.75);
    let pair = [before, after].map(|near| own.clone() + near.mul_scalar(0.25));
    sides[axis] = 2 * length;
    Tensor::stack::<5>(pair.to_vec(), axis + 1).reshape(sides)
}

/// Halves height and width by averaging 2×2 blocks; an odd last row or column is dropped.
pub fn halve(x: Tensor<4>) -> Tensor<4> {
    avg_pool2d(x, AvgPoolOptions::new([2, 2]))
}
