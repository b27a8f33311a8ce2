//! The arguments of `train`, and the loop over the steps, whatever is trained.

use std::fs;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value};
use tesserae::train::{Event, Rhythm, Role, Session, Task};
use tesserae::weights::Storage;
use tesserae::{Error, Picture, Result};

use super::log::Log;
use crate::device::{DeviceArgs, Opened};
use crate::outputs::{Output, Outputs};
use crate::{files, outputs, signals, terminal};

/// Steps between checkpoints, log lines, and evaluations on held-out pictures.
pub const RHYTHM: Rhythm = Rhythm {
    save: 500,
    log: 50,
    look: 500,
};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// JSON file with the model and training config (see `train/photos-f8.json`).
    pub(super) config: PathBuf,
    /// Folder of training pictures, searched recursively; for a prior also of token files, or the
    /// archives of them that `encode --out-dir` writes.
    #[arg(long)]
    pub(super) data: PathBuf,
    /// Folder of held-out pictures: their reconstructions are measured at intervals, and some are
    /// written to a sheet next to the weights (.png).
    #[arg(long)]
    pub(super) held_out: Option<PathBuf>,
    /// Weight file to write, in f16. The checkpoint (.checkpoint), the discriminator
    /// (.discriminator.safetensors) and the log, one line of JSON every 50 steps (.jsonl), are
    /// written next to it.
    #[arg(long)]
    pub(super) out: PathBuf,
    /// Weight file to start from instead of random weights. If its codebook size differs, its
    /// codebook is left out and initialised as without one.
    #[arg(long)]
    pub(super) from: Option<PathBuf>,
    /// Resume from the checkpoint, if there is one.
    #[arg(long)]
    pub(super) resume: bool,
    /// Start over even if there is a checkpoint, and allow outputs to replace input files.
    #[arg(long, conflicts_with = "resume")]
    pub(super) overwrite: bool,
    /// Initial weights of the discriminator: its own weight file, or a checkpoint that contains
    /// one.
    #[arg(long)]
    pub(super) discriminator: Option<PathBuf>,
    /// Files with LPIPS's weights: torchvision's VGG16 and the package's own.
    #[arg(long, num_args = 1..=2)]
    pub(super) lpips: Vec<PathBuf>,
    /// Weights of the network of features, from `train/perceptual.sh`.
    #[arg(long, value_name = "FILE")]
    pub(super) features: Option<PathBuf>,
    /// For a prior, the model whose tokens it learns: a shipped one's name, or a weight file with a
    /// name in it. A picture's class is the folder that it lies in, in --data or in its archive.
    #[arg(long)]
    pub(super) tokenizer: Option<String>,
    /// Folder of shipped models with their index.json.
    #[arg(long, default_value = "www/models")]
    pub(super) models: PathBuf,
    /// Model name to store in the weight file.
    #[arg(long)]
    pub(super) name: Option<String>,
    #[command(flatten)]
    pub(super) device: DeviceArgs,
}

impl Args {
    /// Takes the steps of `session`, which may resume, and writes what falls due.
    pub async fn drive<T: Task>(
        &self,
        outputs: &Files,
        mut session: Session<T>,
        device: &Opened,
        mut report: impl Report<T>,
        json: bool,
    ) -> Result<()> {
        let checkpoint = outputs.checkpoint.path();
        let resumed = self.resumes();
        if resumed {
            session.resume(&files::read(checkpoint)?)?;
            terminal::warn(format_args!("resuming after {} steps", session.done()));
        }
        let hold = signals::Hold::new();
        if self.overwrite && outputs.checkpoint.is_file() && checkpoint.exists() {
            // It does not belong to the new log, and --resume must not take it for the new
            // training's. A device or a pipe contains no old checkpoint.
            fs::canonicalize(checkpoint)
                .and_then(fs::remove_file)
                .map_err(|e| Error::io(checkpoint, e))?;
        }
        let mut log = Log::open(outputs.log.clone(), resumed, session.done())?;
        let bar = ProgressBar::new(session.steps() as u64).with_style(
            ProgressStyle::with_template("{bar:30} {pos}/{len} {eta} {msg}")
                .map_err(|e| Error::Internal(e.to_string()))?,
        );
        bar.set_position(session.done() as u64);
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
                Some(Event::Save) => self.save(outputs, &session, device).await?,
                Some(Event::Look) => report.look(&session).await?,
                Some(Event::Log) => {
                    let mut line = log.line(session.done());
                    let message = report.complete(&mut session, &log, &mut line).await?;
                    log.write(line)?;
                    bar.set_message(message);
                    if let Some(warning) = report.warning() {
                        let done = session.done();
                        bar.suspend(|| {
                            terminal::warn(format_args!("after {done} steps: {warning}"))
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
        if let Some(remark) = report.remark() {
            terminal::warn(format_args!("at the end: {remark}"));
        }
        match json {
            true => terminal::print_json(log.last),
            false => Ok(()),
        }
    }

    /// Whether there is a checkpoint to resume from.
    fn resumes(&self) -> bool {
        self.resume && self.out.with_extension("checkpoint").is_file()
    }

    /// The pictures and token files in `folder`, except the sheet that an earlier run of this
    /// training left among them.
    pub fn inputs_in(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let mut found = files::pictures_and_tokens(&[folder.to_owned()])?;
        // On a first run, a picture at the sheet's path is the user's own.
        if self.held_out.is_some() && (self.overwrite || self.resumes()) {
            let sheet = self.out.with_extension("png");
            found.retain(|path| !outputs::is_same(path, &sheet));
        }
        Ok(found)
    }

    pub fn read_pictures(&self, folder: &Path) -> Result<Vec<Picture>> {
        let mut found = self.inputs_in(folder)?;
        found.retain(|path| !files::is_tokens(path));
        files::read_found(&[folder.to_owned()], &found, files::picture)
    }

    /// The output paths, all checked.
    pub fn outputs(&self) -> Result<Files> {
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
            inputs.extend(self.inputs_in(folder)?);
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
        session: &Session<impl Task>,
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
pub struct Files {
    pub weights: Output,
    pub checkpoint: Output,
    /// Only for adversarial training.
    pub discriminator: Output,
    pub log: Output,
    /// Only with held-out pictures.
    pub sheet: Option<Output>,
}

/// What one kind of training adds to the loop over its steps.
pub trait Report<T: Task> {
    /// Evaluates the current model on held-out data.
    async fn look(&mut self, session: &Session<T>) -> Result<()>;

    /// Adds to a line of the log; returns the message for the progress bar.
    async fn complete(
        &mut self,
        session: &mut Session<T>,
        log: &Log,
        line: &mut Map<String, Value>,
    ) -> Result<String>;

    /// Something that went wrong since the last line.
    fn warning(&mut self) -> Option<String> {
        None
    }

    /// Something that is wrong at the end.
    fn remark(&self) -> Option<String> {
        None
    }
}
