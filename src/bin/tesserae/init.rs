use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde_json::json;
use tesserae::models::Model;
use tesserae::weights::{self, About};
use tesserae::{ModelConfig, Result};

use crate::convert::Dtype;
use crate::files;
use crate::outputs::{Outputs, OverwriteArgs};
use crate::terminal;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of a preset, or a JSON file with a model config.
    config: String,
    /// Weight file to write.
    output: PathBuf,
    /// Seed for the random weights.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Storage type of the weights.
    #[arg(long, value_enum, default_value_t = Dtype::F16)]
    dtype: Dtype,
    /// Model name to store in the weight file.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    overwrite: OverwriteArgs,
}

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        let file = Path::new(&self.config);
        let output = Outputs::new([file], self.overwrite.overwrite).claim(&self.output)?;
        let config = if file.is_file() {
            ModelConfig::from_json(&files::text(file)?)?
        } else {
            ModelConfig::preset(&self.config)?
        };
        let device = Device::flex();
        device.seed(self.seed);
        let model = Model::new(&config, &device)?;
        let bytes = weights::save(
            &model,
            &config,
            About::named(self.name.as_deref()),
            self.dtype.into(),
        )
        .await?;
        output.write(&bytes)?;
        if json {
            terminal::print_json(json!({"bytes": bytes.len()}))?;
        } else {
            terminal::print(format_args!("{} bytes of random weights", bytes.len()))?;
        }
        Ok(())
    }
}
