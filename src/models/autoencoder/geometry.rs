use crate::error::Result;
use crate::nn::NetworkConfig;

/// What is known of an autoencoder from its config alone.
pub trait Geometry {
    /// What a picture's sides are padded to a multiple of: pixels that one of the coarsest latents
    /// stands for along each side.
    fn factor(&self) -> usize;

    /// For each grid of tokens, coarsest first, the pixels that one token stands for along each
    /// side. Empty for a model without a codebook.
    fn grids(&self) -> Vec<usize> {
        vec![self.factor()]
    }

    /// Number of codebook entries, K, of each codebook; 0 without one.
    fn codes(&self) -> usize;

    /// Width of a codebook entry, D; of the latent where there is no codebook.
    fn embed_dim(&self) -> usize;

    /// Value of black and of white in the network's input and output.
    fn input_range(&self) -> [f32; 2];

    /// The same, to change.
    fn input_range_mut(&mut self) -> &mut [f32; 2];

    /// Channels of the widest activation at the picture's own size.
    ///
    /// # Errors
    /// [`ConfigInvalid`](crate::Error::ConfigInvalid) when a width overflows.
    fn widest(&self) -> Result<usize>;

    /// Multiply-accumulates of encoding and decoding a picture with `coarsest` latents in its
    /// coarsest grid, the codebook search left out.
    ///
    /// # Errors
    /// [`ConfigInvalid`](crate::Error::ConfigInvalid) when a width overflows.
    fn network_macs(&self, coarsest: u64) -> Result<u64>;

    /// Multiply-accumulates of reconstructing one picture of `height`×`width` pixels: every
    /// convolution, attention product and codebook distance, by their shapes. Sides count as padded
    /// to the downsampling factor.
    ///
    /// # Errors
    /// [`ConfigInvalid`](crate::Error::ConfigInvalid) when a width overflows.
    fn macs(&self, height: usize, width: usize) -> Result<u64> {
        let factor = self.factor();
        let coarsest = (height.div_ceil(factor) * width.div_ceil(factor)) as u64;
        let distance = (self.codes() * self.embed_dim()) as u64;
        let tokens = |grid: usize| coarsest * ((factor / grid) as u64).pow(2);
        let search: u64 = self.grids().into_iter().map(|g| tokens(g) * distance).sum();
        Ok(self.network_macs(coarsest)? + search)
    }

    /// How Gaussian latents are scaled for a model that generates them, where it is known.
    fn latent_scale(&self) -> Option<LatentScale> {
        None
    }

    /// The encoder and decoder, where they are taming-transformers' or MaskGIT's.
    fn network_config(&self) -> Option<&NetworkConfig> {
        None
    }

    /// The same, to change.
    fn network_config_mut(&mut self) -> Option<&mut NetworkConfig> {
        None
    }
}

/// How Gaussian latents are brought near unit variance for a model that generates them:
/// (latent − shift) · scale. Stable Diffusion's are 0.18215 and 0, FLUX.1's 0.3611 and 0.1159.
///
/// Source: diffusers `AutoencoderKL`, `scaling_factor` and `shift_factor`; latent-diffusion
/// `ddpm.py`, `scale_factor`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatentScale {
    /// One over the latents' standard deviation.
    pub scale: f32,
    /// Their mean.
    pub shift: f32,
}
