use burn::module::{Module, Param};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::{Conv2d, conv};

/// Number of convolutions and channels in each of VGG16's five blocks.
const BLOCKS: [(usize, usize); 5] = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)];

/// Mean and standard deviation that LPIPS normalises inputs in −1 to 1 with.
const SHIFT: [f32; 3] = [-0.030, -0.088, -0.188];
const SCALE: [f32; 3] = [0.458, 0.448, 0.450];

/// Avoids division by zero when normalising to unit length.
const EPSILON: f32 = 1e-10;

/// LPIPS: perceptual distance between two pictures, computed from VGG16 features.
///
/// Source: Zhang et al. 2018, <https://arxiv.org/abs/1801.03924>; the package `lpips`, version 0.1
/// with `net='vgg'`.
#[derive(Module, Debug)]
pub struct Lpips {
    /// VGG16's convolutions, all 3×3, in order.
    conv: Vec<Conv2d>,
    /// Weight of each channel after each block, `[1, C, 1, 1]`.
    lin: Vec<Param<Tensor<4>>>,
    pool: MaxPool2d,
}

impl Lpips {
    /// Initialises with random weights, to be overwritten by loading.
    pub fn new(device: &Device) -> Self {
        let widths = BLOCKS.iter().flat_map(|&(count, width)| vec![width; count]);
        let mut from = 3;
        let conv = widths
            .map(|width| conv(std::mem::replace(&mut from, width), width, 3, device))
            .collect();
        let lin = BLOCKS
            .iter()
            .map(|&(_, width)| Param::from_tensor(Tensor::ones([1, width, 1, 1], device)))
            .collect();
        Self {
            conv,
            lin,
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
        }
    }

    /// Maps a parameter name to its published name: torchvision's `vgg16` for the convolutions,
    /// `lpips`'s own for the rest.
    pub fn published_name(name: &str) -> Option<String> {
        let mut parts = name.split('.');
        let (list, index) = (parts.next()?, parts.next()?.parse::<usize>().ok()?);
        if list == "lin" {
            return Some(format!("lin{index}.model.1.weight"));
        }
        // A convolution and its ReLU take two indices, and each block ends with a pooling layer.
        let mut before = 0;
        for (block, (count, _)) in BLOCKS.iter().enumerate() {
            if index < before + count {
                return Some(format!("features.{}.{}", 2 * index + block, parts.next()?));
            }
            before += count;
        }
        None
    }

    /// The distance of each pair.
    ///
    /// # Shapes
    /// - input: `[batch, 3, height, width]` in −1 to 1, height and width at least 16
    /// - output: `[batch, 1, 1, 1]`, 0 for equal pictures
    pub fn forward(&self, a: Tensor<4>, b: Tensor<4>) -> Tensor<4> {
        let [batch, ..] = a.dims();
        let mut total = Tensor::zeros([batch, 1, 1, 1], &a.device());
        // Both in one batch, so that each layer runs once.
        let mut h = Tensor::cat(vec![scaled(a), scaled(b)], 0);
        let mut convs = self.conv.iter();
        for (block, ((count, _), lin)) in BLOCKS.iter().zip(&self.lin).enumerate() {
            if block > 0 {
                h = self.pool.forward(h);
            }
            h = convs
                .by_ref()
                .take(*count)
                .fold(h, |h, conv| relu(conv.forward(h)));
            let features = unit(h.clone());
            let [a, b] = [0, batch].map(|start| features.clone().narrow(0, start, batch));
            let difference = (a - b).square() * lin.val();
            total = total + difference.sum_dim(1).mean_dim(2).mean_dim(3);
        }
        total
    }
}

fn scaled(x: Tensor<4>) -> Tensor<4> {
    let device = x.device();
    let [shift, scale] = [SHIFT, SCALE].map(|v| Tensor::<1>::from_floats(v, &device));
    (x - shift.reshape([1, 3, 1, 1])) / scale.reshape([1, 3, 1, 1])
}

/// Normalises to unit length over the channels, with ε outside the root as in the package. The
/// root's gradient at 0 is infinite, so the sum of squares is kept away from 0.
fn unit(x: Tensor<4>) -> Tensor<4> {
    let square = x.clone().square().sum_dim(1);
    x / square
        .clamp_min(f32::MIN_POSITIVE)
        .sqrt()
        .add_scalar(EPSILON)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_published_files() {
        for (ours, theirs) in [
            ("conv.0.weight", "features.0.weight"),
            ("conv.1.bias", "features.2.bias"),
            ("conv.2.weight", "features.5.weight"),
            ("conv.4.weight", "features.10.weight"),
            ("conv.7.weight", "features.17.weight"),
            ("conv.12.bias", "features.28.bias"),
            ("lin.4", "lin4.model.1.weight"),
        ] {
            assert_eq!(Lpips::published_name(ours).unwrap(), theirs);
        }
        assert_eq!(Lpips::published_name("conv.13.weight"), None);
    }
}
