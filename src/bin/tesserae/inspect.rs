use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;
use tesserae::weights::{CheckedWeights, Corpus, Survey};
use tesserae::{Error, Result};

use crate::terminal;
use crate::weights::{ConfigArgs, key, report, survey};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Weight file, index of a sharded one, or a folder with either.
    weights: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
}

impl Args {
    pub fn run(self, json: bool) -> Result<()> {
        let survey = survey(&self.weights, &self.config)?;
        if !survey.faults.is_empty() {
            return Err(list_faults(&survey, json)?);
        }
        let checked = CheckedWeights::of_survey(survey)?;
        report(&checked);
        let config = &checked.config;
        let geometry = config.autoencoder().ok();
        let macs = geometry.map(|g| g.macs(256, 256)).transpose()?;
        let passed_over = [checked.passed_over(), &checked.others].concat();
        if json {
            terminal::print_json(
                json!({"family": checked.family.to_string(), "assumed": checked.assumed,
                    "aside": checked.aside.len(), "aside_names": checked.aside,
                    "prefix": checked.prefix, "taken": checked.taken(),
                    "passed_over": passed_over, "kind": config.kind(), "name": checked.name, "config": config, "tuning": checked.tuning, "corpus": checked.corpus,
                    "parameters": checked.parameters(), "tensors": checked.shapes.len(),
                    "factor": geometry.map(|g| g.factor()), "grids": geometry.map(|g| g.grids()),
                    "codes": geometry.map(|g| g.codes()),
                    "embed_dim": geometry.map(|g| g.embed_dim()), "macs_256": macs,
                    "encoder_hash": checked.hashes.encoder,
                    "codebook_hash": checked.hashes.codebook,
                    "decoder_hash": checked.hashes.decoder}),
            )?;
        } else {
            terminal::print(checked.name.as_deref().unwrap_or("(no name)"))?;
            terminal::print(format_args!("family      {}", checked.family))?;
            terminal::print(format_args!("config      {}", config.to_json()?))?;
            if let Some(tuning) = &checked.tuning {
                terminal::print(format_args!("tuned       {tuning}"))?;
            }
            if let Some(corpus) = &checked.corpus {
                let Corpus {
                    tokenizer,
                    codebook,
                    classes,
                } = corpus;
                terminal::print(format_args!(
                    "predicts    tokens of {tokenizer}, codebook {codebook}"
                ))?;
                if !classes.is_empty() {
                    terminal::print(format_args!("classes     {}", classes.join(", ")))?;
                }
            }
            if !checked.assumed.is_empty() {
                terminal::print(format_args!("assumed     {}", checked.assumed.join(", ")))?;
            }
            if !checked.taken().is_empty() {
                terminal::print(format_args!("found under {}", key(checked.taken())))?;
            }
            for other in &passed_over {
                terminal::print(format_args!("passed over {}", key(other)))?;
            }
            if !checked.prefix.is_empty() {
                terminal::print(format_args!("names under {}", key(&checked.prefix)))?;
            }
            if !checked.aside.is_empty() {
                terminal::print(format_args!("unused      {} tensors", checked.aside.len()))?;
                for group in groups(&checked.aside) {
                    terminal::print(format_args!("            {group}"))?;
                }
            }
            terminal::print(format_args!(
                "parameters  {} in {} tensors",
                checked.parameters(),
                checked.shapes.len()
            ))?;
            if let Some(geometry) = geometry {
                let width = geometry.embed_dim();
                let grids = geometry.grids();
                if grids.is_empty() {
                    terminal::print(format_args!("codes       none: latents of width {width}"))?;
                }
                for factor in grids {
                    terminal::print(format_args!(
                        "codes       {} of width {width}, one for each {factor}×{factor} pixels",
                        geometry.codes()
                    ))?;
                }
            }
            if let Some(macs) = macs {
                terminal::print(format_args!(
                    "work        {:.2} GMAC for 256×256",
                    macs as f64 / 1e9
                ))?;
            }
            if let Ok(prior) = config.prior() {
                let macs = prior.pass_macs() as f64 / 1e9;
                terminal::print(format_args!(
                    "work        {macs:.3} GMAC for all tokens once"
                ))?;
                return Ok(());
            }
            if let Ok(generator) = config.generator() {
                let macs = generator.pass_macs() as f64 / 1e9;
                terminal::print(format_args!("work        {macs:.3} GMAC for one pass"))?;
                return Ok(());
            }
            terminal::print(format_args!(
                "hashes      codebook {}, decoder {}, encoder {}",
                checked.hashes.codebook, checked.hashes.decoder, checked.hashes.encoder
            ))?;
        }
        Ok(())
    }
}

/// The names, or if there are many, their prefixes with counts.
fn groups(names: &[String]) -> Vec<String> {
    const FEW: usize = 12;
    if names.len() <= FEW {
        return names.iter().map(|name| key(name)).collect();
    }
    let mut groups = BTreeMap::<&str, usize>::new();
    for name in names {
        let first = name.split('.').next().unwrap_or(name);
        *groups.entry(first).or_default() += 1;
    }
    let groups = groups.into_iter();
    groups
        .map(|(first, count)| format!("{} in {count} tensors", key(first)))
        .collect()
}

/// Prints every tensor that does not match.
fn list_faults(survey: &Survey, json: bool) -> Result<Error> {
    let faults: Vec<String> = survey.faults.iter().map(ToString::to_string).collect();
    let summary = match faults.as_slice() {
        [only] => only.clone(),
        all => format!("{} tensors do not match", all.len()),
    };
    if json {
        // The error itself follows as a separate object.
        faults.iter().for_each(terminal::warn);
    } else {
        terminal::print(format_args!("family      {}", survey.family))?;
        terminal::print(format_args!(
            "config      {}",
            survey.config.to_json().unwrap_or_default()
        ))?;
        for fault in &faults {
            terminal::print(format_args!("fault       {fault}"))?;
        }
    }
    Ok(Error::WeightsMismatch(summary))
}
