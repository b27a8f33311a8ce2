use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::fields::{rgb, signed};
use crate::models::Geometry;
use crate::nn::cost::{conv, residual, strided};

/// VQ-VAE-2 with two grids: a top one with a token per 8×8 pixels, a bottom one per 4×4.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VqVae2Config {
    /// Image channels.
    #[serde(default = "rgb")]
    pub in_channels: usize,
    /// Width of the hidden layers; the outermost layer of each encoder and decoder is half as wide.
    pub hidden: usize,
    /// Width inside a residual layer.
    pub residual_hidden: usize,
    /// Number of residual layers in each encoder and decoder.
    pub residual_layers: usize,
    /// Width of a codebook entry, D, in both codebooks.
    pub embed_dim: usize,
    /// Number of entries in each codebook, K.
    pub n_embed: usize,
    /// Values of black and white in the network's input and output.
    #[serde(default = "signed")]
    pub input: [f32; 2],
}

impl Geometry for VqVae2Config {
    fn factor(&self) -> usize {
        8
    }

    fn grids(&self) -> Vec<usize> {
        vec![8, 4]
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

    fn network_macs(&self, top: u64) -> Result<u64> {
        let (bottom, d, hidden) = (4 * top, self.embed_dim, self.hidden);
        let inside = self.residual_hidden;
        let stack = |positions| residual(self.residual_layers, hidden, inside, positions);
        let outer = strided(&[self.in_channels, hidden / 2, hidden], bottom);
        let enc_b = outer + conv(bottom, hidden, hidden, 3) + stack(bottom);
        let enc_t =
            strided(&[hidden, hidden / 2], top) + conv(top, hidden / 2, hidden, 3) + stack(top);
        let dec_t = conv(top, d, hidden, 3) + stack(top) + strided(&[d, hidden], top);
        let dec = conv(bottom, 2 * d, hidden, 3) + stack(bottom) + outer;
        let around =
            conv(top, hidden, d, 1) + conv(bottom, d + hidden, d, 1) + strided(&[d, d], top);
        // Encoding each grid runs the image through again.
        Ok(2 * enc_b + enc_t + dec_t + dec + around)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_grids_small_enough_to_count_by_hand() {
        let config = VqVae2Config {
            in_channels: 3,
            hidden: 2,
            residual_hidden: 1,
            residual_layers: 1,
            embed_dim: 4,
            n_embed: 8,
            input: [0.0, 1.0],
        };
        // One top token and four bottom ones; a residual layer takes 9·2 + 2 = 20 per position.
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
}
