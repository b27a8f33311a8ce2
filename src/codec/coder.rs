use burn::tensor::{Device, Int, Tensor, TensorData};

use super::windows::{Layout, Progress, tensor};
use super::{Limits, Phase, Posterior};
use crate::error::{Error, Result};
use crate::models::{Autoencoder, AutoencoderConfig, Kl};
use crate::pixels::tile::Window;
use crate::pixels::{Picture, pad};
use crate::random::noise;
use crate::readback::unread;
use crate::tokens::Grid;

/// A network on a device: the part of a [`Codec`](super::Codec) that computes. It has no hashes to match
/// files by, so it costs nothing to make of a network that is still being trained.
///
/// # Examples
/// ```
/// # use burn::tensor::Device;
/// # use pollster::block_on;
/// # use tesserae::codec::Coder;
/// # use tesserae::{Autoencoder, AutoencoderConfig, Picture};
/// # fn main() -> tesserae::Result<()> {
/// let device = Device::flex();
/// let config = AutoencoderConfig::preset("vqgan-tiny")?;
/// let network = Autoencoder::new(&config, &device)?; // random weights
/// let coder = Coder::new(network, config, &device);
/// let picture = Picture::from_rgb(16, 16, vec![128; 16 * 16 * 3])?;
/// let watch = &mut async |_phase, _done, _total| true;
/// let rebuilt = block_on(coder.reconstruct_with(&picture, None, watch))?;
/// assert_eq!(rebuilt.width(), 16);
/// # Ok(())
/// # }
/// ```
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
            let message = "This model uses tokens, so there is nothing to sample";
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
        self.encode_mixture(&[(picture, 1.0)], watch).await
    }

    /// The codes nearest to a weighted sum of the latents of images that have the same size.
    pub(super) async fn encode_mixture(
        &self,
        pictures: &[(&Picture, f32)],
        watch: &mut impl AsyncFnMut(Phase, usize, usize) -> bool,
    ) -> Result<Vec<Grid>> {
        let factors = self.config.grids();
        if factors.is_empty() {
            return Err(Error::NoCodebook);
        }
        let parts = pictures.iter().map(|(picture, share)| {
            let (layout, planar) = self.divide(picture)?;
            Ok((layout, planar, *share))
        });
        let parts = parts.collect::<Result<Vec<_>>>()?;
        let windows = parts.iter().map(|(layout, ..)| layout.count());
        let windows = windows.sum::<usize>() * factors.len();
        let mut progress = Progress::new(watch, Phase::Encode, windows);
        let mut grids: Vec<Grid> = Vec::with_capacity(factors.len());
        for (i, &pixels) in factors.iter().enumerate() {
            let shape = (self.config.embed_dim(), pixels);
            let (mut sum, mut sides) = (Vec::new(), [0, 0]);
            for (layout, planar, share) in &parts {
                let z = layout.blended(shape, &mut progress, |window| {
                    let coarser = self.entries(layout, window, &grids)?;
                    let x = layout.cut(window, planar, (3, 1), &self.device)?;
                    Ok(self.model.latents(x, &coarser))
                });
                let z = z.await?;
                sides = layout.sides(pixels);
                sum = match parts.len() {
                    1 => z,
                    _ => {
                        let before = sum.into_iter().chain(std::iter::repeat(0.0));
                        before.zip(z).map(|(sum, z)| sum + share * z).collect()
                    }
                };
            }
            grids.push(self.quantize(i, &sum, sides).await?);
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
        let layout = self.layout(sides)?;
        let mut progress = Progress::new(watch, Phase::Decode, layout.count());
        let planar = layout.blended((3, 1), &mut progress, |window| {
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
        let blended = layout.blended((channels, pixels), &mut progress, |window| {
            let x = layout.cut(window, &planar, (3, 1), &self.device)?;
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
        let layout = self.layout(sides)?;
        let shape = (self.config.embed_dim(), self.config.factor());
        let mut progress = Progress::new(watch, Phase::Decode, layout.count());
        let planar = layout.blended((3, 1), &mut progress, |window| {
            let latents = layout.cut(window, values, shape, &self.device)?;
            self.model.decode(&[latents])
        });
        let planar = planar.await?;
        progress.tell().await?;
        self.join(&layout, planar, sides)
    }

    /// The codebook entries of a window's part of each of `grids`, coarsest first.
    fn entries(&self, layout: &Layout, window: Window, grids: &[Grid]) -> Result<Vec<Tensor<4>>> {
        let places = grids.iter().zip(self.config.grids()).enumerate();
        places
            .map(|(i, (grid, pixels))| {
                let window = layout.scaled(window, pixels);
                let columns = grid.columns as usize;
                let indices: Vec<i32> = (window.y..window.y + window.height)
                    .flat_map(|y| {
                        let start = y * columns + window.x;
                        &grid.indices[start..start + window.width]
                    })
                    .map(|&index| index as i32)
                    .collect();
                let data = TensorData::new(indices, [1, window.height, window.width]);
                let indices = Tensor::<3, Int>::from_data(data, &self.device);
                self.model.lookup(i, indices)
            })
            .collect()
    }

    /// The codes of a grid's latents `[D, rows, columns]`, computed in bands of rows that fit in a
    /// binding.
    async fn quantize(&self, grid: usize, z: &[f32], [rows, columns]: [usize; 2]) -> Result<Grid> {
        let dim = self.config.embed_dim();
        let band = (self.limits.activation() / (dim * columns)).clamp(1, rows);
        let mut indices = Vec::with_capacity(rows * columns);
        for y in (0..rows).step_by(band) {
            let window = Window {
                y,
                x: 0,
                height: band.min(rows - y),
                width: columns,
            };
            let z = window.cut(z, dim, rows, columns)?;
            let z = tensor(z, dim, window, &self.device);
            let data = self.model.indices(grid, z)?.into_data_async().await;
            let data = data.map_err(|e| unread(&self.device, e))?;
            indices.extend(data.iter::<u32>());
        }
        Ok(Grid {
            rows: rows as u32,
            columns: columns as u32,
            indices,
        })
    }

    /// See [`Codec::admit`](super::Codec::admit).
    pub(super) fn admit(&self, width: u32, height: u32) -> Result<()> {
        self.limits.fit(&self.config, width, height)
    }

    /// The windows of an image of `[height, width]` pixels.
    fn layout(&self, [height, width]: [u32; 2]) -> Result<Layout> {
        Layout::of(&self.config, self.limits, height as usize, width as usize)
    }

    /// The image's windows, and its planes padded to whole latents.
    fn divide(&self, picture: &Picture) -> Result<(Layout, Vec<f32>)> {
        self.admit(picture.width(), picture.height())?;
        let sides = [picture.height(), picture.width()];
        let layout = self.layout(sides)?;
        let [height, width] = sides.map(|side| side as usize);
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
