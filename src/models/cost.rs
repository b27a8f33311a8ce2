use crate::config::{ModelConfig, VqGanConfig, VqVaeConfig};
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
        let tokens = (height.div_ceil(factor) * width.div_ceil(factor)) as u64;
        let search = tokens * (self.codes() * self.embed_dim()) as u64;
        let network = match self {
            Self::VqVae(c) => vqvae(c, tokens),
            Self::VqGan(c) => vqgan(c, tokens)?,
        };
        Ok(network + search)
    }
}

/// One square convolution over `positions` outputs.
fn conv(positions: u64, from: usize, to: usize, kernel: u64) -> u64 {
    positions * kernel * kernel * from as u64 * to as u64
}

fn vqvae(c: &VqVaeConfig, tokens: u64) -> u64 {
    let stack = c.residual_layers as u64
        * (conv(tokens, c.hidden, c.residual_hidden, 3)
            + conv(tokens, c.residual_hidden, c.hidden, 1));
    let ends = conv(tokens, c.hidden, c.hidden, 3)
        + conv(tokens, c.hidden, c.embed_dim, 1)
        + conv(tokens, c.embed_dim, c.hidden, 3);
    let widths = c.widths();
    let strided: u64 = widths
        .windows(2)
        .enumerate()
        .map(|(level, pair)| {
            // Down: one product an output of half the side. Up: the same number of products.
            let outputs = tokens << (2 * (c.downsamplings - level - 1));
            2 * conv(outputs, pair[0], pair[1], 4)
        })
        .sum();
    2 * stack + ends + strided
}

fn vqgan(c: &VqGanConfig, tokens: u64) -> Result<u64> {
    let widths = c.widths()?;
    let levels = widths.len();
    let coarsest = widths.last().copied().unwrap_or(c.ch);
    let at = |level: usize| tokens << (2 * (levels - 1 - level));
    let block = |positions, from: usize, to: usize| {
        let shortcut = if from == to {
            0
        } else {
            conv(positions, from, to, 1)
        };
        conv(positions, from, to, 3) + conv(positions, to, to, 3) + shortcut
    };
    let attention = |positions: u64, width: usize| {
        4 * conv(positions, width, width, 1) + 2 * positions * positions * width as u64
    };
    let middle = 2 * block(tokens, coarsest, coarsest)
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

    let mut sum = conv(at(0), c.in_channels, c.ch, 3) + conv(tokens, coarsest, c.z_channels, 3);
    for (i, &width) in widths.iter().enumerate() {
        let from = if i == 0 { c.ch } else { widths[i - 1] };
        sum += level(i, from, c.num_res_blocks);
        if i + 1 < levels {
            sum += conv(at(i + 1), width, width, 3);
        }
    }
    sum += conv(tokens, c.z_channels, coarsest, 3) + conv(at(0), widths[0], c.out_ch, 3);
    for (i, &width) in widths.iter().enumerate() {
        let from = widths.get(i + 1).copied().unwrap_or(coarsest);
        sum += level(i, from, c.num_res_blocks + 1);
        if i > 0 {
            sum += conv(at(i - 1), width, width, 3);
        }
    }
    let around = conv(tokens, c.z_channels, c.embed_dim, 1) * 2;
    Ok(sum + 2 * middle + around)
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
    fn the_shipped_model_is_interactive_on_a_cpu() {
        let macs = ModelConfig::preset("photos-f8").unwrap().macs(256, 256);
        assert!(macs.unwrap() <= 12_000_000_000);
    }
}
