use burn::tensor::{Device, Int, Tensor, TensorData};

use super::Autoencoder;
use crate::config::{KlConfig, ModelConfig, VqGanConfig};
use crate::error::{Error, Result};
use crate::pixels::tile::{Blend, Window, plan};
use crate::pixels::{Picture, pad};
use crate::quantize;
use crate::tokens::{Grid, Tokens};
use crate::weights::{self, Hashes, Loaded};

/// Most pixels of a picture to encode: 4096×4096. The blended result is held in f32 on the host.
pub const MAX_PIXELS: u64 = 1 << 24;
/// Most values of one activation: 64 MiB of f32, half of WebGPU's portable limit on a binding.
const MAX_ACTIVATION: usize = 1 << 24;
/// Longest side that is encoded or decoded in one piece, in pixels.
const MAX_WINDOW: usize = 512;
/// Tokens that neighbouring windows share.
const OVERLAP: usize = 6;

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
/// overlapping windows whose latents, and whose pixels, are blended.
///
/// Between windows the `watch` of each call is told how many are done, and may return `false` to
/// end the work with [`Error::Cancelled`].
#[derive(Debug)]
pub struct Codec {
    model: Autoencoder,
    config: ModelConfig,
    name: Option<String>,
    hashes: Hashes,
    parameters: usize,
    device: Device,
}

impl Codec {
    /// Loads a weight file onto `device`.
    ///
    /// # Errors
    /// As [`weights::load`].
    pub fn from_weights(bytes: Vec<u8>, device: &Device) -> Result<Self> {
        Ok(Self::new(weights::load(bytes, device)?, device))
    }

    /// A model that has been loaded onto `device` already.
    pub fn new(loaded: Loaded, device: &Device) -> Self {
        Self {
            model: loaded.model,
            config: loaded.config,
            name: loaded.name,
            hashes: loaded.hashes,
            parameters: loaded.parameters,
            device: device.clone(),
        }
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
    /// [`Error::ImageTooLarge`] past [`MAX_PIXELS`], [`Error::Cancelled`], and what the device
    /// reports.
    pub async fn encode(
        &self,
        picture: &Picture,
        watch: &mut impl AsyncFnMut(Stage, usize, usize) -> bool,
    ) -> Result<Tokens> {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        if (width * height) as u64 > MAX_PIXELS {
            return Err(Error::ImageTooLarge {
                width: picture.width(),
                height: picture.height(),
                max_pixels: MAX_PIXELS,
            });
        }
        let [low, high] = self.config.input_range();
        let factor = self.config.factor();
        let (rows, columns) = (height.div_ceil(factor), width.div_ceil(factor));
        let (tall, wide) = (rows * factor, columns * factor);
        let planar = picture.to_planar(low, high);
        let planar = pad::reflect_pad(&planar, 3, height, width, tall, wide)?;

        let (windows, overlap) = self.plan(rows, columns)?;
        let mut z = Blend::new(self.config.embed_dim(), rows, columns, overlap)?;
        for (done, window) in windows.iter().enumerate() {
            proceed(watch, Stage::Encode, done, windows.len()).await?;
            let pixels = window.scaled(factor);
            let x = self.tensor(pixels.cut(&planar, 3, tall, wide)?, 3, pixels);
            z.add(*window, &self.read(self.model.latents(x)).await?)?;
        }
        proceed(watch, Stage::Encode, windows.len(), windows.len()).await?;

        let indices = self.quantize(&z.finish()?, rows, columns).await?;
        Ok(Tokens {
            width: picture.width(),
            height: picture.height(),
            codebook_size: self.config.codes() as u32,
            codebook_hash: self.hashes.codebook,
            decoder_hash: self.hashes.decoder,
            grids: vec![Grid {
                rows: rows as u32,
                columns: columns as u32,
                indices,
            }],
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
        let grid = self.check(tokens)?;
        let factor = self.config.factor();
        let (rows, columns) = (grid.rows as usize, grid.columns as usize);
        let (tall, wide) = (rows * factor, columns * factor);
        let (height, width) = (tokens.height as usize, tokens.width as usize);

        let (windows, overlap) = self.plan(rows, columns)?;
        let mut blend = Blend::new(3, tall, wide, overlap * factor)?;
        for (done, window) in windows.iter().enumerate() {
            proceed(watch, Stage::Decode, done, windows.len()).await?;
            let indices: Vec<i32> = (window.y..window.y + window.height)
                .flat_map(|y| {
                    let start = y * columns + window.x;
                    &grid.indices[start..start + window.width]
                })
                .map(|&index| index as i32)
                .collect();
            let data = TensorData::new(indices, [1, window.height, window.width]);
            let indices = Tensor::<3, Int>::from_data(data, &self.device);
            let x = self.model.decode(self.model.lookup(indices));
            blend.add(window.scaled(factor), &self.read(x).await?)?;
        }
        proceed(watch, Stage::Decode, windows.len(), windows.len()).await?;
        let planar = pad::crop(&blend.finish()?, 3, tall, wide, height, width)?;
        let [low, high] = self.config.input_range();
        Picture::from_planar(&planar, tokens.width, tokens.height, low, high)
    }

    /// Whether this model can decode `tokens`; gives their one grid.
    ///
    /// # Errors
    /// [`Error::TokensOtherCodebook`], and [`Error::TokensGeometry`] for a grid that does not
    /// belong to a picture of the size that the tokens state.
    pub fn check<'a>(&self, tokens: &'a Tokens) -> Result<&'a Grid> {
        if tokens.codebook_hash != self.hashes.codebook {
            return Err(Error::TokensOtherCodebook {
                expected: self.hashes.codebook.to_string(),
                found: tokens.codebook_hash.to_string(),
            });
        }
        let [grid] = tokens.grids.as_slice() else {
            return Err(Error::TokensGeometry(format!(
                "there are {} grids where this model has one",
                tokens.grids.len()
            )));
        };
        let factor = self.config.factor() as u32;
        let sides = (
            tokens.height.div_ceil(factor),
            tokens.width.div_ceil(factor),
        );
        if sides != (grid.rows, grid.columns)
            || grid.indices.len() as u64 != u64::from(grid.rows) * u64::from(grid.columns)
        {
            return Err(Error::TokensGeometry(format!(
                "a picture of {}×{} has not {} rows of {}",
                tokens.width, tokens.height, grid.rows, grid.columns
            )));
        }
        if u64::from(tokens.width) * u64::from(tokens.height) > MAX_PIXELS {
            return Err(Error::ImageTooLarge {
                width: tokens.width,
                height: tokens.height,
                max_pixels: MAX_PIXELS,
            });
        }
        if grid
            .indices
            .iter()
            .any(|&i| i as usize >= self.config.codes())
        {
            return Err(Error::TokensGeometry(
                "an index is past the end of the codebook".into(),
            ));
        }
        Ok(grid)
    }

    /// A sentence when `tokens` were made beside another decoder, so that the picture will differ
    /// from the one that their maker saw.
    pub fn warning(&self, tokens: &Tokens) -> Option<&'static str> {
        (tokens.decoder_hash != self.hashes.decoder).then_some(
            "These tokens were made with other decoder weights, so the picture may differ from the original reconstruction.",
        )
    }

