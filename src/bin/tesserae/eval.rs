use std::path::PathBuf;
use std::time::Instant;

use indicatif::ProgressBar;
use serde::Serialize;
use tesserae::pixels::metrics::{psnr, ssim};
use tesserae::tokens::Usage;
use tesserae::{Codec, Error, Result};

use crate::files;
use crate::model::{FitArgs, ModelArgs};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folders of pictures, searched below as well, or single pictures.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    fit: FitArgs,
}

#[derive(Debug, Serialize)]
pub struct Row {
    pub file: String,
    pub width: u32,
    pub height: u32,
    pub psnr: f64,
    pub ssim: f64,
    pub bpp: f64,
    pub perplexity: f64,
    pub used: usize,
    pub seconds: f64,
}

/// What a model does to some pictures: means over them, and a row each.
#[derive(Debug, Serialize)]
pub struct Report {
    pub psnr: f64,
    pub ssim: f64,
    pub bpp: f64,
    /// Over the tokens of all pictures together: the mean of single perplexities says less.
    pub perplexity: f64,
    pub used: usize,
    pub seconds: f64,
    pub skipped: usize,
    pub images: Vec<Row>,
}

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        let report = measure(&self.model.load()?, &self.paths, &self.fit).await?;
        if json {
            let text = serde_json::to_string(&report);
            println!("{}", text.map_err(|e| Error::Internal(e.to_string()))?);
            return Ok(());
        }
        for row in &report.images {
            println!("{:7.2} dB  {:.4}  {}", row.psnr, row.ssim, row.file);
        }
        println!(
            "{:7.2} dB  {:.4}  mean of {}; {:.4} bits per pixel, {} codes used, perplexity {:.0}",
            report.psnr,
            report.ssim,
            report.images.len(),
            report.bpp,
            report.used,
            report.perplexity
        );
        Ok(())
    }
}

/// Reconstructs every picture among `paths`; what cannot be read is told, counted and left out.
pub async fn measure(codec: &Codec, paths: &[PathBuf], fit: &FitArgs) -> Result<Report> {
    let files = files::pictures(paths)?;
    let bar = ProgressBar::new(files.len() as u64);
    let (mut rows, mut codes, mut skipped) = (Vec::new(), Vec::new(), 0);
    for path in &files {
        bar.inc(1);
        let picture = match files::picture(path) {
            Ok(picture) => fit.fit(&picture),
            Err(error) => {
                bar.suspend(|| eprintln!("left out: {}: {error}", path.display()));
                skipped += 1;
                continue;
            }
        };
        let start = Instant::now();
        let tokens = codec.encode(&picture, &mut async |_, _, _| true).await?;
        let rebuilt = codec.decode(&tokens, &mut async |_, _, _| true).await?;
        let usage = tokens.usage();
        rows.push(Row {
            file: path.display().to_string(),
            width: picture.width(),
            height: picture.height(),
            psnr: psnr(&picture, &rebuilt)?,
            ssim: ssim(&picture, &rebuilt)?,
            bpp: tokens.bits_per_pixel(),
            perplexity: usage.perplexity,
            used: usage.used,
            seconds: start.elapsed().as_secs_f64(),
        });
        codes.extend(tokens.grids.into_iter().flat_map(|grid| grid.indices));
    }
    bar.finish_and_clear();
    if rows.is_empty() {
        return Err(Error::DatasetEmpty("the files given".to_owned()));
    }
    let usage = Usage::of(codes);
    let mean = |f: fn(&Row) -> f64| rows.iter().map(f).sum::<f64>() / rows.len() as f64;
    Ok(Report {
        psnr: mean(|r| r.psnr),
        ssim: mean(|r| r.ssim),
        bpp: mean(|r| r.bpp),
        perplexity: usage.perplexity,
        used: usage.used,
        seconds: mean(|r| r.seconds),
        skipped,
        images: rows,
    })
}
