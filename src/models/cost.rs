use crate::config::{
    DecoderNorm, Layers, ModelConfig, NetworkConfig, VqGanConfig, VqVae2Config, VqVaeConfig,
};
use crate::error::Result;

impl ModelConfig {
    /// Multiply-accumulates of reconstructing one picture of `height`×`width` pixels: every
    /// convolution, attention product and codebook distance, by their shapes. Sides count as
    /// padded to the downsampling factor.
    ///
    /// # Errors
    /// When the config's widths overflow.
    pub fn macs(&self, height: usize, width: usize) -> Result<u64> {
        let factor = self.factor();
        let coarsest = (height.div_ceil(factor) * width.div_ceil(factor)) as u64;
        let search: u64 = self
            .grids()
            .into_iter()
            .map(|grid| {
                coarsest * ((factor / grid).pow(2) * self.codes() * self.embed_dim()) as u64
            })
            .sum();
        let network = match self {
            Self::VqVae(c) => vqvae(c, coarsest),
            Self::VqVae2(c) => vqvae2(c, coarsest),
            Self::VqGan(c) => vqgan(c, coarsest)?,
            Self::Kl(c) => {
                let z = c.network.z_channels;
                let around = if c.quant_conv {
                    conv(coarsest, 2 * z, 2 * c.embed_dim, 1) + conv(coarsest, c.embed_dim, z, 1)
                } else {
                    0
                };
                network(&c.network, 2 * z, coarsest)? + around
            }
        };
        Ok(network + search)
    }
}

/// One square convolution over `positions` outputs. A transposed one of twice the side takes as
/// many products as the strided one the other way.
fn conv(positions: u64, from: usize, to: usize, kernel: u64) -> u64 {
    positions * kernel * kernel * from as u64 * to as u64
}

/// 4×4 convolutions of stride 2 through `widths`, down to `positions` or up from them.
fn strided(widths: &[usize], positions: u64) -> u64 {
    let halvings = widths.len().saturating_sub(1);
    widths
        .windows(2)
        .enumerate()
        .map(|(level, pair)| {
            conv(
                positions << (2 * (halvings - level - 1)),
                pair[0],
                pair[1],
                4,
            )
        })
        .sum()
}

fn residual(layers: usize, hidden: usize, inside: usize, positions: u64) -> u64 {
    layers as u64 * (conv(positions, hidden, inside, 3) + conv(positions, inside, hidden, 1))
}

fn vqvae(c: &VqVaeConfig, tokens: u64) -> u64 {
    let stack = residual(c.residual_layers, c.hidden, c.residual_hidden, tokens);
    let ends = conv(tokens, c.hidden, c.hidden, 3)
        + conv(tokens, c.hidden, c.embed_dim, 1)
        + conv(tokens, c.embed_dim, c.hidden, 3);
    2 * stack + ends + 2 * strided(&c.widths(), tokens)
}

fn vqvae2(c: &VqVae2Config, top: u64) -> u64 {
    let (bottom, d, hidden) = (4 * top, c.embed_dim, c.hidden);
    let stack = |positions| residual(c.residual_layers, hidden, c.residual_hidden, positions);
    let outer = strided(&[c.in_channels, hidden / 2, hidden], bottom);
    let enc_b = outer + conv(bottom, hidden, hidden, 3) + stack(bottom);
    let enc_t = strided(&[hidden, hidden / 2], top) + conv(top, hidden / 2, hidden, 3) + stack(top);
    let dec_t = conv(top, d, hidden, 3) + stack(top) + strided(&[d, hidden], top);
    let dec = conv(bottom, 2 * d, hidden, 3) + stack(bottom) + outer;
    let around = conv(top, hidden, d, 1) + conv(bottom, d + hidden, d, 1) + strided(&[d, d], top);
    // Each grid encodes the picture anew.
    2 * enc_b + enc_t + dec_t + dec + around
}

fn vqgan(c: &VqGanConfig, tokens: u64) -> Result<u64> {
    let z = c.network.z_channels;
    let around = match c.network.layers {
        Layers::Taming => 2 * conv(tokens, z, c.embed_dim, 1),
        Layers::MaskGit => 0,
    };
    let norms = match c.network.decoder_norm {
        DecoderNorm::Group => 0,
        DecoderNorm::Spatial => spatial(&c.network, c.embed_dim, tokens)?,
    };
    Ok(network(&c.network, z, tokens)? + around + norms)
}

