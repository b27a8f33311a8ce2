//! Convolution on the CPU as matrix products.
//!
//! The output is processed in tiles of whole rows of a picture. The patches under a tile's
//! positions become the columns of a matrix `[channels_in · rows · columns, positions]` ("im2col",
//! Chellapilla et al. 2006) small enough for a core's cache. The kernel times this matrix is the
//! output; the output's gradient times its transpose is the kernel's gradient.

use std::ops::Range;

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::backend::flex::ops::matmul::matmul;
use burn::tensor::Shape;
use burn::tensor::ops::ConvOptions;

use super::cpu::{each, each_chunk, sum, tensor};

/// Values in the column matrix of one tile: 512 KB, which fits in a core's cache.
const TILE: usize = 128 * 1024;

/// Partial sums of the kernel's gradient are accumulated in this many groups regardless of the
/// number of threads, so that rounding does not depend on it.
const GROUPS: usize = 8;

/// The dimensions of one convolution.
#[derive(Debug, Clone, Copy)]
struct Sides {
    batch: usize,
    channels: usize,
    height: usize,
    width: usize,
    out: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    /// Zero padding above and to the left.
    pad: [usize; 2],
    /// Height and width of the output.
    size: [usize; 2],
}

impl Sides {
    fn new(x: &FlexTensor, weight: &FlexTensor, options: &ConvOptions<2>) -> Self {
        let [batch, channels, height, width] = x.shape().dims();
        let [out, _, rows, columns] = weight.shape().dims();
        let size = |axis: usize, side: usize, kernel: usize| {
            let (before, after) = options.padding[axis];
            (side + before + after - kernel) / options.stride[axis] + 1
        };
        Self {
            batch,
            channels,
            height,
            width,
            out,
            kernel: [rows, columns],
            stride: options.stride,
            pad: options.padding_begin(),
            size: [size(0, height, rows), size(1, width, columns)],
        }
    }

    /// Number of values under one position.
    fn patch(&self) -> usize {
        self.channels * self.kernel[0] * self.kernel[1]
    }

    /// Rows per tile. A tile ends with the picture, so that a picture's result does not depend on
    /// the rest of its batch.
    fn tile(&self) -> usize {
        (TILE / (self.patch() * self.size[1])).clamp(1, self.size[0])
    }

    /// Number of tiles per picture.
    fn per_picture(&self) -> usize {
        self.size[0].div_ceil(self.tile())
    }

    fn tiles(&self) -> usize {
        self.batch * self.per_picture()
    }

    /// The rows of tile `index`, counted over all pictures.
    fn rows_of(&self, index: usize) -> Range<usize> {
        let picture = index / self.per_picture() * self.size[0];
        let start = index % self.per_picture() * self.tile();
        picture + start..picture + (start + self.tile()).min(self.size[0])
    }

    /// The patches under `rows`, `[patch, positions]`.
    fn columns(&self, x: &[f32], rows: Range<usize>) -> FlexTensor {
        let [out_height, out_width] = self.size;
        let positions = rows.len() * out_width;
        let mut columns = Vec::with_capacity(self.patch() * positions);
        for channel in 0..self.channels {
            for ky in 0..self.kernel[0] {
                for kx in 0..self.kernel[1] {
                    let valid = self.valid(kx);
                    for row in rows.clone() {
                        let (picture, y) = (row / out_height, row % out_height);
                        let end = columns.len() + out_width;
                        let y = (y * self.stride[0] + ky).wrapping_sub(self.pad[0]);
                        if y < self.height && !valid.is_empty() {
                            let line = (picture * self.channels + channel) * self.height + y;
                            let line = &x[line * self.width..][..self.width];
                            let line = &line[valid.start * self.stride[1] + kx - self.pad[1]..];
                            columns.resize(columns.len() + valid.start, 0.0);
                            if self.stride[1] == 1 {
                                columns.extend_from_slice(&line[..valid.len()]);
                            } else {
                                let line = line.iter().step_by(self.stride[1]).take(valid.len());
                                columns.extend(line);
                            }
                        }
                        columns.resize(end, 0.0);
                    }
                }
            }
        }
        tensor(columns, [self.patch(), positions])
    }

    /// The output columns for which kernel column `kx` lies inside the picture.
    fn valid(&self, kx: usize) -> Range<usize> {
        let (pad, stride) = (self.pad[1], self.stride[1]);
        let start = pad.saturating_sub(kx).div_ceil(stride);
        let end = (self.width + pad).saturating_sub(kx).div_ceil(stride);
        start..end.min(self.size[1]).max(start)
    }

    /// `rows` of a tensor with the output's shape, `[out, positions]`.
    fn gather(&self, grad: &[f32], rows: Range<usize>) -> FlexTensor {
        let [out_height, out_width] = self.size;
        let mut values = Vec::with_capacity(self.out * rows.len() * out_width);
        for channel in 0..self.out {
            for row in rows.clone() {
                let (picture, y) = (row / out_height, row % out_height);
                let start = ((picture * self.out + channel) * out_height + y) * out_width;
                values.extend_from_slice(&grad[start..start + out_width]);
            }
        }
        let positions = rows.len() * out_width;
        tensor(values, [self.out, positions])
    }
}

