use serde::Serialize;
use tesserae::pixels::metrics::psnr;
use tesserae::train::Damage;
use tesserae::{Codec, Picture, Result};

use crate::grid;

/// Some pictures, both original and as the model being tuned sees them.
pub struct Look {
    pub pictures: Vec<Picture>,
    /// Only for a restoration.
    damaged: Option<Vec<Picture>>,
}

/// Effect of tuning on pictures, as mean PSNR in decibels.
#[derive(Debug, Serialize)]
pub struct Gain {
    pub pictures: usize,
    /// PSNR of the damaged copies themselves.
    pub psnr_damaged: Option<f64>,
    pub psnr_before: f64,
    pub psnr_after: f64,
}

impl Look {
    pub fn new(pictures: Vec<Picture>, damage: Option<Damage>) -> Result<Self> {
        let copies = damage.map(|damage| {
            let pictures = pictures.iter().enumerate();
            pictures
                .map(|(seed, picture)| damage.apply(picture, seed as u64))
                .collect()
        });
        Ok(Self {
            damaged: copies.transpose()?,
            pictures,
        })
    }

    /// Reconstructs the pictures from what the model sees.
    pub async fn rebuilt(&self, codec: &Codec) -> Result<Vec<Picture>> {
        let mut rebuilt = Vec::new();
        for seen in self.damaged.as_ref().unwrap_or(&self.pictures) {
            rebuilt.push(codec.reconstruct(seen).await?);
        }
        Ok(rebuilt)
    }

    /// Mean PSNR of `copies`, in decibels.
    pub fn psnr(&self, copies: &[Picture]) -> Result<f64> {
        let mut sum = 0.0;
        for (picture, copy) in self.pictures.iter().zip(copies) {
            sum += psnr(picture, copy)?;
        }
        Ok(sum / self.pictures.len() as f64)
    }

    /// `None` without pictures.
    pub fn gain(&self, before: &[Picture], after: &[Picture]) -> Result<Option<Gain>> {
        if self.pictures.is_empty() {
            return Ok(None);
        }
        let damaged = self.damaged.as_ref().map(|copies| self.psnr(copies));
        Ok(Some(Gain {
            pictures: self.pictures.len(),
            psnr_damaged: damaged.transpose()?,
            psnr_before: self.psnr(before)?,
            psnr_after: self.psnr(after)?,
        }))
    }

    /// The first pictures next to each other, each with its copies below.
    pub fn sheet(&self, before: &[Picture], after: &[Picture]) -> Result<Picture> {
        let columns: Vec<Vec<Picture>> = (0..self.pictures.len().min(grid::COLUMNS))
            .map(|i| {
                let damaged = self.damaged.as_ref().map(|copies| copies[i].clone());
                let made = [before[i].clone(), after[i].clone()];
                [self.pictures[i].clone()]
                    .into_iter()
                    .chain(damaged)
                    .chain(made)
                    .collect()
            })
            .collect();
        grid::sheet(&columns)
    }
}
