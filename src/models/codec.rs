//! Pictures to tokens and back; [`super::windows`] does the parts.

use burn::tensor::Device;

use super::windows::{Layout, Progress};
use super::{Autoencoder, Kl, Limits, noise};
use crate::config::ModelConfig;
use crate::error::{Error, Result};
use crate::pixels::{Picture, pad};
use crate::quantize;
use crate::tokens::{Grid, Tokens};
use crate::weights::{self, Hashes, Loaded};

/// Which half of the work is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
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
/// Between windows the `watch` of each call is told how many are done, and may return `false` to
/// end the work with [`Error::Cancelled`].
#[derive(Debug)]
pub struct Codec {
    pub(super) model: Autoencoder,
    pub(super) config: ModelConfig,
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
        Ok(Self::new(weights::load(bytes, device)?, device))
    }

    /// A model that has been loaded onto `device` already. Work is planned within
    /// [`Limits::PORTABLE`].
    pub fn new(loaded: Loaded, device: &Device) -> Self {
        Self {
            model: loaded.model,
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
    pub fn config(&self) -> &ModelConfig {
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

    /// The network itself.
    pub fn model(&self) -> &Autoencoder {
        &self.model
    }

    /// Picture to tokens.
    ///
    /// # Errors
    /// [`Error::NoCodebook`], [`Error::ImageTooLarge`] past [`Codec::max_pixels`],
    /// [`Error::Cancelled`], and what the device reports.
    pub async fn encode(
        &self,
        picture: &Picture,
        watch: &mut impl AsyncFnMut(Stage, usize, usize) -> bool,
    ) -> Result<Tokens> {
        let factors = self.config.grids();
        if factors.is_empty() {
            return Err(Error::NoCodebook);
        }
        let (layout, planar) = self.divide(picture)?;
        let windows = layout.count() * factors.len();
        let mut progress = Progress::new(watch, Stage::Encode, windows);
        let mut grids: Vec<Grid> = Vec::with_capacity(factors.len());
        for (i, &pixels) in factors.iter().enumerate() {
            let shape = (self.config.embed_dim(), pixels);
            let z = self.over_windows(&layout, shape, &mut progress, |window| {
                let coarser = self.entries(&layout, window, &grids)?;
                let x = self.cut(&layout, window, &planar, (3, 1))?;
                Ok(self.model.latents(x, &coarser))
            });
            let z = z.await?;
            grids.push(self.quantize(i, &z, layout.sides(pixels)).await?);
        }
        progress.tell().await?;
        Ok(Tokens {
            width: picture.width(),
            height: picture.height(),
            codebook_size: self.config.codes() as u32,
            codebook_hash: self.hashes.codebook,
            decoder_hash: self.hashes.decoder,
            grids,
        })
    }

    /// Tokens to picture.
    ///
    /// # Errors
    /// Those of [`Codec::check`], [`Error::Cancelled`], and what the device reports.
    pub async fn decode(
        &self,
        tokens: &Tokens,
        watch: &mut impl AsyncFnMut(Stage, usize, usize) -> bool,
    ) -> Result<Picture> {
        self.check(tokens)?;
        let sides = [tokens.height, tokens.width];
        let layout = Layout::of(self, sides[0] as usize, sides[1] as usize)?;
        let mut progress = Progress::new(watch, Stage::Decode, layout.count());
        let planar = self.over_windows(&layout, (3, 1), &mut progress, |window| {
            let entries = self.entries(&layout, window, &tokens.grids)?;
            self.model.decode(&entries)
        });
        let planar = planar.await?;
        progress.tell().await?;
        self.join(&layout, planar, sides)
    }

    /// Picture to picture: through tokens, or, without a codebook, through latents. Those are the
    /// means of their Gaussians, or drawn from them with the seed `sample`.
    ///
    /// # Errors
    /// [`Error::Argument`] for a `sample` of a model that makes tokens, [`Error::ImageTooLarge`]
    /// past [`Codec::max_pixels`], [`Error::Cancelled`], and what the device reports.
    pub async fn reconstruct(
        &self,
        picture: &Picture,
        sample: Option<u64>,
        watch: &mut impl AsyncFnMut(Stage, usize, usize) -> bool,
    ) -> Result<Picture> {
        let Some(kl) = self.model.kl() else {
            if sample.is_some() {
                let message = "This model makes tokens, so there is nothing to sample";
                return Err(Error::Argument(message.into()));
            }
            let tokens = self.encode(picture, watch).await?;
            return self.decode(&tokens, watch).await;
        };
        let (layout, planar) = self.divide(picture)?;
        let (dim, pixels) = (self.config.embed_dim(), self.config.factor());
        let shape = (if sample.is_some() { 2 * dim } else { dim }, pixels);
        let mut progress = Progress::new(watch, Stage::Encode, layout.count());
        let latents = self.over_windows(&layout, shape, &mut progress, |window| {
            let moments = kl.moments(self.cut(&layout, window, &planar, (3, 1))?);
            Ok(if sample.is_some() {
                moments
            } else {
                Kl::mean(moments)
            })
        });
        let latents = latents.await?;
        progress.tell().await?;
        drop(planar);

        // One noise for the whole grid, so that windows agree on what they share.
        let [rows, columns] = layout.sides(pixels);
        let noise = sample.map(|seed| noise(seed, dim * rows * columns));
        let mut progress = Progress::new(watch, Stage::Decode, layout.count());
        let planar = self.over_windows(&layout, (3, 1), &mut progress, |window| {
            let latents = self.cut(&layout, window, &latents, shape)?;
            Ok(kl.decode(match &noise {
                Some(noise) => {
                    let noise = self.cut(&layout, window, noise, (dim, pixels))?;
                    Kl::sample(latents, noise)
                }
                None => latents,
            }))
        });
        let planar = planar.await?;
        progress.tell().await?;
        self.join(&layout, planar, [picture.height(), picture.width()])
    }

    /// Whether this model can decode `tokens`.
    ///
    /// # Errors
    /// [`Error::NoCodebook`], [`Error::TokensOtherCodebook`], and [`Error::TokensGeometry`] for
    /// grids that do not belong to a picture of the size that the tokens state.
    pub fn check(&self, tokens: &Tokens) -> Result<()> {
        let factors = self.config.grids();
        if factors.is_empty() {
            return Err(Error::NoCodebook);
        }
        if tokens.codebook_hash != self.hashes.codebook {
            return Err(Error::TokensOtherCodebook {
                expected: self.hashes.codebook.to_string(),
                found: tokens.codebook_hash.to_string(),
            });
        }
        if tokens.grids.len() != factors.len() {
            return Err(Error::TokensGeometry(format!(
                "there are {} grids where this model has {}",
                tokens.grids.len(),
                factors.len()
            )));
        }
        let factor = self.config.factor() as u64;
        for (grid, pixels) in tokens.grids.iter().zip(factors) {
            let length = |side: u32| u64::from(side).div_ceil(factor) * (factor / pixels as u64);
            let [rows, columns] = [grid.rows, grid.columns].map(u64::from);
            if (length(tokens.height), length(tokens.width)) != (rows, columns)
                || grid.indices.len() as u64 != rows * columns
            {
                return Err(Error::TokensGeometry(format!(
                    "a picture of {}×{} has not {rows} rows of {columns}",
                    tokens.width, tokens.height
                )));
            }
            let codes = self.config.codes();
            if grid.indices.iter().any(|&index| index as usize >= codes) {
                return Err(Error::TokensGeometry(
                    "an index is past the end of the codebook".into(),
                ));
            }
        }
        self.admit(tokens.width, tokens.height)
    }

    /// A sentence when `tokens` were made beside another decoder, so that the picture will differ
    /// from the one that their maker saw.
    pub fn warning(&self, tokens: &Tokens) -> Option<&'static str> {
        (tokens.decoder_hash != self.hashes.decoder).then_some(
            "These tokens were made with other decoder weights, so the picture may differ from the original reconstruction.",
        )
    }

    /// A colour for each code of a grid; see [`quantize::palette`].
    ///
    /// # Errors
    /// [`Error::NoCodebook`], [`Error::Argument`] for a grid that the model has not, and what the
    /// device reports.
    pub async fn palette(&self, grid: usize) -> Result<Vec<u8>> {
        let values = self.read(self.model.codebook(grid)?).await?;
        Ok(quantize::palette(&values, self.config.embed_dim()))
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
