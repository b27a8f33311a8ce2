use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;
use tesserae::models::Stage;
use tesserae::pixels::metrics::{psnr, ssim};
use tesserae::{Codec, Picture, Result, Tokens};

use crate::files;
use crate::model::{FitArgs, ModelArgs, watch};

#[derive(Debug, clap::Args)]
pub struct Reconstruct {
    /// Picture to read: PNG, JPEG or WebP.
    input: PathBuf,
    /// Picture to write; its extension says how: png, jpg or webp.
    output: PathBuf,
    /// Draw the latents of a model without a codebook, with this seed, instead of taking their means.
    #[arg(long, value_name = "SEED")]
    sample: Option<u64>,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    fit: FitArgs,
}

#[derive(Debug, clap::Args)]
pub struct Decode {
    /// Token file to read.
    input: PathBuf,
    /// Picture to write; its extension says how: png, jpg or webp.
    output: PathBuf,
    #[command(flatten)]
    model: ModelArgs,
}

impl Reconstruct {
    pub async fn run(self, json: bool) -> Result<()> {
        let codec = self.model.load()?;
        let picture = self.fit.picture(&self.input)?;
        let start = Instant::now();
        let (tokens, rebuilt) = rebuild(&codec, &picture, self.sample, &mut watch()?).await?;
        let seconds = start.elapsed().as_secs_f64();
        files::write_picture(&self.output, &rebuilt)?;
        let (psnr, ssim) = (psnr(&picture, &rebuilt)?, ssim(&picture, &rebuilt)?);
        let usage = tokens.as_ref().map(Tokens::usage);
        if json {
            println!(
                "{}",
                json!({"psnr": psnr, "ssim": ssim,
                    "bpp": tokens.as_ref().map(Tokens::bits_per_pixel),
                    "perplexity": usage.map(|u| u.perplexity), "used": usage.map(|u| u.used),
                    "tokens": tokens.as_ref().map(Tokens::count), "seconds": seconds})
            );
            return Ok(());
        }
        let told = match &tokens {
            Some(tokens) => {
                let usage = tokens.usage();
                format!(
                    "{} tokens, {:.4} bits per pixel, {} codes used (perplexity {:.0})",
                    tokens.count(),
                    tokens.bits_per_pixel(),
                    usage.used,
                    usage.perplexity
                )
            }
            None => "no tokens".to_owned(),
        };
        println!(
            "{}×{}: PSNR {psnr:.2} dB, SSIM {ssim:.4}, {told}, {seconds:.2} s",
            picture.width(),
            picture.height()
        );
        Ok(())
    }
}

/// Picture to picture, and the tokens on the way where there are any; see [`Codec::reconstruct`].
pub async fn rebuild(
    codec: &Codec,
    picture: &Picture,
    sample: Option<u64>,
    watch: &mut impl AsyncFnMut(Stage, usize, usize) -> bool,
) -> Result<(Option<Tokens>, Picture)> {
    if sample.is_some() || codec.config().grids().is_empty() {
        return Ok((None, codec.reconstruct(picture, sample, watch).await?));
    }
    let tokens = codec.encode(picture, watch).await?;
    let rebuilt = codec.decode(&tokens, watch).await?;
    Ok((Some(tokens), rebuilt))
}

impl Decode {
    pub async fn run(self, json: bool) -> Result<()> {
        let codec = self.model.load()?;
        let tokens = Tokens::from_bytes(&files::read(&self.input)?)?;
        // What is refused needs no warning besides.
        codec.check(&tokens)?;
        if let Some(warning) = codec.warning(&tokens) {
            eprintln!("tesserae: {warning}");
        }
        let start = Instant::now();
        let picture = codec.decode(&tokens, &mut watch()?).await?;
        let seconds = start.elapsed().as_secs_f64();
        files::write_picture(&self.output, &picture)?;
        let (width, height) = (picture.width(), picture.height());
        if json {
            println!(
                "{}",
                json!({"width": width, "height": height, "tokens": tokens.count(),
                    "bpp": tokens.bits_per_pixel(), "perplexity": tokens.usage().perplexity,
                    "seconds": seconds})
            );
        } else {
            println!("{width}×{height}, {seconds:.2} s");
        }
        Ok(())
    }
}
