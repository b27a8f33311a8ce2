use burn::module::Module;
use burn::nn::GroupNorm;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::silu;
use burn::tensor::{Device, Tensor};

use super::encoder::Middle;
use super::{AttnBlock, Norm, ResnetBlock, Upsample, conv};
use crate::config::NetworkConfig;
use crate::error::Result;

/// The decoder of VQ-GAN and AutoencoderKL: latent to picture.
///
/// Source: taming-transformers `Decoder`.
#[derive(Module, Debug)]
pub struct Decoder {
    conv_in: Conv2d,
    mid: Middle,
    /// Finest first, as the checkpoints store them; run from the last to the first.
    up: Vec<UpLevel>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

/// One resolution of the decoder.
#[derive(Module, Debug)]
pub struct UpLevel {
    block: Vec<ResnetBlock>,
    /// One after each block, or none at all.
    attn: Vec<AttnBlock>,
    /// Absent in the finest level.
    upsample: Option<Upsample>,
}

impl Decoder {
    /// Builds with random weights.
    ///
    /// # Errors
    /// When the config's widths overflow.
    pub fn new(config: &NetworkConfig, device: &Device) -> Result<Self> {
        let widths = config.widths()?;
        let norm: Norm = config.norm();
        let coarsest = widths.last().copied().unwrap_or(config.ch);
        let mut from = coarsest;
        let mut up = Vec::with_capacity(widths.len());
        for (level, &width) in widths.iter().enumerate().rev() {
            let mut block = Vec::new();
            let mut attn = Vec::new();
            for _ in 0..=config.num_res_blocks {
                block.push(ResnetBlock::new(from, width, norm, device));
                from = width;
                if config.attends(level) {
                    attn.push(AttnBlock::new(width, norm, device));
                }
            }
            let upsample = (level > 0).then(|| Upsample::new(width, device));
            up.push(UpLevel {
                block,
                attn,
                upsample,
            });
        }
        up.reverse();
        Ok(Self {
            conv_in: conv(config.z_channels, coarsest, 3, device),
            mid: Middle::new(coarsest, config, norm, device),
            up,
            norm_out: norm.init(from, device),
            conv_out: conv(from, config.out_ch, 3, device),
        })
    }

    /// # Shapes
    /// - input: `[batch, z_channels, rows, columns]`
    /// - output: `[batch, out_ch, rows · f, columns · f]`
    pub fn forward(&self, z: Tensor<4>) -> Tensor<4> {
        let mut h = self.mid.forward(self.conv_in.forward(z));
        for level in self.up.iter().rev() {
            for (i, block) in level.block.iter().enumerate() {
                h = block.forward(h);
                if let Some(attn) = level.attn.get(i) {
                    h = attn.forward(h);
                }
            }
            if let Some(upsample) = &level.upsample {
                h = upsample.forward(h);
            }
        }
        self.conv_out.forward(silu(self.norm_out.forward(h)))
    }
}
