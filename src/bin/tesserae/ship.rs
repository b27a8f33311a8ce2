use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde_json::json;
use sha2::{Digest, Sha256};
use tesserae::weights::{Manifest, ManifestEntry};
use tesserae::{Codec, Error, Result};

use crate::eval::measure;
use crate::files;
use crate::model::FitArgs;

/// What a phone can be asked to fetch.
const MAX_BYTES: usize = 8_000_000;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Weight file, with a name in it (`train --name`).
    weights: PathBuf,
    /// Pictures to measure it on: their centre squares at 256×256.
    #[arg(long, required = true, num_args = 1..)]
    judge: Vec<PathBuf>,
    /// The pictures that it learned from, in a sentence.
    #[arg(long)]
    trained_on: String,
    /// Licence of the weights.
    #[arg(long, default_value = "MIT OR Apache-2.0")]
    licence: String,
    /// Folder of shipped models, with their index.json.
    #[arg(long, default_value = "www/models")]
    models: PathBuf,
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
        let codec = Codec::from_weights(bytes.clone(), &Device::flex())?;
        let name = codec.name().map(str::to_owned).ok_or_else(|| {
            Error::Argument("The weight file has no name; train with --name".to_owned())
        })?;
        let report = measure(&codec, &self.judge, &FitArgs::square(256)).await?;
        let round = |value: f64, places: i32| {
            let scale = 10_f64.powi(places);
            (value * scale).round() / scale
        };
        let judged: Vec<String> = report.images.iter().map(|r| stem(&r.file)).collect();
        let file = format!("{name}.safetensors");
        let entry = ManifestEntry {
            kind: codec.config().kind().to_owned(),
            stage: "autoencoder".to_owned(),
            file: file.clone(),
            bytes: bytes.len() as u64,
            sha256: Sha256::digest(&bytes)
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect(),
            config: codec.config().clone(),
            needs: vec![],
            trained_on: self.trained_on,
            licence: self.licence,
            quality: json!({
                "psnr": round(report.psnr, 2), "ssim": round(report.ssim, 4),
                "bpp": report.bpp.map(|bpp| round(bpp, 4)),
                "perplexity": report.perplexity.map(f64::round),
                "used": report.used, "pictures": judged,
                "gmac_256": round(codec.config().macs(256, 256)? as f64 / 1e9, 2),
                "parameters": codec.parameters(),
            }),
            name,
        };
        files::write(&self.models.join(&file), &bytes)?;
        let index = self.models.join("index.json");
        let mut manifest = if index.is_file() {
            Manifest::from_json(&String::from_utf8_lossy(&files::read(&index)?))?
        } else {
            Manifest { models: vec![] }
        };
        if json {
            println!("{}", entry.quality);
        } else {
            println!("{}: {}", entry.name, entry.quality);
        }
        match manifest.models.iter_mut().find(|m| m.name == entry.name) {
            Some(old) => *old = entry,
            None => manifest.models.push(entry),
        }
        let mut text =
            serde_json::to_string_pretty(&manifest).map_err(|e| Error::Internal(e.to_string()))?;
        text.push('\n');
        files::write(&index, text.as_bytes())
    }
}

fn stem(file: &str) -> String {
    Path::new(file)
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}
