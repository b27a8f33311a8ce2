//! Images to Gaussian latents and back.

use super::{Codec, Phase, unwatched};
use crate::error::{Error, Result};
use crate::models::LatentScale;
use crate::pixels::Picture;
use crate::tokens::Hash;

/// Which latents to use for an image when the model predicts a Gaussian for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Posterior {
    /// The mean of each Gaussian.
    #[default]
    Mean,
    /// A sample from each Gaussian; the seed makes it reproducible.
    Sample(u64),
}

/// An image's latents, as the decoder expects them; [`Latents::scaled`] is what a generative model
/// is trained on.
#[derive(Debug, Clone, PartialEq)]
pub struct Latents {
    /// Width of the image in pixels.
    pub width: u32,
    /// Height of the image in pixels.
    pub height: u32,
    /// Channels of a latent.
    pub channels: u32,
    /// Number of rows of latents.
    pub rows: u32,
    /// Number of columns of latents.
    pub columns: u32,
    /// `[channels, rows, columns]`, row-major.
    pub values: Vec<f32>,
    /// Hash of the encoder that produced them: only a decoder trained with that encoder can decode
    /// them.
    pub encoder_hash: Hash,
    /// Hash of the decoder paired with that encoder.
    pub decoder_hash: Hash,
}

impl Latents {
    /// The values scaled to near unit variance: (value − shift) · scale.
    pub fn scaled(&self, LatentScale { scale, shift }: LatentScale) -> Vec<f32> {
        self.values.iter().map(|z| (z - shift) * scale).collect()
    }

    /// A copy with new values, in the form that [`Latents::scaled`] returns, such as a generator's.
    ///
    /// # Errors
    /// [`Error::LatentsGeometry`] if the number of values differs.
    ///
    /// # Examples
    /// ```
    /// # use tesserae::codec::Latents;
    /// # use tesserae::models::LatentScale;
    /// # use tesserae::tokens::Hash;
    /// # fn main() -> tesserae::Result<()> {
    /// # let latents = Latents {
    /// #     width: 8, height: 4, channels: 1, rows: 1, columns: 2, values: vec![3.0, -1.0],
    /// #     encoder_hash: Hash([1; 8]), decoder_hash: Hash([2; 8]),
    /// # };
    /// let scale = LatentScale { scale: 0.5, shift: 1.0 };
    /// assert_eq!(latents.scaled(scale), [1.0, -1.0]); // what a generator learns
    /// assert_eq!(latents.with_scaled(&[1.0, -1.0], scale)?, latents);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_scaled(
        &self,
        values: &[f32],
        LatentScale { scale, shift }: LatentScale,
    ) -> Result<Self> {
        if values.len() != self.values.len() {
            return Err(Error::LatentsGeometry(format!(
                "there are {} values where {} are expected",
                values.len(),
                self.values.len()
            )));
        }
        if !(scale.is_finite() && scale != 0.0 && shift.is_finite()) {
            let message = format!("Latents cannot be scaled by {scale} and shifted by {shift}");
            return Err(Error::Argument(message));
        }
        Ok(Self {
            values: values.iter().map(|z| z / scale + shift).collect(),
            ..self.clone()
        })
    }
}

impl Codec {
    /// How this model's latents are scaled for a generator, if its config says so.
    pub fn latent_scale(&self) -> Option<LatentScale> {
        self.coder.config.latent_scale()
    }

