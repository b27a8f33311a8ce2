use burn::tensor::{Tensor, TensorData};

use super::{Codec, Posterior, unwatched};
use crate::error::{Error, Result};
use crate::models::Quantizer;
use crate::pixels::Picture;
use crate::readback::read;

/// Most tokens of a picture whose nearest codes are listed.
const MAX_TOKENS: usize = 4096;
/// Most codes that are listed for all of them together.
const MAX_LISTED: usize = 1 << 20;

/// The codes nearest to each latent of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearest {
    /// Number of rows of latents.
    pub rows: usize,
    /// Number of columns of latents.
    pub columns: usize,
    /// Codes listed for each latent.
    pub count: usize,
    /// Latents row by row, `count` codes each, nearest first.
    pub codes: Vec<u32>,
    /// Their squared distances from the latent.
    pub distances: Vec<f32>,
}

impl Codec {
    /// The `count` codes nearest to each latent of a picture; the first is its token, up to
    /// rounding.
    ///
    /// # Errors
    /// [`Error::NoCodebook`], [`Error::Argument`] for a model with several grids or one that chooses
    /// codes by logits, for a picture of more than 4,096 tokens, for a `count` outside 1 to the number
    /// of codes, and for more than 2²⁰ codes in all; [`Error::ImageTooLarge`], and device errors.
    ///
    /// # Examples
    /// ```
    /// # use burn::tensor::Device;
    /// # use pollster::block_on;
    /// # use tesserae::{Codec, Picture};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let weights = std::fs::read("www/models/digits.safetensors")?;
    /// let codec = Codec::from_weights(weights, &Device::flex())?;
    /// let picture = Picture::from_rgb(28, 28, vec![0; 28 * 28 * 3])?;
    /// let nearest = block_on(codec.nearest(&picture, 3))?;
    /// assert_eq!((nearest.rows, nearest.columns, nearest.codes.len()), (7, 7, 7 * 7 * 3));
    /// assert!(nearest.distances[0] <= nearest.distances[1]);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn nearest(&self, picture: &Picture, count: usize) -> Result<Nearest> {
        let config = self.config();
        let refused = |message: String| Err(Error::Argument(message));
        let Quantizer::Nearest(quantizer) = self.coder.model.quantizer(0)? else {
            return refused("This model chooses codes by logits, not by distance".to_owned());
        };
        if config.grids().len() > 1 {
            return refused("This model has more than one grid of codes".to_owned());
        }
        if !(1..=config.codes()).contains(&count) {
            let codes = config.codes();
            return refused(format!("{count} codes are asked for, outside 1 to {codes}"));
        }
        let factor = config.factor();
        let [rows, columns] =
            [picture.height(), picture.width()].map(|side| (side as usize).div_ceil(factor));
        if rows.saturating_mul(columns) > MAX_TOKENS {
            return refused(format!(
                "The picture has {rows} × {columns} tokens, more than {MAX_TOKENS}"
            ));
        }
        if rows * columns * count > MAX_LISTED {
            return refused(format!(
                "{count} codes for each of {} tokens are more than {MAX_LISTED}",
                rows * columns
            ));
        }
        let watch = &mut unwatched;
        let values = self.coder.encode_values(picture, Posterior::Mean, watch);
        let (values, dim) = (values.await?, config.embed_dim());
        let z = TensorData::new(values, [1, dim, rows, columns]);
        let z = quantizer.prepare(Tensor::from_data(z, &self.coder.device));
        let z = read(z.permute([0, 2, 3, 1])).await?;
        let codebook = read(quantizer.codebook()).await?;
        let (mut codes, mut distances) = (Vec::new(), Vec::new());
        for latent in z.chunks_exact(dim) {
            let mut all: Vec<(f32, u32)> = codebook
                .chunks_exact(dim)
                .map(|code| squared(latent, code))
                .zip(0..)
                .collect();
            let by_distance =
                |a: &(f32, u32), b: &(f32, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
            all.select_nth_unstable_by(count - 1, by_distance);
            all.truncate(count);
            all.sort_unstable_by(by_distance);
            for (distance, code) in all {
                codes.push(code);
                distances.push(distance);
            }
        }
        Ok(Nearest {
            rows,
            columns,
            count,
            codes,
            distances,
        })
    }
}

fn squared(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}
