use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;
use tesserae::codec::Phase;
use tesserae::pixels::metrics::{psnr, ssim};
use tesserae::{Codec, Picture, Result, Tokens};

use crate::files;
use crate::model::{FitArgs, ModelArgs, watch};
use crate::outputs::{Outputs, OverwriteArgs};
use crate::terminal;

#[derive(Debug, clap::Args)]
pub struct Reconstruct {
    /// Picture to read (PNG, JPEG or WebP); `-` for standard input.
    input: PathBuf,
    /// Picture to write, in the format of its extension: png, jpg or webp. `-` writes a PNG to
    /// standard output and the report to standard error.
    output: PathBuf,
    /// For a model without a codebook, sample the latents with this seed instead of using their
    /// means.
    #[arg(long, value_name = "SEED")]
    sample: Option<u64>,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    fit: FitArgs,
    #[command(flatten)]
    overwrite: OverwriteArgs,
}

#[derive(Debug, clap::Args)]
pub struct Decode {
    /// Token file to read; `-` for standard input.
    input: PathBuf,
    /// Picture to write, in the format of its extension: png, jpg or webp. `-` writes a PNG to
    /// standard output and the report to standard error.
    output: PathBuf,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    overwrite: OverwriteArgs,
}

impl Reconstruct {
    pub async fn run(self, json: bool) -> Result<()> {
        let inputs = self.model.inputs()?;
        let inputs = inputs.iter().chain([&self.input]).map(PathBuf::as_path);
        let mut outputs = Outputs::new(inputs, self.overwrite.overwrite);
        let output = outputs.claim_picture(&self.output)?;
        let codec = self.model.load()?;
        let picture = self.fit.picture(&self.input)?;
        let start = Instant::now();
        let (tokens, rebuilt) = rebuild(&codec, &picture, self.sample, &mut watch()?).await?;
        let seconds = start.elapsed().as_secs_f64();
        output.write_picture(&rebuilt)?;
        let (psnr, ssim) = (psnr(&picture, &rebuilt)?, ssim(&picture, &rebuilt)?);
        let usage = tokens.as_ref().map(Tokens::usage);
        if json {
            terminal::print_json(json!({"psnr": psnr, "ssim": ssim,
                    "bpp": tokens.as_ref().map(Tokens::bits_per_pixel),
                    "perplexity": usage.map(|u| u.perplexity), "used": usage.map(|u| u.used),
                    "tokens": tokens.as_ref().map(Tokens::count), "seconds": seconds}))?;
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
        terminal::print(format_args!(
            "{}×{}: PSNR {psnr:.2} dB, SSIM {ssim:.4}, {told}, {seconds:.2} s",
            picture.width(),
            picture.height()
        ))?;
        Ok(())
    }
}

/// Reconstructs a picture, and returns its tokens if the model has any; see [`Codec::reconstruct`].
pub async fn rebuild(
    codec: &Codec,
    picture: &Picture,
    sample: Option<u64>,
    watch: &mut impl AsyncFnMut(Phase, usize, usize) -> bool,
) -> Result<(Option<Tokens>, Picture)> {
    if sample.is_some() || codec.config().grids().is_empty() {
        return Ok((None, codec.reconstruct_with(picture, sample, watch).await?));
    }
    let tokens = codec.encode_with(picture, watch).await?;
    let rebuilt = codec.decode_with(&tokens, watch).await?;
    Ok((Some(tokens), rebuilt))
}

impl Decode {
    pub async fn run(self, json: bool) -> Result<()> {
        let inputs = self.model.inputs()?;
        let inputs = inputs.iter().chain([&self.input]).map(PathBuf::as_path);
        let mut outputs = Outputs::new(inputs, self.overwrite.overwrite);
        let output = outputs.claim_picture(&self.output)?;
        let codec = self.model.load()?;
        let tokens = Tokens::from_bytes(&files::read(&self.input)?)?;
        // Tokens that are rejected need no warning.
        codec
            .check(&tokens)
            .map_err(|error| self.model.explain(error))?;
        if let Some(warning) = codec.warning(&tokens) {
            terminal::warn(format_args!("tesserae: {warning}"));
        }
        let start = Instant::now();
        let picture = codec.decode_with(&tokens, &mut watch()?).await?;
        let seconds = start.elapsed().as_secs_f64();
        output.write_picture(&picture)?;
        let (width, height) = (picture.width(), picture.height());
        if json {
            terminal::print_json(
                json!({"width": width, "height": height, "tokens": tokens.count(),
                    "bpp": tokens.bits_per_pixel(), "perplexity": tokens.usage().perplexity,
                    "seconds": seconds}),
            )?;
        } else {
            terminal::print(format_args!("{width}×{height}, {seconds:.2} s"))?;
        }
        Ok(())
    }
}
