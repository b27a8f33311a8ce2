use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::tensor::Device;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde_json::json;
use tesserae::train::{CropSampler, TrainConfig, Trainer};
use tesserae::weights::{self, Storage};
use tesserae::{Autoencoder, Error, Picture, Result};

use crate::files;

/// Steps between two checkpoints and two lines of the log.
const CHECKPOINT_EVERY: usize = 500;
const LOG_EVERY: usize = 50;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// JSON file: the model and how it is trained (see `train/photos-f8.json`).
    config: PathBuf,
    /// Folder of photos, searched below as well.
    #[arg(long)]
    data: PathBuf,
    /// Weight file to write, in f16. Beside it go full-precision checkpoints (.f32.safetensors) and
    /// the log, a line of JSON every 50 steps (.jsonl).
    #[arg(long)]
    out: PathBuf,
    /// Weight file to start from instead of random weights.
    #[arg(long)]
    from: Option<PathBuf>,
    /// Name to write into the weight file.
    #[arg(long)]
    name: Option<String>,
}

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        let config = TrainConfig::from_json(&files::text(&self.config)?)?;
        let device = Device::flex();
        device.seed(config.seed);
        let model = match &self.from {
            Some(path) => {
                let loaded = weights::load(files::read(path)?, &device)?;
                if loaded.config != config.model {
                    return Err(Error::WeightsMismatch(format!(
                        "{} was made with another model config",
                        path.display()
                    )));
                }
                loaded.model
            }
            None => Autoencoder::new(&config.model, &device)?,
        };
        let mut crops = CropSampler::new(
            read_photos(&self.data)?,
            config.crop,
            config.model.input_range(),
            config.seed,
        )?;
        let log_path = self.out.with_extension("jsonl");
        let mut log = File::create(&log_path).map_err(|e| Error::io(&log_path, e))?;
        eprintln!("training on {} photos", crops.photos());

        let stop = Arc::new(AtomicBool::new(false));
        let asked = stop.clone();
        ctrlc::set_handler(move || asked.store(true, Ordering::Relaxed))
            .map_err(|e| Error::Internal(e.to_string()))?;

        let mut trainer = Trainer::new(config.clone(), model, self.from.is_some(), &device)?;
        let bar = ProgressBar::new(config.steps as u64).with_style(
            ProgressStyle::with_template("{bar:30} {pos}/{len} {eta} {msg}")
                .map_err(|e| Error::Internal(e.to_string()))?,
        );
        let started = Instant::now();
        let (mut mse, mut commitment) = (0.0, 0.0);
        let mut last = json!({"step": 0});
        while !trainer.finished() && !stop.load(Ordering::Relaxed) {
            let report = trainer.step(&mut crops).await?;
            mse += report.mse / LOG_EVERY as f32;
            commitment += report.commitment / LOG_EVERY as f32;
            bar.inc(1);
            if report.step % LOG_EVERY == 0 {
                let usage = trainer.take_usage();
                let rate = (report.step * config.batch) as f64 / started.elapsed().as_secs_f64();
                let psnr = -10.0 * mse.log10();
                bar.set_message(format!(
                    "{psnr:.2} dB, {} codes, perplexity {:.0}, {rate:.1} crops/s",
                    usage.used, usage.perplexity
                ));
                last = json!({"step": report.step, "psnr": psnr, "commitment": commitment,
                    "learning_rate": report.learning_rate, "used": usage.used,
                    "perplexity": usage.perplexity, "crops_per_second": rate});
                writeln!(log, "{last}").map_err(|e| Error::io(&log_path, e))?;
                (mse, commitment) = (0.0, 0.0);
            }
            if report.step % CHECKPOINT_EVERY == 0 {
                self.checkpoint(&trainer, &config)?;
            }
        }
        bar.finish();
        self.checkpoint(&trainer, &config)?;
        if json {
            println!("{last}");
        }
        Ok(())
    }

    /// The weights in f16 to ship, and in f32 to go on from.
    fn checkpoint(&self, trainer: &Trainer, config: &TrainConfig) -> Result<()> {
        let model = trainer.model();
        let bytes = |storage| weights::save(&model, &config.model, self.name.as_deref(), storage);
        files::write(&self.out, &bytes(Storage::F16)?)?;
        files::write(
            &self.out.with_extension("f32.safetensors"),
            &bytes(Storage::F32)?,
        )
    }
}

/// Decodes a folder in parallel; what is no picture is counted and left out.
fn read_photos(folder: &std::path::Path) -> Result<Vec<Picture>> {
    let paths = files::pictures(&[folder.to_owned()])?;
    let read: Vec<Result<Picture>> = paths.par_iter().map(|path| files::picture(path)).collect();
    let (good, bad): (Vec<_>, Vec<_>) = read.into_iter().partition(Result::is_ok);
    if !bad.is_empty() {
        eprintln!("{} files could not be read and are left out", bad.len());
    }
    let photos: Vec<Picture> = good.into_iter().flatten().collect();
    if photos.is_empty() {
        return Err(Error::DatasetEmpty(folder.display().to_string()));
    }
    Ok(photos)
}
