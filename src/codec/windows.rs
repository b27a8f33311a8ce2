//! Runs a model on images of any size, window by window, and blends the outputs.

use burn::tensor::{Int, Tensor, TensorData};

use super::{Coder, Phase};
use crate::error::{Error, Result};
use crate::pixels::tile::{Blend, Window, plan};
use crate::readback::{read, unread};
use crate::tokens::Grid;

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
    /// The layout of a `height`×`width` image, padded to the downsampling factor.
    pub fn of(coder: &Coder, height: usize, width: usize) -> Result<Self> {
        let factor = coder.config.factor();
        let side = coder.limits.window(&coder.config)?;
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

impl Coder {
    /// Blends the outputs of `part` for each window, `[1, channels, …]` with one position per
    /// `pixels`×`pixels`, into `[channels, rows, columns]`.
    pub(super) async fn over_windows<W: AsyncFnMut(Phase, usize, usize) -> bool>(
        &self,
        layout: &Layout,
        (channels, pixels): (usize, usize),
        progress: &mut Progress<'_, W>,
        part: impl Fn(Window) -> Result<Tensor<4>>,
    ) -> Result<Vec<f32>> {
        let [rows, columns] = layout.sides(pixels);
        let ramp = layout.overlap * (layout.factor / pixels);
        let mut blend = Blend::new(channels, rows, columns, ramp)?;
        for &window in &layout.windows {
            progress.tell().await?;
            let part = read(part(window)?).await?;
            blend.add(layout.scaled(window, pixels), &part)?;
        }
        blend.finish()
    }

    /// A window's part of planes with one position per `pixels`×`pixels`, on the device.
    pub(super) fn cut(
        &self,
        layout: &Layout,
        window: Window,
        planes: &[f32],
        (channels, pixels): (usize, usize),
    ) -> Result<Tensor<4>> {
        let [rows, columns] = layout.sides(pixels);
        let window = layout.scaled(window, pixels);
        let data = window.cut(planes, channels, rows, columns)?;
        Ok(self.tensor(data, channels, window))
    }

    /// The codebook entries of a window's part of each of `grids`, coarsest first.
    pub(super) fn entries(
        &self,
        layout: &Layout,
        window: Window,
        grids: &[Grid],
    ) -> Result<Vec<Tensor<4>>> {
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
    pub(super) async fn quantize(
        &self,
        grid: usize,
        z: &[f32],
        [rows, columns]: [usize; 2],
    ) -> Result<Grid> {
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
            let z = self.tensor(window.cut(z, dim, rows, columns)?, dim, window);
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

    fn tensor(&self, data: Vec<f32>, channels: usize, window: Window) -> Tensor<4> {
        let data = TensorData::new(data, [1, channels, window.height, window.width]);
        Tensor::from_data(data, &self.device)
    }
}
