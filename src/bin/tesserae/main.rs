//! The native command line: `tesserae --help`.

mod blend;
mod bulk;
mod cli;
mod code;
mod codecs;
mod convert;
mod device;
mod encode;
mod eval;
mod files;
mod grid;
mod init;
mod inspect;
mod look;
mod merge;
mod model;
mod plot;
mod report;
mod shards;
mod ship;
mod train;
mod tune;
mod weights;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let json = cli.json;
    match pollster::block_on(cli.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if json {
                let text = error.to_string();
                println!(
                    "{}",
                    serde_json::json!({"code": error.code(), "error": text})
                );
            }
            eprintln!("tesserae: {error} [{}]", error.code());
            ExitCode::FAILURE
        }
    }
}