/// Two 1×1 convolutions of the latent for each norm of the decoder.
fn spatial(c: &NetworkConfig, latent: usize, tokens: u64) -> Result<u64> {
    let c = &c.decoding();
    let widths = c.widths()?;
    let coarsest = widths.last().copied().unwrap_or(c.ch);
    let mut normed = 4 * coarsest + if c.mid_attention { coarsest } else { 0 };
    let mut from = coarsest;
    for (level, &width) in widths.iter().enumerate().rev() {
        let attention = if c.attends(level) { width } else { 0 };
        normed += from + width + attention + c.num_res_blocks * (2 * width + attention);
        from = width;
    }
    Ok(2 * conv(tokens, latent, normed + from, 1))
}

/// Encoder, of which `channels` come out, and decoder.
fn network(c: &NetworkConfig, channels: usize, tokens: u64) -> Result<u64> {
    Ok(half(c, Half::Encoder(channels), tokens)? + half(&c.decoding(), Half::Decoder, tokens)?)
}

#[derive(Clone, Copy)]
enum Half {
    /// With the channels that come out.
    Encoder(usize),
    Decoder,
}

fn half(c: &NetworkConfig, half: Half, tokens: u64) -> Result<u64> {
    let widths = c.widths()?;
    let levels = widths.len();
    let coarsest = widths.last().copied().unwrap_or(c.ch);
    let at = |level: usize| tokens << (2 * (levels - 1 - level));
    // Blocks in the middle, more blocks in the decoder, side of the encoder's last convolution, and
    // whether down-sampling convolves.
    let (middle, more, last, strided) = match c.layers {
        Layers::Taming => (2, 1, 3, true),
        Layers::MaskGit => (c.num_res_blocks, 0, 1, false),
    };
    let block = |positions, from: usize, to: usize| {
        let shortcut = match c.layers {
            _ if from == to => 0,
            Layers::Taming => conv(positions, from, to, 1),
            Layers::MaskGit => conv(positions, to, to, 1),
        };
        conv(positions, from, to, 3) + conv(positions, to, to, 3) + shortcut
    };
    let attention = |positions: u64, width: usize| {
        4 * conv(positions, width, width, 1) + 2 * positions * positions * width as u64
    };
    let middle = middle as u64 * block(tokens, coarsest, coarsest)
        + if c.mid_attention {
            attention(tokens, coarsest)
        } else {
            0
        };
    let level = |level: usize, mut from: usize, blocks: usize| {
        let mut sum = 0;
        for _ in 0..blocks {
            sum += block(at(level), from, widths[level]);
            from = widths[level];
            if c.attends(level) {
                sum += attention(at(level), from);
            }
        }
        sum
    };

    let mut sum = middle;
    match half {
        Half::Encoder(channels) => {
            let first = c.first_width();
            sum += conv(at(0), c.in_channels, first, 3) + conv(tokens, coarsest, channels, last);
            for (i, &width) in widths.iter().enumerate() {
                let from = if i == 0 { first } else { widths[i - 1] };
                sum += level(i, from, c.num_res_blocks);
                if strided && i + 1 < levels {
                    sum += conv(at(i + 1), width, width, 3);
                }
            }
        }
        Half::Decoder => {
            sum += conv(tokens, c.z_channels, coarsest, 3) + conv(at(0), widths[0], c.out_ch, 3);
            for (i, &width) in widths.iter().enumerate() {
                let from = widths.get(i + 1).copied().unwrap_or(coarsest);
                sum += level(i, from, c.num_res_blocks + more);
                if i > 0 {
                    sum += conv(at(i - 1), width, width, 3);
                }
            }
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_small_enough_to_count_by_hand() {
        let config = ModelConfig::VqVae(VqVaeConfig {
            in_channels: 3,
            hidden: 2,
            residual_hidden: 1,
            residual_layers: 1,
            downsamplings: 1,
            embed_dim: 4,
            n_embed: 8,
            input: [0.0, 1.0],
        });
        // One token: strided 2·16·3·2, 3×3 ends 9·2·2 + 2·4 + 9·4·2, stacks 2·(9·2 + 2), search 32.
        assert_eq!(config.macs(2, 2).unwrap(), 192 + 36 + 8 + 72 + 40 + 32);
        assert_eq!(config.macs(3, 4).unwrap(), 4 * 380);
    }

    #[test]
    fn two_grids_small_enough_to_count_by_hand() {
        let config = ModelConfig::VqVae2(VqVae2Config {
            in_channels: 3,
            hidden: 2,
            residual_hidden: 1,
            residual_layers: 1,
            embed_dim: 4,
            n_embed: 8,
            input: [0.0, 1.0],
        });
        // One top token and four bottom ones; a residual layer takes 9·2 + 2 = 20 a position.
        let enc_b = 16 * 16 * 3 + 4 * 16 * 2 + 4 * 9 * 4 + 4 * 20;
        let enc_t = 16 * 2 + 9 * 2 + 20;
        let dec_t = 9 * 4 * 2 + 20 + 16 * 2 * 4;
        let dec = 4 * 9 * 8 * 2 + 4 * 20 + 4 * 16 * 2 + 16 * 16 * 3;
        let around = 2 * 4 + 4 * 6 * 4 + 16 * 4 * 4;
        let search = 5 * 32;
        assert_eq!(
            config.macs(8, 8).unwrap(),
            2 * enc_b + enc_t + dec_t + dec + around + search
        );
    }

    #[test]
    fn other_layers_small_enough_to_count_by_hand() {
        let ModelConfig::VqGan(mut config) = ModelConfig::preset("vqgan-tiny").unwrap() else {
            panic!("a preset of another kind");
        };
        let macs = |config: &VqGanConfig| ModelConfig::VqGan(config.clone()).macs(2, 2).unwrap();
        config.network = NetworkConfig {
            ch: 1,
            ch_mult: vec![1, 2],
            attn_resolutions: vec![128],
            z_channels: 3,
            ..config.network
        };
        config.embed_dim = 3;
        // One token of 3 values. Coarse: a middle of two blocks and attention, and two blocks with
        // attention, all 2 wide. Fine: 2 to 1, then 1. Last of all the norm at the end.
        let group = macs(&config);
        let normed = (4 + 1) * 2 + 2 * (2 + 1) * 2 + (2 + 1) + (1 + 1) + 1;
        config.network.decoder_norm = DecoderNorm::Spatial;
        assert_eq!(macs(&config) - group, 2 * 3 * normed);

        config.network.decoder_norm = DecoderNorm::Group;
        config.network.layers = Layers::MaskGit;
        config.network.attn_resolutions.clear();
        config.network.mid_attention = false;
        // 4 pixels and 1 token. A block of 2 takes 2·36 a position; 1 to 2 and 2 to 1 have a
        // shortcut of the width that they end with.
        let encoder = 4 * 27 + 4 * 18 + (18 + 36 + 4) + 72 + 2 * 3;
        let decoder = 9 * 6 + 72 + 72 + 4 * 36 + 4 * (18 + 9 + 1) + 4 * 27;
        let search = 3 * config.n_embed as u64;
        assert_eq!(macs(&config), encoder + decoder + search);
    }

    #[test]
    fn a_gaussian_costs_its_convolutions_and_no_search() {
        let macs = |name: &str| ModelConfig::preset(name).unwrap().macs(32, 32).unwrap();
        let ModelConfig::Kl(mut config) = ModelConfig::preset("kl-tiny").unwrap() else {
            panic!("a preset of another kind");
        };
        // 8×8 latents: 8 to 4 and 2 to 4 channels.
        config.quant_conv = false;
        let without = ModelConfig::Kl(config).macs(32, 32).unwrap();
        assert_eq!(macs("kl-tiny") - without, 64 * (8 * 4 + 2 * 4));
    }

    #[test]
    fn the_shipped_model_is_interactive_on_a_cpu() {
        let macs = ModelConfig::preset("photos-f8").unwrap().macs(256, 256);
        assert!(macs.unwrap() <= 12_000_000_000);
    }
}
