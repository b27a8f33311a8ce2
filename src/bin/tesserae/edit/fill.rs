use std::path::PathBuf;

use tesserae::generate::Canvas;
use tesserae::{Codec, Result};

use super::{OriginalArgs, USUAL, mask};
use crate::draw::{Begun, DrawArgs};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    original: OriginalArgs,
    /// Picture that is white where to fill and black elsewhere, scaled to the size of IN.
    #[arg(long)]
    mask: PathBuf,
    #[command(flatten)]
    draw: DrawArgs,
}

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        let inputs = [self.original.input.clone(), self.mask.clone()];
        let begin = async |codec: &Codec| {
            let original = self.original.tokens(codec).await?;
            let mask = mask::cells(&self.mask, &original, codec)?;
            let canvas = Canvas::try_from(original.grid()?)?.without(&mask)?;
            Ok(Some(Begun { original, canvas }))
        };
        self.draw.run(USUAL, &inputs, begin, json).await
    }
}
