use std::path::PathBuf;

use serde_json::json;
use tesserae::{Result, Tokens};

use super::mask;
use crate::files;
use crate::model::{FitArgs, ModelArgs, watch};
use crate::outputs::{Outputs, OverwriteArgs};
use crate::terminal;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Picture.
    a: PathBuf,
    /// Another picture; scaled and cropped to the size of the first.
    b: PathBuf,
    /// How far from the first to the second, 0 to 1: latents are interpolated, then quantized.
    #[arg(long, default_value_t = 0.5, conflicts_with = "mask")]
    share: f32,
    /// Instead, take the second picture's tokens where this picture is white.
    #[arg(long)]
    mask: Option<PathBuf>,
    /// Picture file to write, or a token file (.tokens).
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    fit: FitArgs,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    overwrite: OverwriteArgs,
}

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        let mut inputs = self.model.inputs()?;
        inputs.extend([self.a.clone(), self.b.clone()]);
        inputs.extend(self.mask.clone());
        let inputs = inputs.iter().map(PathBuf::as_path);
        let mut outputs = Outputs::new(inputs, self.overwrite.overwrite);
        let is_tokens = files::is_tokens(&self.out);
        let out = match is_tokens {
            true => outputs.claim(&self.out)?,
            false => outputs.claim_picture(&self.out)?,
        };
        let codec = self.model.load()?;
        let a = self.fit.picture(&self.a)?;
        let b = files::picture(&self.b)?.cover(a.width(), a.height())?;
        let blended = match &self.mask {
            None => {
                let watch = &mut watch()?;
                codec.encode_between_with(&a, &b, self.share, watch).await?
            }
            Some(mask) => {
                let a = codec.encode_with(&a, &mut watch()?).await?;
                let b = codec.encode_with(&b, &mut watch()?).await?;
                crossfaded(&a, &b, &mask::cells(mask, &a, &codec)?)?
            }
        };
        match is_tokens {
            true => out.write(&blended.to_bytes()?)?,
            false => out.write_picture(&codec.decode_with(&blended, &mut watch()?).await?)?,
        }
        match json {
            true => terminal::print_json(json!({"tokens": blended.count()})),
            false => terminal::print(format_args!("{} tokens", blended.count())),
        }
    }
}

/// The tokens of `a`, and those of `b` where `mask` is true.
fn crossfaded(a: &Tokens, b: &Tokens, mask: &[bool]) -> Result<Tokens> {
    let mut grid = a.grid()?.clone();
    let others = b.grid()?.indices.iter().zip(mask);
    for (token, (other, taken)) in grid.indices.iter_mut().zip(others) {
        if *taken {
            *token = *other;
        }
    }
    a.replaced(grid)
}
