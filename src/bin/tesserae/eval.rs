use std::path::PathBuf;
use std::time::Instant;

use indicatif::ProgressBar;
use serde::Serialize;
use tesserae::pixels::metrics::{psnr, ssim};
use tesserae::tokens::Usage;
use tesserae::{Codec, Error, Result, Tokens};

use crate::code::rebuild;
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
    /// This and the next two only of a model that makes tokens.
    pub bpp: Option<f64>,
    pub perplexity: Option<f64>,
    pub used: Option<usize>,
    pub seconds: f64,
}

/// What a model does to some pictures: means over them, and a row each.
#[derive(Debug, Serialize)]
pub struct Report {
    pub psnr: f64,
    pub ssim: f64,
    /// This and the next two only of a model that makes tokens.
    pub bpp: Option<f64>,
    /// Over the tokens of all pictures together: the mean of single perplexities says less.
    pub perplexity: Option<f64>,
    pub used: Option<usize>,
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
        let codes = match (report.bpp, report.used, report.perplexity) {
            (Some(bpp), Some(used), Some(perplexity)) => {
                format!("{bpp:.4} bits per pixel, {used} codes used, perplexity {perplexity:.0}")
            }
            _ => "no tokens".to_owned(),
        };
        println!(
            "{:7.2} dB  {:.4}  mean of {}; {codes}",
            report.psnr,
            report.ssim,
            report.images.len()
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
        let mut unwatched = async |_, _, _| true;
        let (tokens, rebuilt) = rebuild(codec, &picture, None, &mut unwatched).await?;
        let usage = tokens.as_ref().map(Tokens::usage);
        codes.extend(tokens.iter().flat_map(Tokens::codes));
        rows.push(Row {
            file: path.display().to_string(),
            width: picture.width(),
            height: picture.height(),
            psnr: psnr(&picture, &rebuilt)?,
            ssim: ssim(&picture, &rebuilt)?,
            bpp: tokens.as_ref().map(Tokens::bits_per_pixel),
            perplexity: usage.map(|u| u.perplexity),
            used: usage.map(|u| u.used),
            seconds: start.elapsed().as_secs_f64(),
        });
    }
    bar.finish_and_clear();
    if rows.is_empty() {
        return Err(Error::DatasetEmpty("the files given".to_owned()));
    }
    let usage = (!codes.is_empty()).then(|| Usage::of(codes));
    let mean = |f: fn(&Row) -> f64| rows.iter().map(f).sum::<f64>() / rows.len() as f64;
    // All rows have it, or none.
    let bpp: Option<f64> = rows.iter().map(|r| r.bpp).sum();
    Ok(Report {
        psnr: mean(|r| r.psnr),
        ssim: mean(|r| r.ssim),
        bpp: bpp.map(|sum| sum / rows.len() as f64),
        perplexity: usage.map(|u| u.perplexity),
        used: usage.map(|u| u.used),
        seconds: mean(|r| r.seconds),
        skipped,
        images: rows,
    })
}
