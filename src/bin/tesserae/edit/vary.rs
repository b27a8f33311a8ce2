use tesserae::Result;
use tesserae::generate::Canvas;

use super::{OriginalArgs, USUAL};
use crate::draw::{Begun, DrawArgs};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    original: OriginalArgs,
    /// Fraction of the tokens to draw again, above 0 and at most 1; which ones follows from the
    /// seed.
    #[arg(long, default_value_t = 0.3)]
    share: f64,
    #[command(flatten)]
    draw: DrawArgs,
}

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        let inputs = [self.original.input.clone()];
        let seed = self.draw.seed();
        let begin = async |codec: &_| {
            let original = self.original.tokens(codec).await?;
            let canvas = Canvas::try_from(original.grid()?)?.varied(self.share, seed)?;
            Ok(Some(Begun { original, canvas }))
        };
        self.draw.run(USUAL, &inputs, begin, json).await
    }
}
