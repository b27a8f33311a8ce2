use crate::error::Result;
use crate::nn::NetworkConfig;

/// What an autoencoder's config determines on its own.
///
/// # Examples
/// ```
/// # use tesserae::AutoencoderConfig;
/// # fn main() -> tesserae::Result<()> {
/// let config = AutoencoderConfig::preset("vqvae2-tiny")?;
/// assert_eq!(config.grids(), [8, 4]); // pixels along a side of one token
/// assert_eq!((config.codes(), config.embed_dim()), (32, 8));
/// assert!(config.macs(64, 64)? > config.macs(32, 32)?);
/// # Ok(())
/// # }
/// ```
pub trait Geometry {
    /// Downsampling factor of the coarsest grid: images are padded to multiples of it.
    fn factor(&self) -> usize;

    /// Side length in pixels of one token of each grid, coarsest first. Empty for a model without a
    /// codebook.
    fn grids(&self) -> Vec<usize> {
        vec![self.factor()]
    }

    /// Number of entries, K, in each codebook; 0 without one.
    fn codes(&self) -> usize;

    /// Width of a codebook entry, D, or of the latent if there is no codebook.
    fn embed_dim(&self) -> usize;

    /// Values of black and white in the network's input and output.
    fn input_range(&self) -> [f32; 2];

    /// Mutable access to the input range.
    fn input_range_mut(&mut self) -> &mut [f32; 2];

    /// Channels of the widest activation at full image resolution.
    ///
    /// # Errors
    /// [`ConfigInvalid`](crate::Error::ConfigInvalid) when a width overflows.
    fn widest(&self) -> Result<usize>;

    /// Multiply-accumulates of encoding and decoding an image with `coarsest` latents in its
    /// coarsest grid, excluding the codebook search.
    ///
    /// # Errors
    /// [`ConfigInvalid`](crate::Error::ConfigInvalid) when a width overflows.
    fn network_macs(&self, coarsest: u64) -> Result<u64>;

    /// Multiply-accumulates of reconstructing one `height`×`width` image: every convolution,
    /// attention product and codebook distance, counted from their shapes. Sides are padded to the
    /// downsampling factor.
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

    /// How Gaussian latents are scaled for a generative model, if known.
    fn latent_scale(&self) -> Option<LatentScale> {
        None
    }

    /// The config of the encoder and decoder, if they are taming-transformers' or MaskGIT's.
    fn network_config(&self) -> Option<&NetworkConfig> {
        None
    }

    /// Mutable access to the network config.
    fn network_config_mut(&mut self) -> Option<&mut NetworkConfig> {
        None
    }
}

/// How Gaussian latents are scaled to near unit variance for a generative model: (latent − shift) ·
/// scale. Stable Diffusion uses 0.18215 and 0, FLUX.1 0.3611 and 0.1159.
///
/// Source: diffusers `AutoencoderKL`, `scaling_factor` and `shift_factor`; latent-diffusion
/// `ddpm.py`, `scale_factor`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatentScale {
    /// 1 / the latents' standard deviation.
    pub scale: f32,
    /// The latents' mean.
    pub shift: f32,
}
