//! How well a prior fills a hole: against the mean colour around it, and against its surroundings'
//! latents diffused into it.

use std::path::PathBuf;

use burn::tensor::Tensor;
use rand::seq::SliceRandom;
use serde_json::json;
use tesserae::generate::{Canvas, SampleOptions, Sampler};
use tesserae::pixels::metrics::{gradient_energy, psnr};
use tesserae::random::stream;
use tesserae::tokens::{Grid, neighbours};
use tesserae::{Codec, Error, Picture, Result, Tokens};

use crate::draw::{HowArgs, drawn};
use crate::model::FitArgs;
use crate::outputs::{Outputs, OverwriteArgs};
use crate::prior::{Pair, PriorArgs};
use crate::shards::{Entry, each_picture, entries};
use crate::{grid, terminal};

const USUAL: &str = "photos-f8-maskgit";
/// Salt for the seed of the columns' orders.
const ORDER: u64 = 0x0bde_0001;
/// Rounds of averaging neighbours; enough for a hole of 32 tokens a side.
const ROUNDS: usize = 2000;
/// Pixels around the hole whose mean fills it.
const RIM: usize = 8;
const WAYS: [&str; 3] = ["prior", "mean", "diffusion"];

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Pictures, folders of pictures (searched recursively), or .tar shards of pictures: their centre
    /// squares, at 256×256 at most.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    prior: PriorArgs,
    /// Side of the hole in the middle, in tokens.
    #[arg(long, default_value_t = 8)]
    hole: usize,
    /// Seed of the first picture's filling; the others have the numbers after it.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    how: HowArgs,
    /// Write a sheet of the first twelve pictures around the hole: with the hole, then filled in the
    /// three ways, in an order that is drawn for each and printed at the end.
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
    #[command(flatten)]
    overwrite: OverwriteArgs,
}

/// A hole in the middle of a picture.
#[derive(Debug, Clone, Copy)]
struct Hole {
    /// First row and column of tokens.
    first: [usize; 2],
    side: usize,
    /// Pixels a token.
    factor: usize,
}

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        let pictures = entries(&self.paths)?;
        let read = self.prior.inputs(USUAL)?;
        let read = read
            .iter()
            .map(PathBuf::as_path)
            .chain(pictures.iter().map(Entry::file));
        let mut outputs = Outputs::new(read, self.overwrite.overwrite);
        let sheet = self.sheet.as_deref();
        let sheet = sheet.map(|path| outputs.claim_picture(path)).transpose()?;
        let device = self.prior.device()?;
        let Pair { prior, codec } = self.prior.load(USUAL, &device)?;
        let (mut psnrs, mut energies) = ([0.0; 3], [0.0; 4]);
        let (mut shown, mut orders, mut count) = (Vec::new(), Vec::new(), 0);
        let one = async |_: &Entry, picture: Picture| {
            let tokens = codec.encode(&picture).await?;
            let grid = tokens.grid()?;
            let hole = Hole::of(grid, self.hole, codec.config().factor())?;
            let canvas = Canvas::try_from(grid)?.without(&hole.mask(grid))?;
            let options = SampleOptions {
                seed: self.seed.wrapping_add(count),
                ..self.how.options()
            };
            let network = prior.network.clone();
            let mut sampler = Sampler::new(network, &prior.config, options, Some(canvas), &device)?;
            let filled = drawn(&mut sampler).await?.remove(0);
            let rebuilt = codec.decode(&tokens).await?;
            let ways = [
                codec.decode(&tokens.replaced(filled)?).await?,
                hole.filled_with_mean(&rebuilt)?,
                codec
                    .decode(&diffused(&tokens, hole, &codec).await?)
                    .await?,
            ];
            let original = hole.cut(&picture, 0)?;
            energies[3] += gradient_energy(&original);
            for (way, picture) in ways.iter().enumerate() {
                let part = hole.cut(picture, 0)?;
                psnrs[way] += psnr(&original, &part)?;
                energies[way] += gradient_energy(&part);
            }
            if shown.len() < grid::COLUMNS {
                let mut order = [0, 1, 2];
                order.shuffle(&mut stream(self.seed ^ ORDER, count as usize));
                let around = hole.side * hole.factor / 2;
                let mut column = vec![hole.cut(&hole.filled_with(&rebuilt, [128; 3])?, around)?];
                for way in order {
                    column.push(hole.cut(&ways[way], around)?);
                }
                shown.push(column);
                orders.push(order.map(|way| WAYS[way]));
            }
            count += 1;
            Ok(())
        };
        let skipped = each_picture(&pictures, &FitArgs::square(256), one).await?;
        if count == 0 {
            return Err(Error::DatasetEmpty("the pictures".to_owned()));
        }
        if let Some(sheet) = sheet {
            sheet.write_picture(&grid::sheet(&shown)?)?;
        }
        let ways = WAYS
            .iter()
            .enumerate()
            .map(|(way, name)| (name, psnrs[way] / count as f64, energies[way] / energies[3]));
        if json {
            let ways = ways.map(|(name, psnr, energy)| {
                (
                    name.to_string(),
                    json!({"psnr": psnr, "gradient_energy": energy}),
                )
            });
            let ways: serde_json::Map<_, _> = ways.collect();
            return terminal::print_json(
                json!({"pictures": count, "skipped": skipped, "ways": ways, "orders": orders}),
            );
        }
        for (name, psnr, energy) in ways {
            terminal::print(format_args!(
                "{name:<12}{psnr:6.2} dB, gradient energy {energy:.2}"
            ))?;
        }
        for (column, order) in orders.iter().enumerate() {
            terminal::print(format_args!("column {:<5}{}", column + 1, order.join(", ")))?;
        }
        terminal::print(format_args!("{count} pictures, {skipped} left out"))
    }
}

