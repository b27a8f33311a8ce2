//! Images to tokens or latents and back, in windows that fit on the device.

mod coder;
mod latents;
mod limits;
mod nearest;
mod tokens;
mod windows;

pub use coder::Coder;
pub use latents::{Latents, Posterior};
pub use limits::Limits;
pub use nearest::Nearest;

use burn::tensor::Device;

use crate::error::Result;
use crate::models::{Autoencoder, AutoencoderConfig};
use crate::pixels::Picture;
use crate::weights::{self, Hashes, Loaded};

/// The half of the pipeline that is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Image to tokens or latents.
    Encode,
    /// Tokens or latents to image.
    Decode,
}

/// A model loaded on a device, which encodes images and decodes tokens.
///
/// Images whose sides are not multiples of the downsampling factor are reflection-padded, then
/// cropped back. Images over 512 pixels on a side (less for models with wide outer layers) are
/// processed in overlapping windows, whose latents and pixels are blended. With several grids, the
/// coarsest is encoded first, and the windows of each finer grid are conditioned on their part of
/// it.
///
/// Each method has a variant ending in `_with`, which calls `watch` between windows with the number
/// of windows done and the total; returning `false` cancels the work with
/// [`Error::Cancelled`](crate::Error::Cancelled).
///
/// # Examples
///
/// With [`Codec::encode_with`], reporting progress:
///
/// ```
/// # use burn::tensor::Device;
/// # use pollster::block_on;
/// # use tesserae::{Codec, Picture};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let weights = std::fs::read("www/models/digits.safetensors")?;
/// let codec = Codec::from_weights(weights, &Device::flex())?;
/// let picture = Picture::from_rgb(32, 32, vec![128; 32 * 32 * 3])?;
/// let tokens = block_on(codec.encode_with(&picture, &mut async |_phase, done, total| {
///     println!("{done} of {total} windows");
///     true // false would cancel
/// }))?;
/// assert_eq!(codec.check(&tokens), Ok(()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Codec {
    coder: Coder,
    name: Option<String>,
    tuning: Option<String>,
    hashes: Hashes,
    parameters: usize,
}

impl Codec {
    /// Loads a weight file onto `device`.
    ///
    /// # Errors
    /// The errors of [`weights::load`].
    pub fn from_weights(bytes: Vec<u8>, device: &Device) -> Result<Self> {
        Ok(Self::new(
            weights::load(bytes, device)?.autoencoder()?,
            device,
        ))
    }

    /// Wraps a model that is already on `device`. Work is planned within [`Limits::PORTABLE`].
    pub fn new(loaded: Loaded, device: &Device) -> Self {
        Self {
            coder: Coder::new(loaded.network, loaded.config, device),
            name: loaded.name,
            tuning: loaded.tuning,
            hashes: loaded.hashes,
            parameters: loaded.parameters,
        }
    }

    /// Plans work within `limits`, such as those of the actual device.
    pub fn within(self, limits: Limits) -> Self {
        let coder = self.coder.within(limits);
        Self { coder, ..self }
    }

    /// Maximum number of pixels in an image for this model, within the limits set here.
    pub fn max_pixels(&self) -> u64 {
        self.coder.limits.max_pixels(&self.coder.config)
    }

    /// Checks that an image of this size, in pixels, can be encoded and decoded.
    ///
    /// # Errors
    /// [`Error::ImageTooLarge`](crate::Error::ImageTooLarge) past [`Codec::max_pixels`].
    pub fn admit(&self, width: u32, height: u32) -> Result<()> {
        self.coder.admit(width, height)
    }

    /// The model's config.
    pub fn config(&self) -> &AutoencoderConfig {
        &self.coder.config
    }

    /// The model's name, if its file has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The hashes that match token files to models.
    pub fn hashes(&self) -> Hashes {
        self.hashes
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// The model, as [`Codec::new`] takes it; clones share the parameters.
    pub fn loaded(&self) -> Loaded {
        Loaded {
            network: self.coder.model.clone(),
            config: self.coder.config.clone(),
            name: self.name.clone(),
            tuning: self.tuning.clone(),
            corpus: None,
            hashes: self.hashes,
            parameters: self.parameters,
        }
    }

    /// The network.
    pub fn model(&self) -> &Autoencoder {
        &self.coder.model
    }

    /// Reconstructs an image: through tokens or, without a codebook, through the latents' means.
    ///
    /// # Errors
    /// [`Error::ImageTooLarge`](crate::Error::ImageTooLarge) past [`Codec::max_pixels`], and device
    /// errors.
    ///
    /// # Examples
    /// ```
    /// # use burn::tensor::Device;
    /// # use pollster::block_on;
    /// # use tesserae::{Codec, Picture};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let weights = std::fs::read("www/models/digits.safetensors")?;
    /// let codec = Codec::from_weights(weights, &Device::flex())?;
    /// let picture = Picture::from_rgb(30, 20, vec![128; 30 * 20 * 3])?;
    /// let rebuilt = block_on(codec.reconstruct(&picture))?;
    /// assert_eq!((rebuilt.width(), rebuilt.height()), (30, 20));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn reconstruct(&self, picture: &Picture) -> Result<Picture> {
        self.reconstruct_with(picture, None, &mut unwatched).await
    }

    /// [`Codec::reconstruct`] with a progress callback; without a codebook, latents are sampled
    /// with the seed `sample` if one is given.
    ///
    /// # Errors
    /// The errors of [`Codec::reconstruct`], [`Error::Argument`](crate::Error::Argument) for a
    /// `sample` with a model that produces tokens, and [`Error::Cancelled`](crate::Error::Cancelled).
    pub async fn reconstruct_with(
        &self,
        picture: &Picture,
        sample: Option<u64>,
        watch: &mut impl AsyncFnMut(Phase, usize, usize) -> bool,
    ) -> Result<Picture> {
        self.coder.reconstruct_with(picture, sample, watch).await
    }
}

/// Ignores progress and never cancels.
async fn unwatched(_: Phase, _: usize, _: usize) -> bool {
    true
}
