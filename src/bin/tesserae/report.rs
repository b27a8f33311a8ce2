//! The results of `eval`, as printed and saved.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};
use tesserae::pixels::metrics::{gradient_energy, ms_ssim, psnr, ssim};
use tesserae::tokens::Usage;
use tesserae::{Error, Picture, Result};

use crate::judge::Judge;
use crate::terminal;

/// Similarity of a picture to its original, or the means over several pictures.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Quality {
    /// In JSON, infinity is null.
    #[serde(deserialize_with = "or_infinity")]
    pub psnr: f64,
    pub ssim: f64,
    pub ms_ssim: f64,
    /// Relative to the original's: 1 means equally detailed. `None` if the original has none at
    /// all.
    pub gradient_energy: Option<f64>,
    /// Distance in a network's features: 0 means equal. `None` without `--perceptual`, and for
    /// pictures smaller or larger than the network takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub perceptual: Option<f64>,
}

fn or_infinity<'de, D: Deserializer<'de>>(number: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(number)?.unwrap_or(f64::INFINITY))
}

impl Quality {
    pub fn of(original: &Picture, rebuilt: &Picture, judge: Option<&Judge>) -> Result<Self> {
        let before = gradient_energy(original);
        Ok(Self {
            psnr: psnr(original, rebuilt)?,
            ssim: ssim(original, rebuilt)?,
            ms_ssim: ms_ssim(original, rebuilt)?,
            gradient_energy: (before > 0.0).then(|| gradient_energy(rebuilt) / before),
            perceptual: judge.and_then(|judge| judge.distance(original, rebuilt)),
        })
    }

    fn mean(all: &[Self]) -> Self {
        let over = |f: fn(&Self) -> f64| mean(all.iter().map(f)).unwrap_or(f64::NAN);
        Self {
            psnr: over(|q| q.psnr),
            ssim: over(|q| q.ssim),
            ms_ssim: over(|q| q.ms_ssim),
            gradient_energy: mean(all.iter().filter_map(|q| q.gradient_energy)),
            perceptual: mean(all.iter().filter_map(|q| q.perceptual)),
        }
    }
}

/// The mean, or `None` without numbers.
fn mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = numbers.fold((0.0, 0), |(sum, count), number| (sum + number, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// The measurements of one picture.
#[derive(Debug, Serialize, Deserialize)]
pub struct Row {
    pub file: String,
    pub width: u32,
    pub height: u32,
    #[serde(flatten)]
    pub measured: Quality,
    /// This and the next two only for a model that makes tokens.
    pub bpp: Option<f64>,
    pub perplexity: Option<f64>,
    pub used: Option<usize>,
    pub seconds: f64,
    /// This and the next only with `--codecs`, for a picture within the format's size limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jpeg: Option<CodecRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webp: Option<CodecRow>,
}

/// Another codec's result for the same picture.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct CodecRow {
    /// On the codec's own scale, up to 100.
    pub quality: f64,
    /// Whether it has no more bits than the tokens; if not, it is the smallest possible.
    pub fits: bool,
    pub bpp: f64,
    #[serde(flatten)]
    pub measured: Quality,
}

/// Means over the pictures, and how many of them fitted the bit rate.
#[derive(Debug, Serialize, Deserialize)]
pub struct CodecMeans {
    pub bpp: f64,
    #[serde(flatten)]
    pub measured: Quality,
    pub fits: usize,
}

impl CodecMeans {
    fn of(rows: impl Iterator<Item = CodecRow>) -> Option<Self> {
        let rows: Vec<CodecRow> = rows.collect();
        let measured: Vec<Quality> = rows.iter().map(|r| r.measured).collect();
        Some(Self {
            bpp: mean(rows.iter().map(|r| r.bpp))?,
            measured: Quality::mean(&measured),
            fits: rows.iter().filter(|r| r.fits).count(),
        })
    }
}

/// A model's measurements on some pictures: means, and one row per picture.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    #[serde(flatten)]
    pub measured: Quality,
    /// This and the next two only for a model that makes tokens.
    pub bpp: Option<f64>,
    /// Over the tokens of all pictures together, which says more than the mean over pictures.
    pub perplexity: Option<f64>,
    pub used: Option<usize>,
    pub seconds: f64,
    pub skipped: usize,
    /// This and the next only with `--codecs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jpeg: Option<CodecMeans>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webp: Option<CodecMeans>,
    pub images: Vec<Row>,
}

