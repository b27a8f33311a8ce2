use clap::{Parser, Subcommand};
use tesserae::Result;

use crate::train;

/// Pictures to codebook tokens and back: VQ-VAE and VQ-GAN.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a model on a folder of photos.
    Train(train::Args),
}

impl Cli {
    /// Does what the command line asks for.
    pub async fn run(self) -> Result<()> {
        match self.command {
            Command::Train(args) => args.run().await,
        }
    }
}
