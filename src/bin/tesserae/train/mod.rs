mod log;

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use tesserae::codec::Coder;
use tesserae::models::Config;
use tesserae::pixels::metrics::psnr;
use tesserae::train::{
    CodebookWatch, Event, Reconstruction, Rhythm, Role, Session, Start, TrainConfig,
};
use tesserae::weights::{self, Storage};
use tesserae::{Autoencoder, AutoencoderConfig, Error, Picture, Result};

use crate::device::{DeviceArgs, Opened};
use crate::outputs::{Output, Outputs};
use crate::weights::ConfigArgs;
use crate::{files, grid, outputs, signals, terminal};
use log::Log;

/// Steps between checkpoints, log lines, and evaluations on held-out pictures.
const RHYTHM: Rhythm = Rhythm {
    save: 500,
    log: 50,
    look: 500,
};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// JSON file with the model and training config (see `train/photos-f8.json`).
    config: PathBuf,
    /// Folder of training pictures, searched recursively.
    #[arg(long)]
    data: PathBuf,
    /// Folder of held-out pictures: their reconstructions are measured at intervals, and some are
    /// written to a sheet next to the weights (.png).
    #[arg(long)]
    held_out: Option<PathBuf>,
    /// Weight file to write, in f16. The checkpoint (.checkpoint), the discriminator
    /// (.discriminator.safetensors) and the log, one line of JSON every 50 steps (.jsonl), are
    /// written next to it.
    #[arg(long)]
    out: PathBuf,
    /// Weight file to start from instead of random weights. If its codebook size differs, its
    /// codebook is left out and initialised as without one.
    #[arg(long)]
    from: Option<PathBuf>,
    /// Resume from the checkpoint, if there is one.
    #[arg(long)]
    resume: bool,
    /// Start over even if there is a checkpoint, and allow outputs to replace input files.
    #[arg(long, conflicts_with = "resume")]
    overwrite: bool,
    /// Initial weights of the discriminator: its own weight file, or a checkpoint that contains
    /// one.
    #[arg(long)]
    discriminator: Option<PathBuf>,
    /// Files with LPIPS's weights: torchvision's VGG16 and the package's own.
    #[arg(long, num_args = 1..=2)]
    lpips: Vec<PathBuf>,
    /// Weights of the network of features, from `train/perceptual.sh`.
    #[arg(long, value_name = "FILE")]
    features: Option<PathBuf>,
    /// Model name to store in the weight file.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    device: DeviceArgs,
}

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        self.run_on(DeviceArgs::open_to_train, json).await
    }

    /// Trains on the device returned by `open`.
    async fn run_on(
        self,
        open: impl FnOnce(&DeviceArgs) -> Result<Opened>,
        json: bool,
    ) -> Result<()> {
        let outputs = self.outputs()?;
        let config = TrainConfig::from_json(&files::text(&self.config)?)?;
        let device = open(&self.device)?;
        device.seed(config.seed);
        let (model, trained) = self.model(&config, &device)?;
        let start = self.start(trained, &device)?;
        let held_out = match &self.held_out {
            Some(folder) => self.read_pictures(folder)?,
            None => Vec::new(),
        };
        let pictures = self.read_pictures(&self.data)?;
        let mut session = Session::train(&config, model, start, pictures, &device, RHYTHM)?;
        let checkpoint = outputs.checkpoint.path();
        let resumed = self.resumes();
        if resumed {
            session.resume(&files::read(checkpoint)?)?;
            terminal::warn(format_args!("resuming after {} steps", session.done()));
        }
        let count = session.data().photos();
        let plural = if count == 1 { "" } else { "s" };
        terminal::warn(format_args!("training on {count} picture{plural}"));

        let hold = signals::Hold::new();
        if self.overwrite && outputs.checkpoint.is_file() && checkpoint.exists() {
            // It does not belong to the new log, and --resume must not take it for the new
            // training's. A device or a pipe contains no old checkpoint.
            fs::canonicalize(checkpoint)
                .and_then(fs::remove_file)
                .map_err(|e| Error::io(checkpoint, e))?;
        }
        let mut log = Log::open(outputs.log.clone(), resumed, session.done())?;
        let mut watch = CodebookWatch::new(&config, trained);
        let bar = ProgressBar::new(config.steps as u64).with_style(
            ProgressStyle::with_template("{bar:30} {pos}/{len} {eta} {msg}")
                .map_err(|e| Error::Internal(e.to_string()))?,
        );
        bar.set_position(session.done() as u64);
        let mut looked = None;
        loop {
            match signals::status() {
                Some(_) => session.stop(),
                None if session.step_is_due() => {
                    device.check_sometimes().map_err(|e| self.kept(e))?;
                }
                None => {}
            }
            match session.next().await? {
                Some(Event::Step(report)) => {
                    log.add(&report);
                    bar.inc(1);
                }
                Some(Event::Save) => self.save(&outputs, &session, &device).await?,
                Some(Event::Look) => looked = look(&outputs, &session, &held_out, &device).await?,
                Some(Event::Log) => {
                    let was_collapsed = watch.collapsed().is_some();
                    let held_out = looked.take();
                    let message = log
                        .write(&mut session, &config, &mut watch, held_out)
                        .await?;
                    bar.set_message(message);
                    if let Some(collapse) = watch.collapsed().filter(|_| !was_collapsed) {
                        let done = session.done();
                        bar.suspend(|| {
                            terminal::warn(format_args!("after {done} steps: {collapse}"));
                        });
                    }
                }
                None => break,
            }
        }
        bar.finish();
        if !session.finished() {
            let done = session.done();
            terminal::warn(format_args!(
                "stopped and saved after {done} steps; --resume continues"
            ));
        }
        drop(hold);
        if let Some(collapse) = watch.collapsed() {
            terminal::warn(format_args!("at the end: {collapse}"));
        }
        if json {
            terminal::print_json(log.last)?;
        }
        Ok(())
    }

    /// Whether there is a checkpoint to resume from.
    fn resumes(&self) -> bool {
        self.resume && self.out.with_extension("checkpoint").is_file()
    }

    /// The pictures in `folder`, except the sheet that an earlier run of this training left among
    /// them.
    fn pictures(&self, folder: &PathBuf) -> Result<Vec<PathBuf>> {
        let mut found = files::pictures(std::slice::from_ref(folder))?;
        // On a first run, a picture at the sheet's path is the user's own.
        if self.held_out.is_some() && (self.overwrite || self.resumes()) {
            let sheet = self.out.with_extension("png");
            found.retain(|path| !outputs::is_same(path, &sheet));
        }
        Ok(found)
    }

    fn read_pictures(&self, folder: &PathBuf) -> Result<Vec<Picture>> {
        let found = self.pictures(folder)?;
        files::read_found(std::slice::from_ref(folder), &found, files::picture)
    }

    /// The output paths, all checked.
    fn outputs(&self) -> Result<Files> {
        let beside = |extension| self.out.with_extension(extension);
        let checkpoint = beside("checkpoint");
        if checkpoint.exists() && !self.resume && !self.overwrite {
            return Err(Error::Argument(format!(
                "{} already exists: --resume continues that training, --overwrite starts over",
                checkpoint.display()
            )));
        }
        let mut inputs = vec![self.config.clone()];
        let weights = [&self.from, &self.discriminator].into_iter().flatten();
        inputs.extend(
            weights
                .chain(&self.lpips)
                .chain(&self.features)
                .flat_map(|path| crate::weights::inputs(path)),
        );
        let folders = [Some(&self.data), self.held_out.as_ref()];
        for folder in folders.into_iter().flatten() {
            inputs.extend(self.pictures(folder)?);
        }
        // A resumed run may replace whatever the original run was allowed to.
        let overwrite = self.overwrite || self.resumes();
        let mut outputs = Outputs::new(inputs.iter().map(PathBuf::as_path), overwrite);
        let mut claim = |path: &Path| outputs.claim(path);
        let weights = claim(&self.out)?;
        if !weights.is_file() {
            let told = "--out must name a file; the others are written next to it";
            return Err(Error::Argument(told.to_owned()));
        }
        let sheet = self.held_out.as_ref().map(|_| claim(&beside("png")));
        Ok(Files {
            weights,
            checkpoint: claim(&checkpoint)?,
            discriminator: claim(&beside("discriminator.safetensors"))?,
            log: claim(&beside("jsonl"))?,
            sheet: sheet.transpose()?,
        })
    }

    /// The initial model, and whether its codebook is trained: weights with a different codebook
    /// size only provide the layers.
    fn model(&self, config: &TrainConfig, device: &Device) -> Result<(Autoencoder, bool)> {
        let fresh = Autoencoder::new(&config.model, device)?;
        let Some(path) = &self.from else {
            return Ok((fresh, false));
        };
        let mut loaded =
            crate::weights::load(path, &ConfigArgs::default(), device)?.autoencoder()?;
        if loaded.config.architecture() == config.model.architecture() {
            return Ok((loaded.network, true));
        }
        if but_codes(&loaded.config)? != but_codes(&config.model)? {
            let path = path.display();
            let message = format!("{path} has a different model config");
            return Err(Error::WeightsMismatch(message));
        }
        let theirs = loaded.network.vector_quantizers_mut().into_iter();
        for (theirs, ours) in theirs.zip(fresh.vector_quantizers()) {
            theirs.set_codebook(ours.embedding.weight.val());
        }
        Ok((loaded.network, false))
    }

    fn start(&self, trained: bool, device: &Device) -> Result<Start> {
        let discriminator = self.discriminator.as_deref();
        let discriminator = discriminator
            .map(|path| weights::load_discriminator(&crate::weights::container(path)?, device))
            .transpose()?;
        let lpips: Vec<_> = self
            .lpips
            .iter()
            .map(|path| crate::weights::container(path))
            .collect();
        let lpips = lpips.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(Start {
            trained,
            discriminator,
            features: self
                .features
                .as_deref()
                .map(|path| weights::load_features(&crate::weights::container(path)?, device))
                .transpose()?,
            perceptual: match lpips.is_empty() {
                true => None,
                false => Some(weights::load_lpips(&lpips, device)?),
            },
        })
    }

    /// Adds to a device error that the training can be resumed.
    fn kept(&self, error: Error) -> Error {
        match error {
            Error::SelfTestFailed(reason) if self.out.with_extension("checkpoint").is_file() => {
                Error::SelfTestFailed(format!(
                    "{reason}, and `--resume` continues from the last checkpoint"
                ))
            }
            error => error,
        }
    }

    /// Saves the weights in f16 for shipping, and the checkpoint for resuming.
    async fn save(
        &self,
        outputs: &Files,
        session: &Session<Reconstruction>,
        device: &Opened,
    ) -> Result<()> {
        // Results of a broken device must not replace earlier ones.
        device.check().map_err(|e| self.kept(e))?;
        // First, as it fails if a value is not finite.
        let checkpoint = session.checkpoint().await?;
        let name = self.name.as_deref();
        for artifact in session.artifacts(name, Storage::F16).await? {
            let output = match artifact.role {
                Role::Weights => &outputs.weights,
                Role::Discriminator => &outputs.discriminator,
            };
            output.write(&artifact.bytes)?;
        }
        outputs.checkpoint.write(&checkpoint)
    }
}

