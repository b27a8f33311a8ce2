use std::path::PathBuf;

use burn::tensor::Device;
use clap::ValueEnum;
use serde_json::json;
use tesserae::Result;
use tesserae::weights::{self, CheckedWeights, Storage};

use crate::files;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Weight file of any known family (safetensors).
    input: PathBuf,
    /// Weight file to write, in this project's format.
    output: PathBuf,
    /// How the weights are stored; they are computed in f32 either way.
    #[arg(long, value_enum, default_value_t = Dtype::F16)]
    dtype: Dtype,
    /// A config.json that came with it, for what shapes cannot tell.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Name to write into the weight file; the input's own unless given.
    #[arg(long)]
    name: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Dtype {
    F16,
    F32,
}

impl Args {
    pub fn run(self, json: bool) -> Result<()> {
        let config = self.config.as_deref().map(files::text).transpose()?;
        let checked = CheckedWeights::of(files::read(&self.input)?, config.as_deref())?;
        let loaded = weights::build(&checked, &Device::flex())?;
        let storage = match self.dtype {
            Dtype::F16 => Storage::F16,
            Dtype::F32 => Storage::F32,
        };
        let name = self.name.or(loaded.name);
        let bytes = weights::save(&loaded.model, &loaded.config, name.as_deref(), storage)?;
        files::write(&self.output, &bytes)?;
        if json {
            println!(
                "{}",
                json!({"family": checked.family.to_string(), "assumed": checked.assumed,
                    "parameters": loaded.parameters, "bytes": bytes.len()})
            );
        } else {
            println!(
                "{} parameters of a {} file in {} bytes",
                loaded.parameters,
                checked.family,
                bytes.len()
            );
            if !checked.assumed.is_empty() {
                println!("assumed {}", checked.assumed.join(", "));
            }
        }
        Ok(())
    }
}
