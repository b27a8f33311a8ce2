use clap::{Parser, Subcommand};
use tesserae::Result;

use crate::device::SelfTestArgs;
use crate::{blend, code, convert, encode, eval, init, inspect, plot, ship, train, tune};

/// Pictures to codebook tokens and back: VQ-VAE and VQ-GAN.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print one JSON object instead of text.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Encode a picture and decode it again.
    Reconstruct(code::Reconstruct),
    /// Turn a picture into a token file, or shards of pictures into shards of token files.
    Encode(encode::Args),
    /// Turn a token file into a picture.
    Decode(code::Decode),
    /// Say what is in a weight file.
    Inspect(inspect::Args),
    /// Turn weights of another project into this project's format.
    Convert(convert::Args),
    /// Weights between those of two trainings of one model, or beyond.
    Blend(blend::Args),
    /// Write random weights of a config or preset.
    Init(init::Args),
    /// Train a model on a folder of photos.
    Train(train::Args),
    /// Fine-tune a model on a few pictures.
    Tune(tune::Args),
    /// Draw the curves of a training's log.
    Plot(plot::Args),
    /// Measure a model on pictures, beside JPEG and WebP if asked.
    Eval(eval::Args),
    /// Put a weight file among the shipped models, with its measured quality.
    Ship(ship::Args),
    /// Test a device: what a GPU is tried with before it is used.
    #[command(hide = true)]
    SelfTest(SelfTestArgs),
}

impl Cli {
    /// Does what the command line asks for.
    pub async fn run(self) -> Result<()> {
        let json = self.json;
        match self.command {
            Command::Reconstruct(args) => args.run(json).await,
            Command::Encode(args) => args.run(json).await,
            Command::Decode(args) => args.run(json).await,
            Command::Inspect(args) => args.run(json),
            Command::Convert(args) => args.run(json).await,
            Command::Blend(args) => args.run(json).await,
            Command::Init(args) => args.run(json).await,
            Command::Train(args) => args.run(json).await,
            Command::Tune(args) => args.run(json).await,
            Command::Plot(args) => args.run(json),
            Command::Eval(args) => args.run(json).await,
            Command::Ship(args) => args.run(json).await,
            Command::SelfTest(args) => args.run(),
        }
    }
}
