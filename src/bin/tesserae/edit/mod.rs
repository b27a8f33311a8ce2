//! Commands that draw parts of a picture again, or put two together.

mod blend;
mod extend;
mod fill;
mod mask;
mod vary;

pub use blend::Args as Blend;
pub use extend::Args as Extend;
pub use fill::Args as Fill;
pub use vary::Args as Vary;

use std::path::{Path, PathBuf};

use tesserae::{Codec, Error, Result, Tokens};

use crate::files;
use crate::model::{FitArgs, watch};

/// The prior to edit with, unless one is named.
const USUAL: &str = "photos-f8-maskgit";

/// The picture to edit.
#[derive(Debug, clap::Args)]
struct OriginalArgs {
    /// Picture, or its token file.
    #[arg(value_name = "IN")]
    input: PathBuf,
    #[command(flatten)]
    fit: FitArgs,
}

impl OriginalArgs {
    async fn tokens(&self, codec: &Codec) -> Result<Tokens> {
        tokens(&self.input, &self.fit, codec).await
    }
}

/// The tokens of a picture, or those in a token file.
async fn tokens(path: &Path, fit: &FitArgs, codec: &Codec) -> Result<Tokens> {
    if !files::is_tokens(path) {
        let picture = fit.picture(path)?;
        return codec.encode_with(&picture, &mut watch()?).await;
    }
    let told = |e: Error| Error::io(path, e.to_string().trim_end_matches('.'));
    let tokens = Tokens::from_bytes(&files::read(path)?).map_err(told)?;
    codec.check(&tokens)?;
    Ok(tokens)
}
