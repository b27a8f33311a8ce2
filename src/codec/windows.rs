//! Runs a model on images of any size, window by window, and blends the outputs.

use burn::tensor::{Device, Tensor, TensorData};

use super::{Limits, Phase};
use crate::error::{Error, Result};
use crate::models::AutoencoderConfig;
use crate::pixels::tile::{Blend, Window, plan};
use crate::readback::read;

/// Overlap between neighbouring windows, in latents of the coarsest grid.
const OVERLAP: usize = 6;

/// How an image is split into windows. Windows are measured in latents of the coarsest grid, so
/// that they align with every grid and with pixels.
pub(super) struct Layout {
    factor: usize,
    rows: usize,
    columns: usize,
    windows: Vec<Window>,
    overlap: usize,
}

impl Layout {
    /// The layout of a `height`×`width` image, padded to the downsampling factor, in windows that
    /// fit within `limits`.
    pub fn of(
        config: &AutoencoderConfig,
        limits: Limits,
        height: usize,
        width: usize,
    ) -> Result<Self> {
        let factor = config.factor();
        let side = limits.window(config)?;
        let limit = (side / factor).max(1);
        let overlap = OVERLAP.min(limit / 4);
        let (rows, columns) = (height.div_ceil(factor), width.div_ceil(factor));
        Ok(Self {
            windows: plan(rows, columns, limit, overlap)?,
            factor,
            rows,
            columns,
            overlap,
        })
    }

    /// Number of windows.
    pub fn count(&self) -> usize {
        self.windows.len()
    }

    /// Rows and columns of the whole image, at `pixels`×`pixels` per latent.
    pub fn sides(&self, pixels: usize) -> [usize; 2] {
        let scale = self.factor / pixels;
        [self.rows * scale, self.columns * scale]
    }

    /// A window in units of `pixels`×`pixels` latents.
    pub fn scaled(&self, window: Window, pixels: usize) -> Window {
        window.scaled(self.factor / pixels)
    }
    /// Blends the outputs of `part` for each window, `[1, channels, …]` with one position per
    /// `pixels`×`pixels`, into `[channels, rows, columns]`.
    pub async fn blended<W: AsyncFnMut(Phase, usize, usize) -> bool>(
        &self,
        (channels, pixels): (usize, usize),
        progress: &mut Progress<'_, W>,
        part: impl Fn(Window) -> Result<Tensor<4>>,
    ) -> Result<Vec<f32>> {
        let [rows, columns] = self.sides(pixels);
        let ramp = self.overlap * (self.factor / pixels);
        let mut blend = Blend::new(channels, rows, columns, ramp)?;
        for &window in &self.windows {
            progress.tell().await?;
            let part = read(part(window)?).await?;
            blend.add(self.scaled(window, pixels), &part)?;
        }
        blend.finish()
    }

    /// A window's part of planes with one position per `pixels`×`pixels`, on `device`.
    pub fn cut(
        &self,
        window: Window,
        planes: &[f32],
        (channels, pixels): (usize, usize),
        device: &Device,
    ) -> Result<Tensor<4>> {
        let [rows, columns] = self.sides(pixels);
        let window = self.scaled(window, pixels);
        let data = window.cut(planes, channels, rows, columns)?;
        Ok(tensor(data, channels, window, device))
    }
}

/// A window's values on `device`, `[1, channels, rows, columns]`.
pub(super) fn tensor(
    values: Vec<f32>,
    channels: usize,
    window: Window,
    device: &Device,
) -> Tensor<4> {
    let data = TensorData::new(values, [1, channels, window.height, window.width]);
    Tensor::from_data(data, device)
}

/// Reports progress to the caller, who may cancel.
pub(super) struct Progress<'a, W> {
    watch: &'a mut W,
    phase: Phase,
    done: usize,
    total: usize,
}

impl<'a, W: AsyncFnMut(Phase, usize, usize) -> bool> Progress<'a, W> {
    pub fn new(watch: &'a mut W, phase: Phase, total: usize) -> Self {
        Self {
            watch,
            phase,
            done: 0,
            total,
        }
    }

    /// Reports progress: called before each window, and once after the last.
    pub async fn tell(&mut self) -> Result<()> {
        let done = self.done;
        self.done += 1;
        if (self.watch)(self.phase, done, self.total).await {
            Ok(())
        } else {
            Err(Error::Cancelled)
        }
    }
}
