//! Pictures to tokens or latents and back, in windows that fit the device.

mod latents;
mod limits;
mod tokens;
mod windows;

pub use latents::{Latents, Posterior};
pub use limits::Limits;

use burn::tensor::Device;

use windows::Layout;

use crate::error::{Error, Result};
use crate::models::{Autoencoder, AutoencoderConfig};
use crate::pixels::{Picture, pad};
use crate::weights::{self, Hashes, Loaded};

/// Which half of the work is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Picture to tokens.
    Encode,
    /// Tokens to picture.
    Decode,
}

/// A model with its weights on a device: pictures in, tokens out, and back.
///
/// Sides that are no multiple of the downsampling factor are padded by reflection and cropped
/// back. Pictures above 512 pixels a side (less for models with wide outer layers) are done in
/// overlapping windows whose latents, and whose pixels, are blended. Of a model with several grids
/// the coarsest is chosen first, and the windows of each finer one are given their part of it.
///
/// Each call has a form that ends in `_with`, whose `watch` is called between windows with how many
/// are done of how many, and may return `false` to end the work with [`Error::Cancelled`].
#[derive(Debug)]
pub struct Codec {
    pub(super) model: Autoencoder,
    pub(super) config: AutoencoderConfig,
    name: Option<String>,
    hashes: Hashes,
    parameters: usize,
    pub(super) device: Device,
    pub(super) limits: Limits,
}

impl Codec {
    /// Loads a weight file onto `device`.
    ///
    /// # Errors
    /// As [`weights::load`].
    pub fn from_weights(bytes: Vec<u8>, device: &Device) -> Result<Self> {
        Ok(Self::new(
            weights::load(bytes, device)?.autoencoder()?,
            device,
        ))
    }

    /// A model that has been loaded onto `device` already. Work is planned within
    /// [`Limits::PORTABLE`].
    pub fn new(loaded: Loaded, device: &Device) -> Self {
        Self {
            model: loaded.network,
            config: loaded.config,
            name: loaded.name,
            hashes: loaded.hashes,
            parameters: loaded.parameters,
            device: device.clone(),
            limits: Limits::PORTABLE,
        }
    }

    /// Plans work within other limits: those of the device that it is on.
    pub fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Most pixels of a picture that this model can be given here.
    pub fn max_pixels(&self) -> u64 {
        self.limits.max_pixels(&self.config)
    }

    /// Whether a picture of these sides, in pixels, can be encoded and decoded.
    ///
    /// # Errors
    /// [`Error::ImageTooLarge`] past [`Codec::max_pixels`].
    pub fn admit(&self, width: u32, height: u32) -> Result<()> {
        self.limits.fit(&self.config, width, height)
    }

    /// What the model is made of.
    pub fn config(&self) -> &AutoencoderConfig {
        &self.config
    }

    /// The model's name, where its file has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What token files are matched by.
    pub fn hashes(&self) -> Hashes {
        self.hashes
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// The model as [`Codec::new`] takes it; copies share the parameters.
    pub fn loaded(&self) -> Loaded {
        Loaded {
            network: self.model.clone(),
            config: self.config.clone(),
            name: self.name.clone(),
            tuning: None,
            hashes: self.hashes,
            parameters: self.parameters,
        }
    }

    /// The network itself.
    pub fn model(&self) -> &Autoencoder {
        &self.model
    }

    /// Picture to picture: through tokens, or, without a codebook, through the means of the latents.
    ///
    /// # Errors
    /// [`Error::ImageTooLarge`] past [`Codec::max_pixels`], and what the device reports.
    pub async fn reconstruct(&self, picture: &Picture) -> Result<Picture> {
        self.reconstruct_with(picture, None, &mut unwatched).await
    }

    /// As [`Codec::reconstruct`], watched, and without a codebook through latents drawn with the seed
    /// `sample` if there is one.
    ///
    /// # Errors
    /// Those of [`Codec::reconstruct`], [`Error::Argument`] for a `sample` of a model that makes
    /// tokens, and [`Error::Cancelled`].
    pub async fn reconstruct_with(
        &self,
        picture: &Picture,
        sample: Option<u64>,
        watch: &mut impl AsyncFnMut(Phase, usize, usize) -> bool,
    ) -> Result<Picture> {
        if self.config.grids().is_empty() {
            let posterior = sample.map_or(Posterior::Mean, Posterior::Sample);
            let latents = self.encode_latents_with(picture, posterior, watch).await?;
            return self.decode_latents_with(&latents, watch).await;
        }
        if sample.is_some() {
            let message = "This model makes tokens, so there is nothing to sample";
            return Err(Error::Argument(message.into()));
        }
        let tokens = self.encode_with(picture, watch).await?;
        self.decode_with(&tokens, watch).await
    }

    /// The picture's windows, and its planes padded to whole ones.
    fn divide(&self, picture: &Picture) -> Result<(Layout, Vec<f32>)> {
        self.admit(picture.width(), picture.height())?;
        let (height, width) = (picture.height() as usize, picture.width() as usize);
        let layout = Layout::of(self, height, width)?;
        let [tall, wide] = layout.sides(1);
        let [low, high] = self.config.input_range();
        let planar = picture.to_planar(low, high);
        let planar = pad::reflect_pad(&planar, 3, height, width, tall, wide)?;
        Ok((layout, planar))
    }

    /// The picture of padded planes.
    fn join(&self, layout: &Layout, padded: Vec<f32>, sides: [u32; 2]) -> Result<Picture> {
        let ([tall, wide], [height, width]) = (layout.sides(1), sides);
        let planar = pad::crop(&padded, 3, tall, wide, height as usize, width as usize)?;
        drop(padded);
        let [low, high] = self.config.input_range();
        Picture::from_planar(&planar, width, height, low, high)
    }
}

/// Watches nothing, and lets the work go on.
async fn unwatched(_: Phase, _: usize, _: usize) -> bool {
    true
}
