use burn::tensor::Device;

use super::windows::{Layout, Progress};
use super::{Limits, Phase, Posterior};
use crate::error::{Error, Result};
use crate::models::{Autoencoder, AutoencoderConfig, Kl};
use crate::pixels::{Picture, pad};
use crate::random::noise;
use crate::tokens::Grid;

/// A network on a device: the part of a [`Codec`](super::Codec) that computes. It has no hashes to match
/// files by, so it costs nothing to make of a network that is still being trained.
#[derive(Debug)]
pub struct Coder {
    pub(super) model: Autoencoder,
    pub(super) config: AutoencoderConfig,
    pub(super) device: Device,
    pub(super) limits: Limits,
}

impl Coder {
    /// Wraps a network that is on `device`. Work is planned within [`Limits::PORTABLE`].
    pub fn new(model: Autoencoder, config: AutoencoderConfig, device: &Device) -> Self {
        Self {
            model,
            config,
            device: device.clone(),
            limits: Limits::PORTABLE,
        }
    }

    /// Plans work within `limits`, such as those of the actual device.
    pub fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// See [`Codec::reconstruct_with`](super::Codec::reconstruct_with).
    ///
    /// # Errors
    /// The same.
    pub async fn reconstruct_with(
        &self,
        picture: &Picture,
        sample: Option<u64>,
        watch: &mut impl AsyncFnMut(Phase, usize, usize) -> bool,
    ) -> Result<Picture> {
        let sides = [picture.height(), picture.width()];
        if self.config.grids().is_empty() {
            let posterior = sample.map_or(Posterior::Mean, Posterior::Sample);
            let values = self.encode_values(picture, posterior, watch).await?;
            return self.decode_values(&values, sides, watch).await;
        }
        if sample.is_some() {
            let message = "This model makes tokens, so there is nothing to sample";
            return Err(Error::Argument(message.into()));
        }
        let grids = self.encode_grids(picture, watch).await?;
        self.decode_grids(&grids, sides, watch).await
    }

    /// The codes of an image, a grid at a time.
    pub(super) async fn encode_grids(
        &self,
        picture: &Picture,
        watch: &mut impl AsyncFnMut(Phase, usize, usize) -> bool,
    ) -> Result<Vec<Grid>> {
        let factors = self.config.grids();
        if factors.is_empty() {
            return Err(Error::NoCodebook);
        }
        let (layout, planar) = self.divide(picture)?;
        let windows = layout.count() * factors.len();
        let mut progress = Progress::new(watch, Phase::Encode, windows);
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
        Ok(grids)
    }

    /// The image of `[height, width]` pixels that codes stand for.
    pub(super) async fn decode_grids(
        &self,
        grids: &[Grid],
        sides: [u32; 2],
        watch: &mut impl AsyncFnMut(Phase, usize, usize) -> bool,
    ) -> Result<Picture> {
        let layout = Layout::of(self, sides[0] as usize, sides[1] as usize)?;
        let mut progress = Progress::new(watch, Phase::Decode, layout.count());
        let planar = self.over_windows(&layout, (3, 1), &mut progress, |window| {
            let entries = self.entries(&layout, window, grids)?;
            self.model.decode(&entries)
        });
        let planar = planar.await?;
        progress.tell().await?;
        self.join(&layout, planar, sides)
    }

    /// An image's Gaussian latents, `[embed_dim, rows, columns]`.
    pub(super) async fn encode_values(
        &self,
        picture: &Picture,
        posterior: Posterior,
        watch: &mut impl AsyncFnMut(Phase, usize, usize) -> bool,
    ) -> Result<Vec<f32>> {
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
        Ok(match seed {
            None => blended,
            // One noise tensor for the whole grid, so that windows agree where they overlap.
            Some(seed) => Kl::sample_values(&blended, &noise(seed, dim * rows * columns)),
        })
    }

    /// The image of `[height, width]` pixels that such latents stand for.
    pub(super) async fn decode_values(
        &self,
        values: &[f32],
        sides: [u32; 2],
        watch: &mut impl AsyncFnMut(Phase, usize, usize) -> bool,
    ) -> Result<Picture> {
        let layout = Layout::of(self, sides[0] as usize, sides[1] as usize)?;
        let shape = (self.config.embed_dim(), self.config.factor());
        let mut progress = Progress::new(watch, Phase::Decode, layout.count());
        let planar = self.over_windows(&layout, (3, 1), &mut progress, |window| {
            let latents = self.cut(&layout, window, values, shape)?;
            self.model.decode(&[latents])
        });
        let planar = planar.await?;
        progress.tell().await?;
        self.join(&layout, planar, sides)
    }

    /// See [`Codec::admit`](super::Codec::admit).
    pub(super) fn admit(&self, width: u32, height: u32) -> Result<()> {
        self.limits.fit(&self.config, width, height)
    }

    /// The image's windows, and its planes padded to whole latents.
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

    /// Crops padded planes back to an image.
    fn join(&self, layout: &Layout, padded: Vec<f32>, sides: [u32; 2]) -> Result<Picture> {
        let ([tall, wide], [height, width]) = (layout.sides(1), sides);
        let planar = pad::crop(&padded, 3, tall, wide, height as usize, width as usize)?;
        drop(padded);
        let [low, high] = self.config.input_range();
        Picture::from_planar(&planar, width, height, low, high)
    }
}
