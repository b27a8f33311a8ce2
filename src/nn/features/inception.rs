use std::ops::Range;

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::module::{avg_pool2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor};

use crate::nn::Conv2d;

/// First layers of the blocks, in Keras's order.
const MIXED: [usize; 3] = [5, 12, 19];
const REDUCTION: usize = 26;
const FACTORISED: usize = 30;

/// The first blocks of Inception-v3, up to Keras's `mixed4`, with each normalisation folded into
/// its convolution.
///
/// Source: Szegedy et al. 2015, <https://arxiv.org/abs/1512.00567>; Keras
/// `applications/inception_v3.py`.
#[derive(Module, Debug)]
pub struct Inception {
    /// Keras's `conv2d_1` to `conv2d_40`, each followed by a ReLU.
    conv: Vec<Conv2d>,
}

/// A kernel of `rows`×`columns` that preserves height and width.
fn same(from: usize, to: usize, [rows, columns]: [usize; 2], device: &Device) -> Conv2d {
    let padding = [rows, columns].map(|side| (side / 2, side / 2));
    Conv2d::new([from, to], [rows, columns], 1, padding, device)
}

/// A 3×3 kernel without padding.
fn valid(from: usize, to: usize, stride: usize, device: &Device) -> Conv2d {
    Conv2d::new([from, to], [3, 3], stride, [(0, 0); 2], device)
}

impl Inception {
    /// Smallest side in pixels of the input.
    pub const SMALLEST: usize = 43;

    /// Initialises with random weights, to be overwritten by loading.
    pub fn new(device: &Device) -> Self {
        let same = |from, to, kernel| same(from, to, kernel, device);
        let valid = |from, to, stride| valid(from, to, stride, device);
        let mut conv = vec![
            valid(3, 32, 2),
            valid(32, 32, 1),
            same(32, 64, [3, 3]),
            same(64, 80, [1, 1]),
            valid(80, 192, 1),
        ];
        for (from, pooled) in [(192, 32), (256, 64), (288, 64)] {
            conv.extend([
                same(from, 64, [1, 1]),
                same(from, 48, [1, 1]),
                same(48, 64, [5, 5]),
                same(from, 64, [1, 1]),
                same(64, 96, [3, 3]),
                same(96, 96, [3, 3]),
                same(from, pooled, [1, 1]),
            ]);
        }
        conv.extend([
            valid(288, 384, 2),
            same(288, 64, [1, 1]),
            same(64, 96, [3, 3]),
            valid(96, 96, 2),
            same(768, 192, [1, 1]),
            same(768, 128, [1, 1]),
            same(128, 128, [1, 7]),
            same(128, 192, [7, 1]),
            same(768, 128, [1, 1]),
            same(128, 128, [7, 1]),
            same(128, 128, [1, 7]),
            same(128, 128, [7, 1]),
            same(128, 192, [1, 7]),
            same(768, 192, [1, 1]),
        ]);
        Self { conv }
    }

    /// Keras's name of a parameter: `conv.0.weight` is `conv2d_1.weight`.
    pub fn published_name(name: &str) -> Option<String> {
        let (index, rest) = name.strip_prefix("conv.")?.split_once('.')?;
        let index: usize = index.parse().ok()?;
        Some(format!("conv2d_{}.{rest}", index + 1))
    }

    /// The activations after Keras's `activation_3`, `activation_5`, `mixed0`, `mixed2` and
    /// `mixed4`.
    ///
    /// # Shapes
    /// - input: `[batch, 3, height, width]` in 0 to 1, sides of at least [`Inception::SMALLEST`]
    /// - output: five times `[batch, channels, height', width']` with 64, 192, 256, 288 and 768
    ///   channels, at about a half, a quarter, an eighth, an eighth and a sixteenth of the size
    pub fn forward(&self, x: Tensor<4>) -> Vec<Tensor<4>> {
        let third = self.run(0..3, x);
        let fifth = self.run(3..5, halve(third.clone()));
        let [a, b, c] = MIXED;
        let mixed_0 = self.mixed(a, halve(fifth.clone()));
        let mixed_2 = self.mixed(c, self.mixed(b, mixed_0.clone()));
        let mixed_4 = self.factorised(self.reduced(mixed_2.clone()));
        vec![third, fifth, mixed_0, mixed_2, mixed_4]
    }

    fn run(&self, layers: Range<usize>, x: Tensor<4>) -> Tensor<4> {
        let layers = self.conv[layers].iter();
        layers.fold(x, |x, conv| relu(conv.forward(x)))
    }

    /// Runs the layers from `first` on, in branches of the given lengths over the same input.
    fn branches<const N: usize>(
        &self,
        mut first: usize,
        branches: [(usize, Tensor<4>); N],
    ) -> Vec<Tensor<4>> {
        let branches = branches.into_iter();
        branches
            .map(|(length, x)| {
                let layers = first..first + length;
                first += length;
                self.run(layers, x)
            })
            .collect()
    }

    fn mixed(&self, first: usize, x: Tensor<4>) -> Tensor<4> {
        let pooled = average(x.clone());
        let branches = [(1, x.clone()), (2, x.clone()), (3, x), (1, pooled)];
        Tensor::cat(self.branches(first, branches), 1)
    }

    fn reduced(&self, x: Tensor<4>) -> Tensor<4> {
        let mut branches = self.branches(REDUCTION, [(1, x.clone()), (3, x.clone())]);
        branches.push(halve(x));
        Tensor::cat(branches, 1)
    }

    fn factorised(&self, x: Tensor<4>) -> Tensor<4> {
        let pooled = average(x.clone());
        let branches = [(1, x.clone()), (3, x.clone()), (5, x), (1, pooled)];
        Tensor::cat(self.branches(FACTORISED, branches), 1)
    }
}

fn halve(x: Tensor<4>) -> Tensor<4> {
    max_pool2d(x, MaxPoolOptions::new([3, 3]).with_stride([2, 2]))
}

/// Keras's average pooling leaves padding out of the mean.
fn average(x: Tensor<4>) -> Tensor<4> {
    let options = AvgPoolOptions::new([3, 3]).with_stride([1, 1]);
    avg_pool2d(
        x,
        options.with_padding([1, 1]).with_count_include_pad(false),
    )
}
