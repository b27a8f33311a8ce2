//! The native command line: `tesserae --help`.
// All printing goes through `terminal`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod bulk;
mod card;
mod classifier;
mod cli;
mod code;
mod codecs;
mod convert;
mod device;
mod draw;
mod edit;
mod encode;
mod eval;
mod eval_augment;
mod eval_fill;
mod eval_samples;
mod files;
mod grid;
mod init;
mod inspect;
mod interpolate;
mod judge;
mod labelled;
mod look;
mod merge;
mod model;
mod outputs;
mod plot;
mod prior;
mod report;
mod sample;
mod shards;
mod ship;
mod signals;
mod terminal;
mod train;
mod tune;
mod weights;

use clap::Parser;
use serde_json::json;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let json = cli.json;
    match signals::listen().and_then(|()| pollster::block_on(cli.run())) {
        Ok(()) => signals::status().map_or(ExitCode::SUCCESS, ExitCode::from),
        Err(error) => {
            let (text, code) = (error.to_string(), error.code());
            if json {
                // If this cannot be printed, the line below still can.
                let _ = terminal::print_json(json!({"code": code, "error": text}));
            }
            terminal::warn(format_args!("tesserae: {text} [{code}]"));
            ExitCode::FAILURE
        }
    }
}
