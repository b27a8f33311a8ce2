//! The native command line: `tesserae --help`.

mod cli;
mod files;
mod train;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match pollster::block_on(cli::Cli::parse().run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tesserae: {error} [{}]", error.code());
            ExitCode::FAILURE
        }
    }
}
