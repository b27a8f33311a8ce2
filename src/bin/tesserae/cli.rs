use clap::{Parser, Subcommand};
use tesserae::Result;

use crate::device::SelfTestArgs;
use crate::{
    code, convert, edit, encode, eval, eval_augment, eval_fill, eval_samples, init, inspect,
    interpolate, plot, sample, ship, train, tune,
};

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
    /// Encode a picture to a token file, or shards of pictures to shards of token files.
    Encode(encode::Args),
    /// Decode a token file to a picture.
    Decode(code::Decode),
    /// Show what a weight file contains.
    Inspect(inspect::Args),
    /// Convert weights from another project to this project's format.
    Convert(convert::Args),
    /// Interpolate or extrapolate between the weights of two trainings of one model.
    Interpolate(interpolate::Args),
    /// Write randomly initialised weights for a config or preset.
    Init(init::Args),
    /// Sample new pictures from a prior.
    Sample(sample::Args),
    /// Fill a part of a picture with new tokens from a prior.
    Fill(edit::Fill),
    /// Extend a picture beyond its edges with tokens from a prior.
    Extend(edit::Extend),
    /// Draw some of a picture's tokens again, from a prior.
    Vary(edit::Vary),
    /// Blend two pictures by their latents, or by a mask over their tokens.
    Blend(edit::Blend),
    /// Train a model on a folder of photos.
    Train(train::Args),
    /// Fine-tune a model on a few pictures.
    Tune(tune::Args),
    /// Plot the curves of a training log.
    Plot(plot::Args),
    /// Measure a model's quality on pictures, optionally compared with JPEG and WebP.
    Eval(eval::Args),
    /// Measure samples of a prior or a generator against real pictures, and a prior's bits a token.
    EvalSamples(eval_samples::Args),
    /// Measure whether pictures that a model has made help to train a classifier on few real ones.
    EvalAugment(eval_augment::Args),
    /// Measure how well a prior fills a hole in pictures.
    EvalFill(eval_fill::Args),
    /// Add a weight file to the shipped models, with its measured quality.
    Ship(ship::Args),
    /// Test a device; run before a GPU is used.
    #[command(hide = true)]
    SelfTest(SelfTestArgs),
}

impl Cli {
    /// Runs the command.
    pub async fn run(self) -> Result<()> {
        let json = self.json;
        match self.command {
            Command::Reconstruct(args) => args.run(json).await,
            Command::Encode(args) => args.run(json).await,
            Command::Decode(args) => args.run(json).await,
            Command::Inspect(args) => args.run(json),
            Command::Convert(args) => args.run(json).await,
            Command::Interpolate(args) => args.run(json).await,
            Command::Init(args) => args.run(json).await,
            Command::Sample(args) => args.run(json).await,
            Command::Fill(args) => args.run(json).await,
            Command::Extend(args) => args.run(json).await,
            Command::Vary(args) => args.run(json).await,
            Command::Blend(args) => args.run(json).await,
            Command::Train(args) => args.run(json).await,
            Command::Tune(args) => args.run(json).await,
            Command::Plot(args) => args.run(json),
            Command::Eval(args) => args.run(json).await,
            Command::EvalSamples(args) => args.run(json).await,
            Command::EvalAugment(args) => args.run(json),
            Command::EvalFill(args) => args.run(json).await,
            Command::Ship(args) => args.run(json).await,
            Command::SelfTest(args) => args.run(),
        }
    }
}
