use super::{ModelConfig, QuantizerKind, VqGanConfig, VqVaeConfig, centred, micro, signed};
use crate::error::{Error, Result};

impl ModelConfig {
    /// Names of the presets that [`ModelConfig::preset`] knows.
    pub const PRESETS: [&'static str; 5] = [
        "photos-f8",
        "vqgan-tiny",
        "vqvae-tiny",
        "vqvae-cifar",
        "imagenet-f16-1024",
    ];

    /// A documented starting point by name:
    ///
    /// | name | what |
    /// |---|---|
    /// | `photos-f8` | the shipped photo model: VQ-GAN, factor 8, K 1024 |
    /// | `vqgan-tiny`, `vqvae-tiny` | a few thousand parameters, for tests |
    /// | `vqvae-cifar` | van den Oord 2017 as in sonnet's example: factor 4, K 512 |
    /// | `imagenet-f16-1024` | taming-transformers' published ImageNet model |
    pub fn preset(name: &str) -> Result<Self> {
        let vqgan = |ch, ch_mult: &[usize], z, k, norm_groups| VqGanConfig {
            ch,
            ch_mult: ch_mult.to_vec(),
            num_res_blocks: 1,
            attn_resolutions: vec![],
            mid_attention: true,
            resolution: 256,
            in_channels: 3,
            out_ch: 3,
            z_channels: z,
            embed_dim: z,
            n_embed: k,
            norm_groups,
            norm_eps: micro(),
            quantizer: QuantizerKind::Vq,
            input: signed(),
        };
        let vqvae = |hidden, residual_hidden, downsamplings, embed_dim, n_embed| VqVaeConfig {
            in_channels: 3,
            hidden,
            residual_hidden,
            residual_layers: 2,
            downsamplings,
            embed_dim,
            n_embed,
            input: centred(),
        };
        Ok(match name {
            "photos-f8" => Self::VqGan(vqgan(8, &[2, 4, 8, 16], 64, 1024, 8)),
            "vqgan-tiny" => Self::VqGan(vqgan(4, &[1, 2, 2], 8, 32, 2)),
            "vqvae-tiny" => Self::VqVae(vqvae(16, 8, 2, 8, 32)),
            "vqvae-cifar" => Self::VqVae(vqvae(128, 32, 2, 64, 512)),
            "imagenet-f16-1024" => Self::VqGan(VqGanConfig {
                num_res_blocks: 2,
                attn_resolutions: vec![16],
                ..vqgan(128, &[1, 1, 2, 2, 4], 256, 1024, 32)
            }),
            other => return Err(Error::ModelUnknown(other.to_owned())),
        })
    }
}
