use std::path::PathBuf;

use serde_json::json;
use tesserae::weights::{CheckedWeights, Survey};
use tesserae::{Error, Result};

use crate::files;
use crate::model::ConfigArgs;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Weight file, or the index of a sharded one.
    weights: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
}

impl Args {
    pub fn run(self, json: bool) -> Result<()> {
        let config = self.config.text()?;
        let file = files::weights(&self.weights)?;
        let survey = Survey::of(file, config.as_deref())?;
        if !survey.faults.is_empty() {
            return Err(list_faults(&survey, json));
        }
        let checked = CheckedWeights::of_survey(survey)?;
        let config = &checked.config;
        let macs = config.macs(256, 256)?;
        if json {
            println!(
                "{}",
                json!({"family": checked.family.to_string(), "assumed": checked.assumed,
                    "aside": checked.aside.len(), "kind": config.kind(), "name": checked.name, "config": config, "tuning": checked.tuning,
                    "parameters": checked.parameters(), "tensors": checked.shapes.len(),
                    "factor": config.factor(), "grids": config.grids(), "codes": config.codes(),
                    "embed_dim": config.embed_dim(), "macs_256": macs,
                    "codebook_hash": checked.hashes.codebook,
                    "decoder_hash": checked.hashes.decoder})
            );
        } else {
            println!("{}", checked.name.as_deref().unwrap_or("(no name)"));
            println!("family      {}", checked.family);
            println!("config      {}", config.to_json()?);
            if let Some(tuning) = &checked.tuning {
                println!("tuned       {tuning}");
            }
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
            let grids = config.grids();
            if grids.is_empty() {
                println!("codes       none: latents of width {}", config.embed_dim());
            }
            for factor in grids {
                println!(
                    "codes       {} of width {}, one for each {factor}×{factor} pixels",
                    config.codes(),
                    config.embed_dim()
                );
            }
            println!("work        {:.2} GMAC for 256×256", macs as f64 / 1e9);
            println!(
                "hashes      codebook {}, decoder {}",
                checked.hashes.codebook, checked.hashes.decoder
            );
        }
        Ok(())
    }
}

/// Prints every tensor that does not fit.
fn list_faults(survey: &Survey, json: bool) -> Error {
    let faults: Vec<String> = survey.faults.iter().map(ToString::to_string).collect();
    let summary = match faults.as_slice() {
        [only] => only.clone(),
        all => format!("{} tensors do not fit", all.len()),
    };
    if json {
        // The error itself follows as an object of its own.
        eprintln!("{}", faults.join("\n"));
    } else {
        println!("family      {}", survey.family);
        println!(
            "config      {}",
            survey.config.to_json().unwrap_or_default()
        );
        for fault in &faults {
            println!("fault       {fault}");
        }
    }
    Error::WeightsMismatch(summary)
}
