use std::path::PathBuf;
use std::time::Instant;

use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::json;
use tesserae::pixels::metrics::{psnr, ssim};
use tesserae::tokens::Usage;
use tesserae::{Error, Result};

use crate::files;
use crate::model::{FitArgs, ModelArgs};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of pictures, searched below as well.
    folder: PathBuf,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    fit: FitArgs,
}

#[derive(Debug, Serialize)]
struct Row {
    file: String,
    width: u32,
    height: u32,
    psnr: f64,
    ssim: f64,
    bpp: f64,
    perplexity: f64,
    used: usize,
    seconds: f64,
}

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        let codec = self.model.load()?;
        let paths = files::pictures_below(&self.folder)?;
        let bar = ProgressBar::new(paths.len() as u64);
        let (mut rows, mut codes, mut skipped) = (Vec::new(), Vec::new(), 0);
        for path in &paths {
            bar.inc(1);
            let picture = match files::picture(path) {
                Ok(picture) => self.fit.fit(&picture),
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
            return Err(Error::DatasetEmpty(self.folder.display().to_string()));
        }
        // Over all pictures together: the mean of single pictures' perplexities says less.
        let usage = Usage::of(codes);
        let mean = |f: fn(&Row) -> f64| rows.iter().map(f).sum::<f64>() / rows.len() as f64;
        let (psnr, ssim, bpp) = (mean(|r| r.psnr), mean(|r| r.ssim), mean(|r| r.bpp));
        if json {
            println!(
                "{}",
                json!({"psnr": psnr, "ssim": ssim, "bpp": bpp, "perplexity": usage.perplexity,
                    "used": usage.used, "seconds": mean(|r| r.seconds), "skipped": skipped,
                    "images": rows})
            );
        } else {
            for row in &rows {
                println!("{:7.2} dB  {:.4}  {}", row.psnr, row.ssim, row.file);
            }
            println!(
                "{psnr:7.2} dB  {ssim:.4}  mean of {}; {bpp:.4} bits per pixel, {} codes used, perplexity {:.0}",
                rows.len(),
                usage.used,
                usage.perplexity
            );
        }
        Ok(())
    }
}