impl Hole {
    fn of(grid: &Grid, side: usize, factor: usize) -> Result<Self> {
        let sides = [grid.rows, grid.columns].map(|cells| cells as usize);
        match sides.iter().all(|cells| (1..*cells).contains(&side)) {
            true => Ok(Self {
                first: sides.map(|cells| (cells - side) / 2),
                side,
                factor,
            }),
            false => Err(Error::Argument(format!(
                "A hole of {side}×{side} tokens does not fit in {}×{}",
                grid.rows, grid.columns
            ))),
        }
    }

    fn contains(self, row: usize, column: usize) -> bool {
        let inside = |at: usize, first: usize| (first..first + self.side).contains(&at);
        inside(row, self.first[0]) && inside(column, self.first[1])
    }

    /// Whether each token is in it, row-major.
    fn mask(self, grid: &Grid) -> Vec<bool> {
        let columns = grid.columns as usize;
        let cells = 0..grid.indices.len();
        cells
            .map(|cell| self.contains(cell / columns, cell % columns))
            .collect()
    }

    /// The part of the picture in the hole, and `around` pixels more on each side.
    fn cut(self, picture: &Picture, around: usize) -> Result<Picture> {
        let [top, left] = self
            .first
            .map(|first| (first * self.factor).saturating_sub(around));
        let width = picture.width() as usize;
        let length = self.side * self.factor + 2 * around;
        let across = length.min(width - left);
        let rows = picture.rgb().chunks_exact(3 * width).skip(top).take(length);
        let rgb: Vec<u8> = rows
            .flat_map(|row| &row[3 * left..3 * (left + across)])
            .copied()
            .collect();
        let down = rgb.len() / (3 * across);
        Picture::from_rgb(across as u32, down as u32, rgb)
    }

    fn filled_with(self, picture: &Picture, colour: [u8; 3]) -> Result<Picture> {
        let width = picture.width() as usize;
        let mut rgb = picture.rgb().to_vec();
        for (pixel, value) in rgb.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            if self.contains(pixel / width / self.factor, pixel % width / self.factor) {
                *value = colour;
            }
        }
        Picture::from_rgb(picture.width(), picture.height(), rgb)
    }

    fn filled_with_mean(self, picture: &Picture) -> Result<Picture> {
        let width = picture.width() as usize;
        let [top, left] = self.first.map(|first| first * self.factor);
        let length = self.side * self.factor;
        let near = |at: usize, first: usize| {
            (first.saturating_sub(RIM)..first + length + RIM).contains(&at)
        };
        let (mut sum, mut count) = ([0u64; 3], 0);
        for (pixel, value) in picture.rgb().as_chunks::<3>().0.iter().enumerate() {
            let (y, x) = (pixel / width, pixel % width);
            if near(y, top) && near(x, left) && !self.contains(y / self.factor, x / self.factor) {
                count += 1;
                for (sum, value) in sum.iter_mut().zip(value) {
                    *sum += u64::from(*value);
                }
            }
        }
        self.filled_with(picture, sum.map(|sum| (sum / count.max(1)) as u8))
    }
}

/// The tokens nearest to latents that are, in the hole, the mean of their neighbours.
async fn diffused(tokens: &Tokens, hole: Hole, codec: &Codec) -> Result<Tokens> {
    let mut grid = tokens.grid()?.clone();
    let (rows, columns) = (grid.rows as usize, grid.columns as usize);
    let codebook: Tensor<2> = codec.loaded().network.codebook(0)?;
    let dim = codebook.dims()[1];
    let codes: Vec<f32> = codebook.into_data().iter::<f32>().collect();
    let code = |index: u32| &codes[index as usize * dim..][..dim];
    let mut latents: Vec<Vec<f32>> = grid
        .indices
        .iter()
        .map(|index| code(*index).to_vec())
        .collect();
    let cells: Vec<usize> = (0..rows * columns)
        .filter(|cell| hole.contains(cell / columns, cell % columns))
        .collect();
    for cell in &cells {
        latents[*cell] = vec![0.0; dim];
    }
    for _ in 0..ROUNDS {
        for &cell in &cells {
            // The hole is never the whole grid, but may reach its edge.
            let neighbours: Vec<usize> = neighbours([rows, columns], cell).collect();
            latents[cell] = (0..dim)
                .map(|i| {
                    neighbours.iter().map(|n| latents[*n][i]).sum::<f32>() / neighbours.len() as f32
                })
                .collect();
        }
    }
    let distance = |latent: &[f32], index: u32| -> f32 {
        code(index)
            .iter()
            .zip(latent)
            .map(|(a, b)| (a - b).powi(2))
            .sum()
    };
    for &cell in &cells {
        let latent = &latents[cell];
        let nearest = (0..tokens.codebook_size)
            .min_by(|a, b| distance(latent, *a).total_cmp(&distance(latent, *b)));
        grid.indices[cell] = nearest.unwrap_or(0);
    }
    tokens.replaced(grid)
}
