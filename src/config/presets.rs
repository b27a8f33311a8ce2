use super::{
    DecoderNorm, KlConfig, Layers, ModelConfig, NetworkConfig, QuantizerKind, VqGanConfig,
    VqVae2Config, VqVaeConfig, centred, micro, signed,
};
use crate::error::{Error, Result};

impl ModelConfig {
    /// Names of the presets that [`ModelConfig::preset`] knows.
    pub const PRESETS: [&'static str; 11] = [
        "photos-f8",
        "vqgan-tiny",
        "vqvae-tiny",
        "vqvae2-tiny",
        "kl-tiny",
        "vqvae-cifar",
        "vqvae2-256",
        "imagenet-f16-1024",
        "imagenet-f16-16384",
        "ldm-vq-f8",
        "kl-f8",
    ];

    /// A documented starting point by name:
    ///
    /// | name | what |
    /// |---|---|
    /// | `photos-f8` | the shipped photo model: VQ-GAN, factor 8, K 1024 |
    /// | `vqgan-tiny`, `vqvae-tiny`, `vqvae2-tiny`, `kl-tiny` | a few thousand parameters, for tests |
    /// | `vqvae-cifar` | van den Oord 2017 as in sonnet's example: factor 4, K 512 |
    /// | `vqvae2-256` | Razavi 2019 as in rosinality's code: factors 8 and 4, K 512 |
    /// | `imagenet-f16-1024`, `imagenet-f16-16384` | taming-transformers' published ImageNet models |
    /// | `ldm-vq-f8` | latent-diffusion's VQ first stage: factor 8, K 16384 |
    /// | `kl-f8` | latent-diffusion's KL first stage, which Stable Diffusion uses |
    pub fn preset(name: &str) -> Result<Self> {
        let network = |ch, ch_mult: &[usize], z, norm_groups| NetworkConfig {
            ch,
            ch_mult: ch_mult.to_vec(),
            num_res_blocks: 1,
            attn_resolutions: vec![],
            mid_attention: true,
            resolution: 256,
            in_channels: 3,
            out_ch: 3,
            z_channels: z,
            norm_groups,
            norm_eps: micro(),
            input: signed(),
            layers: Layers::Taming,
            decoder_norm: DecoderNorm::Group,
            stem: None,
            decoder: None,
        };
        // The published models: 128 wide, two blocks a level, 32 groups.
        let published = |ch_mult: &[usize], attention: &[usize], z| NetworkConfig {
            num_res_blocks: 2,
            attn_resolutions: attention.to_vec(),
            ..network(128, ch_mult, z, 32)
        };
        let vqgan = |network: NetworkConfig, n_embed| {
            Self::VqGan(VqGanConfig {
                embed_dim: network.z_channels,
                n_embed,
                quantizer: QuantizerKind::Vq,
                network,
            })
        };
        let kl = |network, embed_dim| {
            Self::Kl(KlConfig {
                network,
                embed_dim,
                quant_conv: true,
            })
        };
        let vqvae = |hidden, residual_hidden, embed_dim, n_embed| {
            Self::VqVae(VqVaeConfig {
                in_channels: 3,
                hidden,
                residual_hidden,
                residual_layers: 2,
                downsamplings: 2,
                embed_dim,
                n_embed,
                input: centred(),
            })
        };
        let vqvae2 = |hidden, residual_hidden, embed_dim, n_embed| {
            Self::VqVae2(VqVae2Config {
                in_channels: 3,
                hidden,
                residual_hidden,
                residual_layers: 2,
                embed_dim,
                n_embed,
                input: signed(),
            })
        };
        Ok(match name {
            "photos-f8" => vqgan(network(8, &[2, 4, 8, 16], 64, 8), 1024),
            "vqgan-tiny" => vqgan(network(4, &[1, 2, 2], 8, 2), 32),
            "vqvae-tiny" => vqvae(16, 8, 8, 32),
            "vqvae2-tiny" => vqvae2(16, 8, 8, 32),
            "kl-tiny" => kl(network(4, &[1, 2, 2], 4, 2), 2),
            "vqvae-cifar" => vqvae(128, 32, 64, 512),
            "vqvae2-256" => vqvae2(128, 32, 64, 512),
            "imagenet-f16-1024" => vqgan(published(&[1, 1, 2, 2, 4], &[16], 256), 1024),
            "imagenet-f16-16384" => vqgan(published(&[1, 1, 2, 2, 4], &[16], 256), 16384),
            "ldm-vq-f8" => vqgan(published(&[1, 2, 2, 4], &[32], 4), 16384),
            "kl-f8" => kl(published(&[1, 2, 4, 4], &[], 4), 4),
            other => return Err(Error::ModelUnknown(other.to_owned())),
        })
    }
}
