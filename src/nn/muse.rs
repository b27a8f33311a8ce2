//! The layers of MaskGIT's VQ-GAN: no attention, hardly any biases, and parameter-free
//! down-sampling.
//!
//! Source: Chang et al. 2022, <https://arxiv.org/abs/2202.04200>; names follow open-muse
//! `modeling_maskgit_vqgan.py`.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::NetworkConfig;
use super::resample::{double, halve};
use super::{Conv2d, GroupNorm, LastLayer, Norm, Normalise, conv, conv_without_bias};
use crate::error::Result;
use crate::kernels::silu;

/// Norm, swish, 3×3, norm, swish, 3×3, plus the input. If the number of channels changes, the skip
/// path is a 1×1 convolution of the block's output instead of the input.
#[derive(Module, Debug)]
pub struct MuseBlock {
    norm1: GroupNorm,
    conv1: Conv2d,
    norm2: GroupNorm,
    conv2: Conv2d,
    nin_shortcut: Option<Conv2d>,
}

impl MuseBlock {
    /// A block from `from` to `to` channels.
    pub fn new(from: usize, to: usize, norm: Norm, device: &Device) -> Self {
        Self {
            norm1: norm.init(from, device),
            conv1: conv_without_bias(from, to, 3, device),
            norm2: norm.init(to, device),
            conv2: conv_without_bias(to, to, 3, device),
            nin_shortcut: (from != to).then(|| conv_without_bias(to, to, 1, device)),
        }
    }

    /// # Shapes
    /// - input: `[batch, from, height, width]`
    /// - output: `[batch, to, height, width]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let h = self.conv1.forward(silu(self.norm1.forward(x.clone())));
        let h = self.conv2.forward(silu(self.norm2.forward(h)));
        match &self.nin_shortcut {
            Some(shortcut) => shortcut.forward(h.clone()) + h,
            None => x + h,
        }
    }
}

/// `count` blocks, the first from `from` channels, all to `to` channels.
fn blocks(count: usize, from: usize, to: usize, norm: Norm, device: &Device) -> Vec<MuseBlock> {
    (0..count)
        .map(|i| MuseBlock::new(if i == 0 { from } else { to }, to, norm, device))
        .collect()
}

fn run(blocks: &[MuseBlock], x: Tensor<4>) -> Tensor<4> {
    blocks.iter().fold(x, |x, block| block.forward(x))
}

/// MaskGIT's encoder: picture to latent.
#[derive(Module, Debug)]
pub struct MuseEncoder {
    conv_in: Conv2d,
    /// Height and width are halved between levels.
    down: Vec<MuseDown>,
    mid: Vec<MuseBlock>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

/// One resolution of the encoder.
#[derive(Module, Debug)]
pub struct MuseDown {
    block: Vec<MuseBlock>,
}

impl MuseEncoder {
    /// Initialises with random weights.
    ///
    /// # Errors
    /// If the config's channel counts overflow.
    pub fn new(config: &NetworkConfig, device: &Device) -> Result<Self> {
        let (count, norm) = (config.num_res_blocks, config.norm());
        let mut from = config.first_width();
        let mut down = Vec::new();
        for width in config.widths()? {
            down.push(MuseDown {
                block: blocks(count, from, width, norm, device),
            });
            from = width;
        }
        Ok(Self {
            conv_in: conv_without_bias(config.in_channels, config.first_width(), 3, device),
            down,
            mid: blocks(count, from, from, norm, device),
            norm_out: norm.init(from, device),
            conv_out: conv(from, config.z_channels, 1, device),
        })
    }

    /// # Shapes
    /// - input: `[batch, in_channels, height, width]`, height and width multiples of the factor f
    /// - output: `[batch, z_channels, height / f, width / f]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut h = self.conv_in.forward(x);
        for (i, level) in self.down.iter().enumerate() {
            if i > 0 {
                h = halve(h);
            }
            h = run(&level.block, h);
        }
        let h = run(&self.mid, h);
        self.conv_out.forward(silu(self.norm_out.forward(h)))
    }
}

/// MaskGIT's decoder: latent to picture.
#[derive(Module, Debug)]
pub struct MuseDecoder {
    conv_in: Conv2d,
    mid: Vec<MuseBlock>,
    /// Finest first, as stored in the checkpoints; run from last to first.
    up: Vec<MuseUp>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

/// One resolution of the decoder.
#[derive(Module, Debug)]
pub struct MuseUp {
    block: Vec<MuseBlock>,
    /// 3×3, after height and width are doubled; absent in the finest level.
    upsample_conv: Option<Conv2d>,
}

impl MuseDecoder {
    /// Initialises with random weights.
    ///
    /// # Errors
    /// If the config's channel counts overflow.
    pub fn new(config: &NetworkConfig, device: &Device) -> Result<Self> {
        let (count, norm) = (config.num_res_blocks, config.norm());
        let widths = config.widths()?;
        let coarsest = widths.last().copied().unwrap_or(config.ch);
        let mut from = coarsest;
        let mut up = Vec::with_capacity(widths.len());
        for (level, &width) in widths.iter().enumerate().rev() {
            up.push(MuseUp {
                block: blocks(count, from, width, norm, device),
                upsample_conv: (level > 0).then(|| conv(width, width, 3, device)),
            });
            from = width;
        }
        up.reverse();
        Ok(Self {
            conv_in: conv(config.z_channels, coarsest, 3, device),
            mid: blocks(count, coarsest, coarsest, norm, device),
            up,
            norm_out: norm.init(from, device),
            conv_out: conv(from, config.out_ch, 3, device),
        })
    }

    /// The input of the last convolution.
    ///
    /// # Shapes
    /// - input: `[batch, z_channels, rows, columns]`
    /// - output: `[batch, channels, rows · f, columns · f]`
    pub fn features(&self, z: Tensor<4>) -> Tensor<4> {
        let mut h = run(&self.mid, self.conv_in.forward(z));
        for level in self.up.iter().rev() {
            h = run(&level.block, h);
            if let Some(conv) = &level.upsample_conv {
                h = conv.forward(double(h));
            }
        }
        silu(self.norm_out.forward(h))
    }

    /// The convolution that outputs the picture, `[batch, out_ch, rows · f, columns · f]`.
    pub fn last(&self) -> LastLayer<'_> {
        LastLayer::Conv(&self.conv_out)
    }
}
