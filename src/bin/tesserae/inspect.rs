use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde_json::json;
use tesserae::weights::{self, CheckedWeights, Storage};
use tesserae::{Autoencoder, ModelConfig, Result};

use crate::files;

#[derive(Debug, clap::Args)]
pub struct Inspect {
    /// Weight file (safetensors).
    weights: PathBuf,
    /// A config.json that came with it, for what shapes cannot tell.
    #[arg(long)]
    config: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub struct Init {
    /// A preset's name, or a JSON file with a model config.
    config: String,
    /// Weight file to write.
    output: PathBuf,
    /// Seed of the random weights.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Store in full precision instead of half.
    #[arg(long)]
    f32: bool,
    /// Name to write into the weight file.
    #[arg(long)]
    name: Option<String>,
}

impl Inspect {
    pub fn run(self, json: bool) -> Result<()> {
        let config = self.config.as_deref().map(files::text).transpose()?;
        let checked = CheckedWeights::of(files::read(&self.weights)?, config.as_deref())?;
        // Building the model finds what is missing, misshapen or too much.
        weights::build(&checked, &Device::flex())?;
        let config = &checked.config;
        let macs = config.macs(256, 256)?;
        if json {
            println!(
                "{}",
                json!({"family": checked.family.to_string(), "assumed": checked.assumed,
                    "aside": checked.aside.len(), "kind": config.kind(), "name": checked.name, "config": config,
                    "parameters": checked.parameters(), "tensors": checked.shapes.len(),
                    "factor": config.factor(), "codes": config.codes(),
                    "embed_dim": config.embed_dim(), "macs_256": macs,
                    "codebook_hash": checked.hashes.codebook,
                    "decoder_hash": checked.hashes.decoder})
            );
        } else {
            println!("{}", checked.name.as_deref().unwrap_or("(no name)"));
            println!("family      {}", checked.family);
            println!("config      {}", config.to_json()?);
            if !checked.assumed.is_empty() {
                println!("assumed     {}", checked.assumed.join(", "));
            }
            if !checked.aside.is_empty() {
                println!("aside       {} tensors of no use here", checked.aside.len());
            }
            println!(
                "parameters  {} in {} tensors",
                checked.parameters(),
                checked.shapes.len()
            );
            println!(
                "codes       {} of width {}, one for each {2}×{2} pixels",
                config.codes(),
                config.embed_dim(),
                config.factor()
            );
            println!("work        {:.2} GMAC for 256×256", macs as f64 / 1e9);
            println!(
                "hashes      codebook {}, decoder {}",
                checked.hashes.codebook, checked.hashes.decoder
            );
        }
        Ok(())
    }
}

impl Init {
    pub fn run(self, json: bool) -> Result<()> {
        let config = if Path::new(&self.config).is_file() {
            ModelConfig::from_json(&files::text(Path::new(&self.config))?)?
        } else {
            ModelConfig::preset(&self.config)?
        };
        let device = Device::flex();
        device.seed(self.seed);
        let model = Autoencoder::new(&config, &device)?;
        let storage = if self.f32 { Storage::F32 } else { Storage::F16 };
        let bytes = weights::save(&model, &config, self.name.as_deref(), storage)?;
        files::write(&self.output, &bytes)?;
        if json {
            println!("{}", json!({"bytes": bytes.len()}));
        } else {
            println!("{} bytes of random weights", bytes.len());
        }
        Ok(())
    }
}
