mod generator;
mod judging;
mod measured;
mod prior;

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde_json::json;
use tesserae::weights::{self, Companion, Loaded, Manifest, ManifestEntry};
use tesserae::{Codec, Error, ModelConfig, Result};

use crate::card::card;
use crate::eval::measure;
use crate::files;
use crate::model::FitArgs;
use crate::outputs::{Outputs, OverwriteArgs};
use crate::terminal;
use judging::JudgeArgs;
use measured::{Measured, round};

/// A download size that is reasonable on a phone.
const MAX_BYTES: usize = 8_000_000;
/// Additional download for fine-tuning.
const MAX_DISCRIMINATOR: usize = 6_000_000;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Weight file that contains a name (`train --name`).
    weights: PathBuf,
    /// The discriminator it was trained with, shipped next to it for fine-tuning.
    #[arg(long)]
    discriminator: Option<PathBuf>,
    #[command(flatten)]
    judging: JudgeArgs,
    /// The training data, in one sentence.
    #[arg(long)]
    trained_on: String,
    /// Hub identifiers of the training data sets, for the model card.
    #[arg(long, num_args = 1..)]
    dataset: Vec<String>,
    /// Licence of the weights.
    #[arg(long, default_value = "MIT OR Apache-2.0")]
    licence: String,
    /// Markdown for the model card: what the model is and is not suitable for.
    #[arg(long)]
    notes: PathBuf,
    #[command(flatten)]
    overwrite: OverwriteArgs,
}

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        let bytes = files::read(&self.weights)?;
        if bytes.len() > MAX_BYTES {
            return Err(Error::Argument(format!(
                "The weight file has {} bytes; at most {MAX_BYTES} are shipped",
                bytes.len()
            )));
        }
        let loaded = weights::load(bytes.clone(), &Device::flex())?;
        let name = loaded.name.clone().ok_or_else(|| {
            Error::Argument("The weight file has no name; train with --name".to_owned())
        })?;
        check_name(&name)?;
        // Read everything that could be missing before writing anything.
        let notes = files::text(&self.notes)?;
        let index = self.judging.models.join("index.json");
        let mut manifest = if index.is_file() {
            Manifest::from_json(&String::from_utf8_lossy(&files::read(&index)?))?
        } else {
            Manifest { models: vec![] }
        };
        let discriminator = self.discriminator.as_deref().map(judged).transpose()?;
        let file = format!("{name}.safetensors");
        let companion = discriminator.as_ref().map(|bytes| Companion {
            file: format!("{name}.discriminator.safetensors"),
            bytes: bytes.len() as u64,
            sha256: files::sha256(bytes),
        });
        // The weights may already be in this folder: what is written is what was read.
        let mut outputs = Outputs::new([self.notes.as_path()], self.overwrite.overwrite);
        let mut claim = |file: &str| outputs.claim(&self.judging.models.join(file));
        let (weights_out, card_out, index_out) = (
            claim(&file)?,
            claim(&format!("{name}.md"))?,
            claim("index.json")?,
        );
        let companion_out = companion.as_ref().map(|c| claim(&c.file)).transpose()?;
        let measured = match loaded.config {
            ModelConfig::Prior(_) => prior::measured(&self.judging, loaded.prior()?).await?,
            ModelConfig::Generator(_) => {
                generator::measured(&self.judging, loaded.generator()?).await?
            }
            _ => autoencoder(&self.judging, loaded.autoencoder()?, companion.is_some()).await?,
        };
        let entry = ManifestEntry {
            kind: measured.config.kind().to_owned(),
            stage: measured.stage.to_owned(),
            file,
            bytes: bytes.len() as u64,
            sha256: files::sha256(&bytes),
            config: measured.config,
            codebook: measured.codebook,
            retired: Vec::new(),
            needs: measured.needs,
            classes: measured.classes,
            sampling: measured.sampling,
            discriminator: companion,
            card: format!("{name}.md"),
            trained_on: self.trained_on,
            licence: self.licence,
            quality: measured.quality,
            name,
        };
        weights_out.write(&bytes)?;
        if let (Some(output), Some(bytes)) = (companion_out, &discriminator) {
            output.write(bytes)?;
        }
        card_out.write(card(&entry, &self.dataset, &notes).as_bytes())?;
        let (name, quality) = (entry.name.clone(), entry.quality.clone());
        manifest.put(entry);
        let mut text =
            serde_json::to_string_pretty(&manifest).map_err(|e| Error::Internal(e.to_string()))?;
        text.push('\n');
        index_out.write(text.as_bytes())?;
        match json {
            true => terminal::print_json(quality),
            false => terminal::print(format_args!("{name}: {quality}")),
        }
    }
}

/// Measures an autoencoder, which may have been trained against a discriminator.
async fn autoencoder(args: &JudgeArgs, loaded: Loaded, against: bool) -> Result<Measured> {
    let codec = Codec::new(loaded, &Device::flex());
    let report = measure(&codec, &args.judge, &FitArgs::square(256)).await?;
    let config = codec.config();
    let has_codes = !config.grids().is_empty();
    Ok(Measured {
        stage: match against {
            true => "vqgan",
            false => "vqvae",
        },
        config: config.clone().into(),
        codebook: has_codes.then(|| codec.hashes().codebook),
        needs: Vec::new(),
        classes: Vec::new(),
        sampling: None,
        quality: json!({
            "psnr": round(report.measured.psnr, 2), "ssim": round(report.measured.ssim, 4),
            "ms_ssim": round(report.measured.ms_ssim, 4),
            "gradient_energy": report.measured.gradient_energy.map(|g| round(g, 3)),
            "bpp": report.bpp.map(|bpp| round(bpp, 4)),
            "perplexity": report.perplexity.map(f64::round),
            "used": report.used, "pictures": report.images.len(),
            "judged_on": args.judged_on,
            "gmac_256": round(config.macs(256, 256)? as f64 / 1e9, 2),
            "parameters": codec.parameters(),
        }),
    })
}

/// Rejects a name that cannot be used unchanged as a file name and in a URL. With a dot it could be
/// another model's file, and `--model` would take it for a path.
fn check_name(name: &str) -> Result<()> {
    let known = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.len() <= 100
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(known)
    {
        return Ok(());
    }
    Err(Error::Argument(format!(
        "The weight file's name is `{name}`; a shipped model is named with letters, digits, `-` \
         and `_`, beginning with a letter or digit (`convert --name` renames it)"
    )))
}

/// Reads a discriminator's file, checking that it is one and not too large.
fn judged(path: &Path) -> Result<Vec<u8>> {
    weights::load_discriminator(&crate::weights::container(path)?, &Device::flex())?;
    let bytes = files::read(path)?;
    match bytes.len() {
        length if length <= MAX_DISCRIMINATOR => Ok(bytes),
        length => Err(Error::Argument(format!(
            "The discriminator has {length} bytes; at most {MAX_DISCRIMINATOR} are shipped"
        ))),
    }
}