/// The files that a training writes.
struct Files {
    weights: Output,
    checkpoint: Output,
    /// Only for adversarial training.
    discriminator: Output,
    log: Output,
    /// Only with held-out pictures.
    sheet: Option<Output>,
}

/// Mean PSNR over the held-out pictures, and a sheet of some of them.
async fn look(
    outputs: &Files,
    session: &Session<Reconstruction>,
    held_out: &[Picture],
    device: &Device,
) -> Result<Option<f64>> {
    if held_out.is_empty() {
        return Ok(None);
    }
    let task = session.task();
    let coder = Coder::new(task.model(), task.config().model.clone(), device);
    let unwatched = &mut async |_, _, _| true;
    let (mut sum, mut shown) = (0.0, Vec::new());
    for picture in held_out {
        let picture = picture.fit(grid::SIDE, true);
        let rebuilt = coder.reconstruct_with(&picture, None, unwatched).await?;
        sum += psnr(&picture, &rebuilt)?;
        shown.push(vec![picture, rebuilt]);
    }
    if let Some(sheet) = &outputs.sheet {
        sheet.write(&grid::sheet(&shown)?.png()?)?;
    }
    Ok(Some(sum / held_out.len() as f64))
}

/// A model's config without its codebook sizes.
fn but_codes(config: &AutoencoderConfig) -> Result<Value> {
    let mut json: Value =
        serde_json::to_value(config.architecture()).map_err(|e| Error::Internal(e.to_string()))?;
    if let Some(fields) = json.as_object_mut() {
        fields.remove("n_embed");
    }
    Ok(json)
}

#[cfg(test)]
mod tests;
