//! Multiply-accumulate counts of layers, computed from their shapes.

use super::{Layers, NetworkConfig};
use crate::error::Result;

/// A convolution with a square kernel over `positions` outputs. A transposed convolution that
/// doubles the resolution costs as much as the strided one in the other direction.
pub fn conv(positions: u64, from: usize, to: usize, kernel: u64) -> u64 {
    positions * kernel * kernel * from as u64 * to as u64
}

/// 4×4 convolutions with stride 2 through `widths`, down to `positions` or up from it.
pub fn strided(widths: &[usize], positions: u64) -> u64 {
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

/// `layers` residual layers over `positions`.
pub fn residual(layers: usize, hidden: usize, inside: usize, positions: u64) -> u64 {
    layers as u64 * (conv(positions, hidden, inside, 3) + conv(positions, inside, hidden, 1))
}

/// Two 1×1 convolutions of the latent for each of the decoder's norms.
pub fn spatial(c: &NetworkConfig, latent: usize, tokens: u64) -> Result<u64> {
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

/// The encoder, with `channels` output channels, and the decoder.
pub fn network(c: &NetworkConfig, channels: usize, tokens: u64) -> Result<u64> {
    Ok(half(c, Half::Encoder(channels), tokens)? + half(&c.decoding(), Half::Decoder, tokens)?)
}

#[derive(Clone, Copy)]
enum Half {
    /// With its number of output channels.
    Encoder(usize),
    Decoder,
}

fn half(c: &NetworkConfig, half: Half, tokens: u64) -> Result<u64> {
    let widths = c.widths()?;
    let levels = widths.len();
    let coarsest = widths.last().copied().unwrap_or(c.ch);
    let at = |level: usize| tokens << (2 * (levels - 1 - level));
    // Blocks in the middle, extra blocks in the decoder, kernel size of the encoder's last
    // convolution, and whether down-sampling uses a convolution.
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
