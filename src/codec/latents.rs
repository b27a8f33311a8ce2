//! Pictures to Gaussian latents and back.

use super::windows::{Layout, Progress};
use super::{Codec, Phase, unwatched};
use crate::error::{Error, Result};
use crate::models::{Kl, LatentScale};
use crate::pixels::Picture;
use crate::random::noise;
use crate::tokens::Hash;

/// Which latents stand for a picture, when a model gives a Gaussian for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Posterior {
    /// Their means.
    #[default]
    Mean,
    /// Values drawn from them, the same for the same seed.
    Sample(u64),
}

/// A picture's latents, as the decoder takes them; [`Latents::scaled`] is what a generator models.
#[derive(Debug, Clone, PartialEq)]
pub struct Latents {
    /// Width of the picture in pixels.
    pub width: u32,
    /// Height of the picture in pixels.
    pub height: u32,
    /// Values a latent has.
    pub channels: u32,
    /// Latents from top to bottom.
    pub rows: u32,
    /// Latents from left to right.
    pub columns: u32,
    /// `[channels, rows, columns]`, row by row.
    pub values: Vec<f32>,
    /// Hash of the encoder that made them: a decoder understands them if it was trained with that
    /// encoder.
    pub encoder_hash: Hash,
    /// Hash of the decoder beside it.
    pub decoder_hash: Hash,
}

impl Latents {
    /// The values brought near unit variance: (value − shift) · scale.
    pub fn scaled(&self, LatentScale { scale, shift }: LatentScale) -> Vec<f32> {
        self.values.iter().map(|z| (z - shift) * scale).collect()
    }

    /// These latents with other values, given as [`Latents::scaled`] has them: a generator's.
    ///
    /// # Errors
    /// [`Error::LatentsGeometry`] for another number of values.
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
        Ok(Self {
            values: values.iter().map(|z| z / scale + shift).collect(),
            ..self.clone()
        })
    }
}

impl Codec {
    /// How the latents of this model are scaled for a generator, where its config says so.
    pub fn latent_scale(&self) -> Option<LatentScale> {
        self.config.latent_scale()
    }

    /// Picture to latents, of a model without a codebook.
    ///
    /// # Errors
    /// [`Error::Argument`] for a model that makes tokens, [`Error::ImageTooLarge`] past
    /// [`Codec::max_pixels`], and what the device reports.
    pub async fn encode_latents(&self, picture: &Picture, posterior: Posterior) -> Result<Latents> {
        let watch = &mut unwatched;
        self.encode_latents_with(picture, posterior, watch).await
    }

    /// As [`Codec::encode_latents`], watched.
    ///
    /// # Errors
    /// Those of [`Codec::encode_latents`], and [`Error::Cancelled`].
    pub async fn encode_latents_with(
        &self,
        picture: &Picture,
        posterior: Posterior,
        watch: &mut impl AsyncFnMut(Phase, usize, usize) -> bool,
    ) -> Result<Latents> {
        if !self.config.grids().is_empty() {
            let message = "This model makes tokens, so there are no latents to sample";
            return Err(Error::Argument(message.into()));
        }
        let (layout, planar) = self.divide(picture)?;
        let (dim, pixels) = (self.config.embed_dim(), self.config.factor());
        let seed = match posterior {
            Posterior::Mean => None,
            Posterior::Sample(seed) => Some(seed),
        };
        let channels = if seed.is_some() { 2 * dim } else { dim };
        let mut progress = Progress::new(watch, Phase::Encode, layout.count());
        let blended = self.over_windows(&layout, (channels, pixels), &mut progress, |window| {
            let x = self.cut(&layout, window, &planar, (3, 1))?;
            Ok(match seed.and_then(|_| self.model.moments(&x)) {
                Some(moments) => moments,
                None => self.model.latents(x, &[]),
            })
        });
        let blended = blended.await?;
        progress.tell().await?;
        let [rows, columns] = layout.sides(pixels);
        let values = match seed {
            None => blended,
            // One noise for the whole grid, so that windows agree on what they share.
            Some(seed) => Kl::sample_values(&blended, &noise(seed, dim * rows * columns)),
        };
        Ok(Latents {
            width: picture.width(),
            height: picture.height(),
            channels: dim as u32,
            rows: rows as u32,
            columns: columns as u32,
            values,
            encoder_hash: self.hashes.encoder,
            decoder_hash: self.hashes.decoder,
        })
    }

    /// Latents to picture.
    ///
    /// # Errors
    /// Those of [`Codec::check_latents`], and what the device reports.
    pub async fn decode_latents(&self, latents: &Latents) -> Result<Picture> {
        self.decode_latents_with(latents, &mut unwatched).await
    }

    /// As [`Codec::decode_latents`], watched.
    ///
    /// # Errors
    /// Those of [`Codec::decode_latents`], and [`Error::Cancelled`].
    pub async fn decode_latents_with(
        &self,
        latents: &Latents,
        watch: &mut impl AsyncFnMut(Phase, usize, usize) -> bool,
    ) -> Result<Picture> {
        self.check_latents(latents)?;
        let sides = [latents.height, latents.width];
        let layout = Layout::of(self, sides[0] as usize, sides[1] as usize)?;
        let shape = (self.config.embed_dim(), self.config.factor());
        let mut progress = Progress::new(watch, Phase::Decode, layout.count());
        let planar = self.over_windows(&layout, (3, 1), &mut progress, |window| {
            let latents = self.cut(&layout, window, &latents.values, shape)?;
            self.model.decode(&[latents])
        });
        let planar = planar.await?;
        progress.tell().await?;
        self.join(&layout, planar, sides)
    }

    /// Whether this model can decode `latents`.
    ///
    /// # Errors
    /// [`Error::Argument`] for a model that makes tokens, [`Error::LatentsOtherEncoder`],
    /// [`Error::LatentsGeometry`] for a grid that does not match the picture's size, and
    /// [`Error::ImageTooLarge`].
    pub fn check_latents(&self, latents: &Latents) -> Result<()> {
        if !self.config.grids().is_empty() {
            let message = "This model decodes tokens, not latents";
            return Err(Error::Argument(message.into()));
        }
        if latents.encoder_hash != self.hashes.encoder {
            return Err(Error::LatentsOtherEncoder {
                expected: self.hashes.encoder.to_string(),
                found: latents.encoder_hash.to_string(),
            });
        }
        let factor = self.config.factor() as u32;
        let places = [latents.height, latents.width].map(|side| side.div_ceil(factor));
        let channels = self.config.embed_dim() as u32;
        let count = u64::from(channels) * places.map(u64::from).iter().product::<u64>();
        if [latents.rows, latents.columns] != places
            || latents.channels != channels
            || latents.values.len() as u64 != count
        {
            return Err(Error::LatentsGeometry(format!(
                "a picture of {}×{} has {channels}×{}×{} latents",
                latents.width, latents.height, places[0], places[1]
            )));
        }
        self.admit(latents.width, latents.height)
    }
}
