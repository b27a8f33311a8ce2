mod log;

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use tesserae::pixels::metrics::psnr;
use tesserae::train::{
    CodebookWatch, Event, Reconstruction, Rhythm, Role, Session, Start, TrainConfig,
};
use tesserae::weights::{self, Storage};
use tesserae::{Autoencoder, AutoencoderConfig, Codec, Error, Picture, Result};

use crate::device::{DeviceArgs, Opened};
use crate::model::ConfigArgs;
use crate::outputs::{Output, Outputs};
use crate::{files, grid, outputs, signals, terminal};
use log::Log;

/// Steps between two checkpoints, two lines of the log, and two looks at held-out pictures.
const RHYTHM: Rhythm = Rhythm {
    save: 500,
    log: 50,
    look: 500,
};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// JSON file: the model and how it is trained (see `train/photos-f8.json`).
    config: PathBuf,
    /// Folder of pictures, searched below as well.
    #[arg(long)]
    data: PathBuf,
    /// Folder of pictures that are not learned from: now and then their reconstructions are
    /// measured, and some are laid out beside the weights (.png).
    #[arg(long)]
    held_out: Option<PathBuf>,
    /// Weight file to write, in f16. Beside it go the checkpoint (.checkpoint), the discriminator
    /// (.discriminator.safetensors) and the log, a line of JSON every 50 steps (.jsonl).
    #[arg(long)]
    out: PathBuf,
    /// Weight file to start from instead of random weights. With another number of codes its codebook
    /// is left out, and begins as without one.
    #[arg(long)]
    from: Option<PathBuf>,
    /// Go on from the checkpoint, if there is one.
    #[arg(long)]
    resume: bool,
    /// Begin anew where a checkpoint is, and allow an output to replace a file that is read.
    #[arg(long, conflicts_with = "resume")]
    overwrite: bool,
    /// Weights to start the discriminator from: a file of its own, or a checkpoint with one.
    #[arg(long)]
    discriminator: Option<PathBuf>,
    /// Files with LPIPS's weights: torchvision's VGG16 and the package's own.
    #[arg(long, num_args = 1..=2)]
    lpips: Vec<PathBuf>,
    /// Name to write into the weight file.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    device: DeviceArgs,
}

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        self.run_on(DeviceArgs::open_to_train, json).await
    }

    /// Trains on the device that `open` gives.
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
            terminal::warn(format_args!("going on after {} steps", session.done()));
        }
        let count = session.data().photos();
        let plural = if count == 1 { "" } else { "s" };
        terminal::warn(format_args!("training on {count} picture{plural}"));

        let hold = signals::Hold::new();
        if self.overwrite && outputs.checkpoint.is_file() && checkpoint.exists() {
            // It does not belong to the new log, nor may --resume take it for the new training's.
            // A device or a pipe holds no old checkpoint.
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
                None => device.check_sometimes().map_err(|e| self.kept(e))?,
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
                "stopped and saved after {done} steps; --resume goes on"
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

    /// Whether a checkpoint is there to go on from.
    fn resumes(&self) -> bool {
        self.resume && self.out.with_extension("checkpoint").is_file()
    }

    /// The pictures in `folder`, without the sheet that an earlier run of this training left among
    /// them.
    fn pictures(&self, folder: &PathBuf) -> Result<Vec<PathBuf>> {
        let mut found = files::pictures(std::slice::from_ref(folder))?;
        // Of a first run, a picture in the sheet's place is somebody's.
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

    /// Where everything goes, all of it checked.
    fn outputs(&self) -> Result<Files> {
        let beside = |extension| self.out.with_extension(extension);
        let checkpoint = beside("checkpoint");
        if checkpoint.exists() && !self.resume && !self.overwrite {
            return Err(Error::Argument(format!(
                "{} is there: --resume goes on with that training, --overwrite begins anew",
                checkpoint.display()
            )));
        }
        let mut inputs = vec![self.config.clone()];
        let weights = [&self.from, &self.discriminator].into_iter().flatten();
        inputs.extend(
            weights
                .chain(&self.lpips)
                .flat_map(|path| crate::weights::inputs(path)),
        );
        let folders = [Some(&self.data), self.held_out.as_ref()];
        for folder in folders.into_iter().flatten() {
            inputs.extend(self.pictures(folder)?);
        }
        // What the checkpoint's own run was allowed to replace, it goes on replacing.
        let overwrite = self.overwrite || self.resumes();
        let mut outputs = Outputs::new(inputs.iter().map(PathBuf::as_path), overwrite);
        let mut claim = |path: &Path| outputs.claim(path);
        let weights = claim(&self.out)?;
        if !weights.is_file() {
            let told = "--out must name a file, beside which the others go";
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

    /// The model to start with, and whether its codebook is one: weights with another number of codes
    /// give their layers alone.
    fn model(&self, config: &TrainConfig, device: &Device) -> Result<(Autoencoder, bool)> {
        let fresh = Autoencoder::new(&config.model, device)?;
        let Some(path) = &self.from else {
            return Ok((fresh, false));
        };
        let mut loaded =
            crate::weights::load(path, &ConfigArgs::default(), device)?.autoencoder()?;
        if loaded.config == config.model {
            return Ok((loaded.network, true));
        }
        if but_codes(&loaded.config)? != but_codes(&config.model)? {
            let path = path.display();
            let message = format!("{path} was made with another model config");
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
            perceptual: match lpips.is_empty() {
                true => None,
                false => Some(weights::load_lpips(&lpips, device)?),
            },
        })
    }

    /// Says that a training whose device cannot be used any more is not lost.
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

    /// The weights in f16 to ship, and everything else to go on from.
    async fn save(
        &self,
        outputs: &Files,
        session: &Session<Reconstruction>,
        device: &Opened,
    ) -> Result<()> {
        // What a broken device computed must not replace what it computed before.
        device.check().map_err(|e| self.kept(e))?;
        // First, as it refuses what no longer holds numbers.
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
    /// Only of a training with an adversary.
    discriminator: Output,
    log: Output,
    /// Only with held-out pictures.
    sheet: Option<Output>,
}

/// Mean PSNR over the held-out pictures, and the sheet of some of them.
async fn look(
    outputs: &Files,
    session: &Session<Reconstruction>,
    held_out: &[Picture],
    device: &Device,
) -> Result<Option<f64>> {
    if held_out.is_empty() {
        return Ok(None);
    }
    let codec = Codec::new(session.model().await?, device);
    let (mut sum, mut shown) = (0.0, Vec::new());
    for picture in held_out {
        let picture = picture.fit(grid::SIDE, true);
        let rebuilt = codec.reconstruct(&picture).await?;
        sum += psnr(&picture, &rebuilt)?;
        shown.push(vec![picture, rebuilt]);
    }
    if let Some(sheet) = &outputs.sheet {
        sheet.write(&grid::sheet(&shown)?.png()?)?;
    }
    Ok(Some(sum / held_out.len() as f64))
}

/// A model's config without the size of its codebooks.
fn but_codes(config: &AutoencoderConfig) -> Result<Value> {
    let mut json: Value =
        serde_json::from_str(&config.to_json()?).map_err(|e| Error::Internal(e.to_string()))?;
    if let Some(fields) = json.as_object_mut() {
        fields.remove("n_embed");
    }
    Ok(json)
}

#[cfg(test)]
mod tests;
