use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::NetworkConfig;
use super::{AttnBlock, Conv2d, Downsample, GroupNorm, Normalise, ResnetBlock, conv};
use crate::error::Result;
use crate::kernels::silu;

/// The encoder of VQ-GAN and AutoencoderKL: picture to latent.
///
/// Source: taming-transformers `Encoder`.
#[derive(Module, Debug)]
pub struct Encoder {
    conv_in: Conv2d,
    down: Vec<DownLevel>,
    mid: Middle,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

/// One resolution of the encoder.
#[derive(Module, Debug)]
pub struct DownLevel {
    block: Vec<ResnetBlock>,
    /// One per block, or empty.
    attn: Vec<AttnBlock>,
    /// Absent in the coarsest level.
    downsample: Option<Downsample>,
}

/// Block, attention, block at the coarsest resolution; used by both encoder and decoder.
#[derive(Module, Debug)]
pub struct Middle<N = GroupNorm> {
    block_1: ResnetBlock<N>,
    attn_1: Option<AttnBlock<N>>,
    block_2: ResnetBlock<N>,
}

impl<N> Middle<N> {
    pub(super) fn new(
        width: usize,
        config: &NetworkConfig,
        norm: impl Normalise<Layer = N>,
        device: &Device,
    ) -> Self {
        Self {
            block_1: ResnetBlock::new(width, width, norm, device),
            attn_1: config
                .mid_attention
                .then(|| AttnBlock::new(width, norm, device)),
            block_2: ResnetBlock::new(width, width, norm, device),
        }
    }

    /// `norm` applies the normalisations.
    ///
    /// # Shapes
    /// - input and output: `[batch, channels, height, width]`
    pub(super) fn forward_by(
        &self,
        x: Tensor<4>,
        norm: impl Fn(&N, Tensor<4>) -> Tensor<4>,
    ) -> Tensor<4> {
        let x = self.block_1.forward_by(x, &norm);
        let x = match &self.attn_1 {
            Some(attn) => attn.forward_by(x, &norm),
            None => x,
        };
        self.block_2.forward_by(x, &norm)
    }
}

impl Encoder {
    /// Initialises with random weights. `channels` is the number of output channels: `z_channels`,
    /// or twice that for a mean and a variance.
    ///
    /// # Errors
    /// If the config's channel counts overflow.
    pub fn new(config: &NetworkConfig, channels: usize, device: &Device) -> Result<Self> {
        let widths = config.widths()?;
        let norm = config.norm();
        let mut from = config.first_width();
        let mut down = Vec::with_capacity(widths.len());
        for (level, &width) in widths.iter().enumerate() {
            let mut block = Vec::new();
            let mut attn = Vec::new();
            for _ in 0..config.num_res_blocks {
                block.push(ResnetBlock::new(from, width, norm, device));
                from = width;
                if config.attends(level) {
                    attn.push(AttnBlock::new(width, norm, device));
                }
            }
            let downsample = (level + 1 < widths.len()).then(|| Downsample::new(width, device));
            down.push(DownLevel {
                block,
                attn,
                downsample,
            });
        }
        Ok(Self {
            conv_in: conv(config.in_channels, config.first_width(), 3, device),
            down,
            mid: Middle::new(from, config, norm, device),
            norm_out: norm.init(from, device),
            conv_out: conv(from, channels, 3, device),
        })
    }

    /// # Shapes
    /// - input: `[batch, in_channels, height, width]`, height and width multiples of the factor f
    /// - output: `[batch, channels, height / f, width / f]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut h = self.conv_in.forward(x);
        for level in &self.down {
            for (i, block) in level.block.iter().enumerate() {
                h = block.forward(h);
                if let Some(attn) = level.attn.get(i) {
                    h = attn.forward(h);
                }
            }
            if let Some(downsample) = &level.downsample {
                h = downsample.forward(h);
            }
        }
        let h = self.mid.forward_by(h, GroupNorm::forward);
        self.conv_out.forward(silu(self.norm_out.forward(h)))
    }
}