    /// Encodes an image to latents; for models without a codebook.
    ///
    /// # Errors
    /// [`Error::Argument`] for a model that produces tokens, [`Error::ImageTooLarge`] past
    /// [`Codec::max_pixels`], and device errors.
    ///
    /// # Examples
    /// ```
    /// # use burn::tensor::Device;
    /// # use pollster::block_on;
    /// # use tesserae::codec::Posterior;
    /// # use tesserae::weights::Loaded;
    /// # use tesserae::{Autoencoder, AutoencoderConfig, Codec, Picture};
    /// # fn main() -> tesserae::Result<()> {
    /// let device = Device::flex();
    /// let config = AutoencoderConfig::preset("kl-tiny")?;
    /// let network = Autoencoder::new(&config, &device)?; // random weights
    /// let codec = Codec::new(block_on(Loaded::of(network, config))?, &device);
    /// let picture = Picture::from_rgb(32, 16, vec![200; 32 * 16 * 3])?;
    ///
    /// let latents = block_on(codec.encode_latents(&picture, Posterior::Sample(7)))?;
    /// assert_eq!((latents.channels, latents.rows, latents.columns), (2, 4, 8));
    /// let rebuilt = block_on(codec.decode_latents(&latents))?;
    /// assert_eq!((rebuilt.width(), rebuilt.height()), (32, 16));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn encode_latents(&self, picture: &Picture, posterior: Posterior) -> Result<Latents> {
        let watch = &mut unwatched;
        self.encode_latents_with(picture, posterior, watch).await
    }

    /// [`Codec::encode_latents`] with a progress callback.
    ///
    /// # Errors
    /// The errors of [`Codec::encode_latents`], and [`Error::Cancelled`].
    pub async fn encode_latents_with(
        &self,
        picture: &Picture,
        posterior: Posterior,
        watch: &mut impl AsyncFnMut(Phase, usize, usize) -> bool,
    ) -> Result<Latents> {
        if !self.coder.config.grids().is_empty() {
            let message = "This model uses tokens, so there are no latents to sample";
            return Err(Error::Argument(message.into()));
        }
        let values = self.coder.encode_values(picture, posterior, watch).await?;
        let factor = self.coder.config.factor() as u32;
        Ok(Latents {
            width: picture.width(),
            height: picture.height(),
            channels: self.coder.config.embed_dim() as u32,
            rows: picture.height().div_ceil(factor),
            columns: picture.width().div_ceil(factor),
            values,
            encoder_hash: self.hashes.encoder,
            decoder_hash: self.hashes.decoder,
        })
    }

    /// Decodes latents to an image.
    ///
    /// # Errors
    /// The errors of [`Codec::check_latents`], and device errors.
    pub async fn decode_latents(&self, latents: &Latents) -> Result<Picture> {
        self.decode_latents_with(latents, &mut unwatched).await
    }

    /// [`Codec::decode_latents`] with a progress callback.
    ///
    /// # Errors
    /// The errors of [`Codec::decode_latents`], and [`Error::Cancelled`].
    pub async fn decode_latents_with(
        &self,
        latents: &Latents,
        watch: &mut impl AsyncFnMut(Phase, usize, usize) -> bool,
    ) -> Result<Picture> {
        self.check_latents(latents)?;
        let sides = [latents.height, latents.width];
        self.coder
            .decode_values(&latents.values, sides, watch)
            .await
    }

    /// Checks that this model can decode `latents`.
    ///
    /// # Errors
    /// [`Error::Argument`] for a model that produces tokens, [`Error::LatentsOtherEncoder`],
    /// [`Error::LatentsGeometry`] for a grid that does not match the image size or values that are not
    /// finite, and [`Error::ImageTooLarge`].
    pub fn check_latents(&self, latents: &Latents) -> Result<()> {
        if !self.coder.config.grids().is_empty() {
            let message = "This model decodes tokens, not latents";
            return Err(Error::Argument(message.into()));
        }
        if latents.encoder_hash != self.hashes.encoder {
            return Err(Error::LatentsOtherEncoder {
                expected: self.hashes.encoder.to_string(),
                found: latents.encoder_hash.to_string(),
            });
        }
        let factor = self.coder.config.factor() as u32;
        let places = [latents.height, latents.width].map(|side| side.div_ceil(factor));
        let channels = self.coder.config.embed_dim() as u32;
        let count = u64::from(channels) * places.map(u64::from).iter().product::<u64>();
        if [latents.rows, latents.columns] != places
            || latents.channels != channels
            || latents.values.len() as u64 != count
        {
            return Err(Error::LatentsGeometry(format!(
                "a {}×{} picture has {channels}×{}×{} latents",
                latents.width, latents.height, places[0], places[1]
            )));
        }
        if !latents.values.iter().all(|value| value.is_finite()) {
            let message = "a value is NaN or infinite";
            return Err(Error::LatentsGeometry(message.into()));
        }
        self.admit(latents.width, latents.height)
    }
}