/// The convolution of `x` with `weight`, plus `bias`.
pub fn convolution(
    x: &FlexTensor,
    weight: &FlexTensor,
    bias: &FlexTensor,
    options: &ConvOptions<2>,
) -> FlexTensor {
    let sides = Sides::new(x, weight, options);
    let (x, weight, bias) = (
        x.to_contiguous(),
        weight.to_contiguous(),
        bias.to_contiguous(),
    );
    multiply(&sides, x.storage(), weight, bias.storage())
}

/// The gradient with respect to `x` at stride 1: the convolution of `grad` with the kernel rotated
/// by 180° and its channels swapped.
pub fn x_grad(
    x: &FlexTensor,
    weight: &FlexTensor,
    grad: &FlexTensor,
    options: &ConvOptions<2>,
) -> FlexTensor {
    let sides = Sides::new(x, weight, options);
    let (grad, weight) = (grad.to_contiguous(), weight.to_contiguous());
    let (weight, area): (&[f32], _) = (weight.storage(), sides.kernel[0] * sides.kernel[1]);
    let mut turned = vec![0.0; weight.len()];
    for out in 0..sides.out {
        for channel in 0..sides.channels {
            let from = &weight[(out * sides.channels + channel) * area..][..area];
            let to = &mut turned[(channel * sides.out + out) * area..][..area];
            to.iter_mut()
                .zip(from.iter().rev())
                .for_each(|(to, from)| *to = *from);
        }
    }
    let back = Sides {
        channels: sides.out,
        height: sides.size[0],
        width: sides.size[1],
        out: sides.channels,
        pad: [0, 1].map(|axis| sides.kernel[axis] - 1 - sides.pad[axis]),
        size: [sides.height, sides.width],
        ..sides
    };
    let weight = tensor(turned, [back.out, back.patch()]);
    multiply(&back, grad.storage(), weight, &vec![0.0; back.out])
}

/// The gradient with respect to `weight`.
pub fn weight_grad(
    x: &FlexTensor,
    weight: &FlexTensor,
    grad: &FlexTensor,
    options: &ConvOptions<2>,
) -> FlexTensor {
    let sides = Sides::new(x, weight, options);
    let (x, grad) = (x.to_contiguous(), grad.to_contiguous());
    let (x, grad): (&[f32], &[f32]) = (x.storage(), grad.storage());
    let tiles = sides.tiles();
    let sums = each(GROUPS.min(tiles), |group| {
        let mut sum = vec![0.0; sides.out * sides.patch()];
        for index in (group..tiles).step_by(GROUPS) {
            let rows = sides.rows_of(index);
            let columns = sides.columns(x, rows.clone()).transpose(0, 1);
            add(
                &mut sum,
                matmul(sides.gather(grad, rows), columns).storage(),
            );
        }
        sum
    });
    let sum = sums.into_iter().reduce(|mut sum, group| {
        add(&mut sum, &group);
        sum
    });
    let [rows, columns] = sides.kernel;
    tensor(
        sum.unwrap_or_default(),
        [sides.out, sides.channels, rows, columns],
    )
}

/// The gradient with respect to the bias: the sum of `grad` over pictures and positions.
pub fn bias_grad(grad: &FlexTensor) -> FlexTensor {
    let [batch, out, height, width] = grad.shape().dims();
    let grad = grad.to_contiguous();
    let values: &[f32] = grad.storage();
    let sums = each(out, |channel| {
        let planes = (0..batch).map(|picture| {
            let plane = &values[(picture * out + channel) * height * width..][..height * width];
            sum(plane, plane, |value, _| value)
        });
        planes.sum::<f32>()
    });
    tensor(sums, [out])
}

/// `weight` times the patches of `x`, plus `bias`, laid out as pictures.
fn multiply(sides: &Sides, x: &[f32], weight: FlexTensor, bias: &[f32]) -> FlexTensor {
    let [out_height, out_width] = sides.size;
    let weight = weight.reshape(Shape::from(vec![sides.out, sides.patch()]));
    let tiles = each(sides.tiles(), |index| {
        matmul(weight.clone(), sides.columns(x, sides.rows_of(index)))
    });
    let mut values = vec![0.0; sides.batch * sides.out * out_height * out_width];
    each_chunk(&mut values, out_height * out_width, |index, plane| {
        let (picture, channel) = (index / sides.out, index % sides.out);
        let of_picture = tiles.chunks(sides.per_picture()).nth(picture);
        let lines = plane.chunks_mut(sides.tile() * out_width);
        for (to, tile) in lines.zip(of_picture.into_iter().flatten()) {
            let from: &[f32] = &tile.storage()[channel * to.len()..][..to.len()];
            to.iter_mut()
                .zip(from)
                .for_each(|(to, from)| *to = from + bias[channel]);
        }
    });
    tensor(values, [sides.batch, sides.out, out_height, out_width])
}

fn add(sum: &mut [f32], values: &[f32]) {
    sum.iter_mut()
        .zip(values)
        .for_each(|(sum, value)| *sum += value);
}