impl Report {
    /// Prints a table with a line per picture, for the means, and for the other codecs' means.
    pub fn print(&self) -> Result<()> {
        let judged = self.measured.perceptual.is_some();
        let line = |q: &Quality, rest: &str| {
            let [gradients, distance] = [q.gradient_energy, q.perceptual]
                .map(|number| number.map_or("-".to_owned(), |number| format!("{number:.4}")));
            let distance = match judged {
                true => format!("{distance:>10}  "),
                false => String::new(),
            };
            terminal::print(format_args!(
                "{:7.2} dB  {:.4}   {:.4}  {gradients:>8}  {distance}{rest}",
                q.psnr, q.ssim, q.ms_ssim
            ))
        };
        let last = if judged { "  perceptual" } else { "" };
        terminal::print(format_args!("      PSNR  SSIM    MS-SSIM  gradient{last}"))?;
        for row in &self.images {
            line(&row.measured, &row.file)?;
        }
        let codes = match (self.bpp, self.used, self.perplexity) {
            (Some(bpp), Some(used), Some(perplexity)) => {
                format!("{bpp:.4} bits per pixel, {used} codes used, perplexity {perplexity:.0}")
            }
            _ => "no tokens".to_owned(),
        };
        let count = self.images.len();
        line(&self.measured, &format!("mean of {count}; {codes}"))?;
        for (name, means) in [("JPEG", &self.jpeg), ("WebP", &self.webp)] {
            if let Some(means) = means {
                let CodecMeans { bpp, fits, .. } = means;
                let told = format!(
                    "{name}; {bpp:.4} bits per pixel, {fits} of {count} fit in the tokens' bits"
                );
                line(&means.measured, &told)?;
            }
        }
        Ok(())
    }
}

/// The measurements that a report is made from.
#[derive(Debug, Default)]
pub struct Measured {
    pub images: Vec<Row>,
    /// How often each code occurs in all pictures together; empty without tokens.
    pub counts: Vec<u64>,
    pub skipped: usize,
}

impl Measured {
    /// Adds `count` occurrences of a code.
    pub fn add(&mut self, code: usize, count: u64) {
        if self.counts.len() <= code {
            self.counts.resize(code + 1, 0);
        }
        self.counts[code] += count;
    }

    /// The report, unless there are no pictures; `source` is where they come from.
    pub fn report(self, source: &[PathBuf]) -> Result<Report> {
        let Self {
            images,
            counts,
            skipped,
        } = self;
        let Some(seconds) = mean(images.iter().map(|r| r.seconds)) else {
            let named: Vec<_> = source.iter().map(|p| p.display().to_string()).collect();
            return Err(Error::DatasetEmpty(named.join(", ")));
        };
        let measured: Vec<Quality> = images.iter().map(|r| r.measured).collect();
        let usage = Usage::of_counts(counts.iter().map(|count| *count as f64));
        let usage = (usage.used > 0).then_some(usage);
        Ok(Report {
            measured: Quality::mean(&measured),
            bpp: mean(images.iter().filter_map(|r| r.bpp)),
            perplexity: usage.map(|u| u.perplexity),
            used: usage.map(|u| u.used),
            seconds,
            skipped,
            jpeg: CodecMeans::of(images.iter().filter_map(|r| r.jpeg)),
            webp: CodecMeans::of(images.iter().filter_map(|r| r.webp)),
            images,
        })
    }
}
