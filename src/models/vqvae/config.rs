use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::fields::{centred, rgb};
use crate::models::Geometry;
use crate::nn::cost::{conv, residual, strided};

/// The VQ-VAE of DeepMind's `sonnet` example, with any number of downsampling layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VqVaeConfig {
    /// Image channels.
    #[serde(default = "rgb")]
    pub in_channels: usize,
    /// Width of the hidden layers; the outermost layer is half as wide.
    pub hidden: usize,
    /// Width inside a residual layer.
    pub residual_hidden: usize,
    /// Number of residual layers in each of the encoder and decoder.
    pub residual_layers: usize,
    /// Number of stride-2 layers; the downsampling factor is 2 to this power.
    pub downsamplings: usize,
    /// Width of a codebook entry, D.
    pub embed_dim: usize,
    /// Number of codebook entries, K.
    pub n_embed: usize,
    /// Values of black and white in the network's input and output.
    #[serde(default = "centred")]
    pub input: [f32; 2],
}

impl VqVaeConfig {
    /// Channels from the image inwards: `channels`, half of `hidden`, then `hidden`.
    pub fn widths(&self) -> Vec<usize> {
        (0..=self.downsamplings)
            .map(|i| match i {
                0 => self.in_channels,
                1 if self.downsamplings > 1 => self.hidden / 2,
                _ => self.hidden,
            })
            .collect()
    }
}

impl Geometry for VqVaeConfig {
    fn factor(&self) -> usize {
        1 << self.downsamplings
    }

    fn codes(&self) -> usize {
        self.n_embed
    }

    fn embed_dim(&self) -> usize {
        self.embed_dim
    }

    fn input_range(&self) -> [f32; 2] {
        self.input
    }

    fn input_range_mut(&mut self) -> &mut [f32; 2] {
        &mut self.input
    }

    fn widest(&self) -> Result<usize> {
        Ok(self.hidden)
    }

    fn network_macs(&self, tokens: u64) -> Result<u64> {
        let (hidden, dim) = (self.hidden, self.embed_dim);
        let stack = residual(self.residual_layers, hidden, self.residual_hidden, tokens);
        let ends = conv(tokens, hidden, hidden, 3)
            + conv(tokens, hidden, dim, 1)
            + conv(tokens, dim, hidden, 3);
        Ok(2 * stack + ends + 2 * strided(&self.widths(), tokens))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_small_enough_to_count_by_hand() {
        let config = VqVaeConfig {
            in_channels: 3,
            hidden: 2,
            residual_hidden: 1,
            residual_layers: 1,
            downsamplings: 1,
            embed_dim: 4,
            n_embed: 8,
            input: [0.0, 1.0],
        };
        // One token: strided 2·16·3·2, 3×3 ends 9·2·2 + 2·4 + 9·4·2, stacks 2·(9·2 + 2), search 32.
        assert_eq!(config.macs(2, 2).unwrap(), 192 + 36 + 8 + 72 + 40 + 32);
        assert_eq!(config.macs(3, 4).unwrap(), 4 * 380);
    }
}