    /// A colour for each code; see [`quantize::palette`].
    ///
    /// # Errors
    /// What the device reports.
    pub async fn palette(&self) -> Result<Vec<u8>> {
        let codebook = self.model.codebook().into_data_async().await;
        let values: Vec<f32> = codebook.map_err(|e| self.failed(e))?.iter().collect();
        Ok(quantize::palette(&values, self.config.embed_dim()))
    }

    /// Codes of latents `[D, rows, columns]`, in bands of rows that fit a binding.
    async fn quantize(&self, z: &[f32], rows: usize, columns: usize) -> Result<Vec<u32>> {
        let dim = self.config.embed_dim();
        let band = (MAX_ACTIVATION / (dim * columns)).clamp(1, rows);
        let mut indices = Vec::with_capacity(rows * columns);
        for y in (0..rows).step_by(band) {
            let window = Window {
                y,
                x: 0,
                height: band.min(rows - y),
                width: columns,
            };
            let z = self.tensor(window.cut(z, dim, rows, columns)?, dim, window);
            let data = self.model.indices(z).into_data_async().await;
            indices.extend(data.map_err(|e| self.failed(e))?.iter::<u32>());
        }
        Ok(indices)
    }

    /// Windows in tokens, and how many tokens neighbours share.
    fn plan(&self, rows: usize, columns: usize) -> Result<(Vec<Window>, usize)> {
        let widest = match &self.config {
            ModelConfig::VqVae(c) => c.hidden,
            ModelConfig::VqVae2(c) => c.hidden,
            ModelConfig::VqGan(VqGanConfig { network, .. })
            | ModelConfig::Kl(KlConfig { network, .. }) => {
                // The finest up-sampling convolves at full size with the width of the next level.
                let widths = network.widths()?;
                widths.into_iter().take(2).fold(network.ch, usize::max)
            }
        };
        let side = (MAX_ACTIVATION / widest).isqrt().min(MAX_WINDOW);
        let limit = (side / self.config.factor()).max(1);
        let overlap = OVERLAP.min(limit / 4);
        Ok((plan(rows, columns, limit, overlap)?, overlap))
    }

    fn tensor(&self, data: Vec<f32>, channels: usize, window: Window) -> Tensor<4> {
        let data = TensorData::new(data, [1, channels, window.height, window.width]);
        Tensor::from_data(data, &self.device)
    }

    async fn read(&self, x: Tensor<4>) -> Result<Vec<f32>> {
        let data = x.into_data_async().await;
        Ok(data.map_err(|e| self.failed(e))?.iter().collect())
    }

    /// Everything is read back from the device, so this is where its loss shows. The CPU cannot be
    /// lost.
    fn failed(&self, error: impl std::fmt::Display) -> Error {
        if self.device == Device::flex() {
            Error::Internal(error.to_string())
        } else {
            Error::DeviceLost(error.to_string())
        }
    }
}

async fn proceed(
    watch: &mut impl AsyncFnMut(Stage, usize, usize) -> bool,
    stage: Stage,
    done: usize,
    total: usize,
) -> Result<()> {
    if watch(stage, done, total).await {
        Ok(())
    } else {
        Err(Error::Cancelled)
    }
}
