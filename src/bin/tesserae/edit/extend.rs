use tesserae::Result;
use tesserae::generate::{Canvas, Margins};

use super::{OriginalArgs, USUAL};
use crate::draw::{Begun, DrawArgs};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    original: OriginalArgs,
    /// Rows of tokens to add above.
    #[arg(long, default_value_t = 0)]
    top: usize,
    /// Columns of tokens to add to the right.
    #[arg(long, default_value_t = 0)]
    right: usize,
    /// Rows of tokens to add below.
    #[arg(long, default_value_t = 0)]
    bottom: usize,
    /// Columns of tokens to add to the left.
    #[arg(long, default_value_t = 0)]
    left: usize,
    #[command(flatten)]
    draw: DrawArgs,
}

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        let inputs = [self.original.input.clone()];
        let begin = async |codec: &_| {
            let original = self.original.tokens(codec).await?;
            let margins = Margins {
                top: self.top,
                right: self.right,
                bottom: self.bottom,
                left: self.left,
            };
            let canvas = Canvas::try_from(original.grid()?)?.extended(margins)?;
            Ok(Some(Begun { original, canvas }))
        };
        self.draw.run(USUAL, &inputs, begin, json).await
    }
}
