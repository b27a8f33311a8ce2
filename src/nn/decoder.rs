use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::NetworkConfig;
use super::encoder::Middle;
use super::{AttnBlock, Conv2d, GroupNorm, LastLayer, Normalise, ResnetBlock, Upsample, conv};
use crate::error::Result;
use crate::kernels::silu;

/// The decoder of VQ-GAN and AutoencoderKL: latent to picture.
///
/// Source: taming-transformers `Decoder`.
#[derive(Module, Debug)]
pub struct Decoder<N = GroupNorm> {
    conv_in: Conv2d,
    mid: Middle<N>,
    /// Finest first, as stored in the checkpoints; run from last to first.
    up: Vec<UpLevel<N>>,
    norm_out: N,
    conv_out: Conv2d,
}

/// One resolution of the decoder.
#[derive(Module, Debug)]
pub struct UpLevel<N = GroupNorm> {
    block: Vec<ResnetBlock<N>>,
    /// One per block, or empty.
    attn: Vec<AttnBlock<N>>,
    /// Absent in the finest level.
    upsample: Option<Upsample>,
}

impl Decoder {
    /// Initialises with random weights and the encoder's group normalisation.
    ///
    /// # Errors
    /// If the config's channel counts overflow.
    pub fn new(config: &NetworkConfig, device: &Device) -> Result<Self> {
        Self::with_norm(config, config.norm(), device)
    }

    /// The input of the last convolution.
    ///
    /// # Shapes
    /// - input: `[batch, z_channels, rows, columns]`
    /// - output: `[batch, channels, rows · f, columns · f]`
    pub fn features(&self, z: Tensor<4>) -> Tensor<4> {
        self.features_by(z, GroupNorm::forward)
    }

    /// # Shapes
    /// - input: `[batch, z_channels, rows, columns]`
    /// - output: `[batch, out_ch, rows · f, columns · f]`
    pub fn forward(&self, z: Tensor<4>) -> Tensor<4> {
        self.conv_out.forward(self.features(z))
    }
}

impl<N> Decoder<N> {
    /// Like [`Decoder::new`], with normalisation layers built by `norm`.
    ///
    /// # Errors
    /// If the config's channel counts overflow.
    pub fn with_norm(
        config: &NetworkConfig,
        norm: impl Normalise<Layer = N>,
        device: &Device,
    ) -> Result<Self> {
        let config = &config.decoding();
        let widths = config.widths()?;
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

    /// Like [`Decoder::features`], with `norm` applying the normalisations.
    pub fn features_by(
        &self,
        z: Tensor<4>,
        norm: impl Fn(&N, Tensor<4>) -> Tensor<4>,
    ) -> Tensor<4> {
        let mut h = self.mid.forward_by(self.conv_in.forward(z), &norm);
        for level in self.up.iter().rev() {
            for (i, block) in level.block.iter().enumerate() {
                h = block.forward_by(h, &norm);
                if let Some(attn) = level.attn.get(i) {
                    h = attn.forward_by(h, &norm);
                }
            }
            if let Some(upsample) = &level.upsample {
                h = upsample.forward(h);
            }
        }
        silu(norm(&self.norm_out, h))
    }

    /// The convolution that outputs the picture, `[batch, out_ch, rows · f, columns · f]`.
    pub fn last(&self) -> LastLayer<'_> {
        LastLayer::Conv(&self.conv_out)
    }
}
