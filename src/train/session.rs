use std::collections::VecDeque;

use burn::tensor::Device;

use super::trainer::Trainer;
use super::{
    Artifact, Contest, CropSampler, Generation, GeneratorTrainConfig, LabelledPictures, Prediction,
    PriorTrainConfig, Reconstruction, Start, StepReport, Task, TokenGrids, TrainConfig, TuneConfig,
};
use crate::error::{Error, Result};
use crate::models::{Autoencoder, Generator, Prior};
use crate::nn::Discriminator;
use crate::pixels::Picture;
use crate::weights::{About, Corpus, Loaded, Storage, save};

/// A training or tuning run: the data, and the loop over the steps. The driver asks for one
/// [`Event`] after another; files, progress bars and clocks are its business.
///
/// # Examples
/// ```
/// # use burn::tensor::Device;
/// # use pollster::block_on;
/// # use tesserae::train::{Event, Session, TuneConfig};
/// # use tesserae::weights::{Loaded, Storage};
/// # use tesserae::{Autoencoder, AutoencoderConfig, Picture};
/// # fn main() -> tesserae::Result<()> {
/// # let device = Device::flex();
/// # let config = AutoencoderConfig::preset("vqvae-tiny")?;
/// # let network = Autoencoder::new(&config, &device)?;
/// # let model = block_on(Loaded::of(network, config))?;
/// let pictures = vec![Picture::from_rgb(16, 16, vec![90; 16 * 16 * 3])?];
/// let config = TuneConfig { steps: 3, ..TuneConfig::default() };
/// let mut session = Session::tune(&config, model, pictures, None, &device)?;
/// while let Some(event) = block_on(session.next())? {
///     if let Event::Step(report) = event {
///         println!("step {}: mse {:?}", report.step, report.loss("mse"));
///     }
/// }
/// let files = block_on(session.artifacts(Some("mine"), Storage::F16))?;
/// assert_eq!(files.len(), 1);
/// # Ok(())
/// # }
/// ```
pub struct Session<T: Task> {
    trainer: Trainer<T>,
    data: T::Data,
    rhythm: Rhythm,
    due: VecDeque<Event>,
    /// Steps done at the last [`Event::Save`].
    saved: Option<usize>,
    stopped: bool,
    /// The tuning config, recorded in the output file.
    tuning: Option<TuneConfig>,
}

/// Steps between events of each kind; 0 for never. Each kind is also due once after the last step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rhythm {
    /// Steps between [`Event::Save`]s.
    pub save: usize,
    /// Steps between [`Event::Look`]s.
    pub look: usize,
    /// Steps between [`Event::Log`]s.
    pub log: usize,
}

/// An event of a session. Several due after one step come in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A step was done.
    Step(StepReport),
    /// Time to write the checkpoint and the artifacts, before anything that can fail.
    Save,
    /// Time to evaluate the current model.
    Look,
    /// Time to log the steps since the last log.
    Log,
}

impl Session<Prediction> {
    /// Trains a prior from `prior` on `grids`; `corpus` is recorded in its weight file.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] for a config that cannot be trained, [`Error::WeightsMismatch`] for
    /// weights that do not match it.
    pub fn train_prior(
        config: &PriorTrainConfig,
        prior: Prior,
        corpus: Option<Corpus>,
        grids: TokenGrids,
        device: &Device,
        rhythm: Rhythm,
    ) -> Result<Self> {
        let task = Prediction::new(config.clone(), prior, corpus, device)?;
        Ok(Self::new(task, grids, config.steps, rhythm))
    }
}

impl Session<Generation> {
    /// Trains a generator from `generator` on `pictures`.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] for a config that cannot be trained, [`Error::WeightsMismatch`] for
    /// weights that do not match it.
    pub fn train_generator(
        config: &GeneratorTrainConfig,
        generator: Generator,
        pictures: LabelledPictures,
        device: &Device,
        rhythm: Rhythm,
    ) -> Result<Self> {
        let task = Generation::new(config.clone(), generator, device)?;
        Ok(Self::new(task, pictures, config.steps, rhythm))
    }
}

impl Session<Contest> {
    /// Trains a GAN's generator from `generator` on `pictures`, against a new discriminator.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] for a config that cannot be trained so, [`Error::WeightsMismatch`] for
    /// weights that do not match it.
    pub fn train_gan(
        config: &GeneratorTrainConfig,
        generator: Generator,
        pictures: LabelledPictures,
        device: &Device,
        rhythm: Rhythm,
    ) -> Result<Self> {
        let task = Contest::new(config.clone(), generator, device)?;
        Ok(Self::new(task, pictures, config.steps, rhythm))
    }
}

impl Session<Reconstruction> {
    /// Trains an autoencoder from `network` and other initial weights, on crops of `pictures`.
    ///
    /// # Errors
    /// The errors of [`CropSampler::new`], [`Error::ConfigInvalid`] for a config that cannot be
    /// trained, [`Error::WeightsMismatch`] for weights that do not match it.
    pub fn train(
        config: &TrainConfig,
        network: Autoencoder,
        start: Start,
        pictures: Vec<Picture>,
        device: &Device,
        rhythm: Rhythm,
    ) -> Result<Self> {
        let range = config.model.input_range();
        let crops = CropSampler::new(pictures, &config.data, range, config.seed)?;
        let task = Reconstruction::new(config.clone(), network, start, device)?;
        Ok(Self::new(task, crops, config.steps, rhythm))
    }

    /// Tunes a trained model on `pictures`, starting from `discriminator` if the objective uses
    /// one.
    ///
    /// # Errors
    /// The errors of [`TuneConfig::training`] and [`Session::train`].
    pub fn tune(
        config: &TuneConfig,
        model: Loaded,
        pictures: Vec<Picture>,
        discriminator: Option<Discriminator>,
        device: &Device,
    ) -> Result<Self> {
        let training = config.training(&model.config, &pictures)?;
        let start = Start {
            trained: true,
            discriminator,
            ..Start::default()
        };
        let rhythm = Rhythm::default();
        let network = model.network;
        let session = Self::train(&training, network, start, pictures, device, rhythm)?;
        Ok(Self {
            tuning: Some(config.clone()),
            ..session
        })
    }

    /// The weight file of the current model alone; see [`Session::artifacts`].
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device fails.
    pub async fn weights(&self, name: Option<&str>, storage: Storage) -> Result<Vec<u8>> {
        let tuning = self.record()?;
        let about = About {
            name,
            tuning: tuning.as_deref(),
            ..About::default()
        };
        let task = self.trainer.task();
        save(&task.model(), &task.config().model, about, storage).await
    }
}

impl<T: Task> Session<T> {
    /// A session of `steps` steps of `task` on `data`, none of them done.
    pub fn new(task: T, data: T::Data, steps: usize, rhythm: Rhythm) -> Self {
        Self {
            trainer: Trainer::new(task, steps),
            data,
            rhythm,
            due: VecDeque::new(),
            saved: None,
            stopped: false,
            tuning: None,
        }
    }

    /// The next event; takes a step if none is due. `None` at the end.
    ///
    /// # Errors
    /// [`Error::LossNotFinite`] if a term is NaN or infinite: the session cannot continue and must
    /// be resumed from a checkpoint. [`Error::DeviceLost`] when the device fails.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        if let Some(event) = self.due.pop_front() {
            return Ok(Some(event));
        }
        if self.stopped || self.trainer.finished() {
            return Ok(None);
        }
        let report = self.trainer.step(&self.data).await?;
        let (done, last) = (self.done(), self.trainer.finished());
        let due = |every: usize| every > 0 && (done.is_multiple_of(every) || last);
        for (event, every) in [
            (Event::Save, self.rhythm.save),
            (Event::Look, self.rhythm.look),
            (Event::Log, self.rhythm.log),
        ] {
            if due(every) {
                self.due.push_back(event);
            }
        }
        if due(self.rhythm.save) {
            self.saved = Some(done);
        }
        Ok(Some(Event::Step(report)))
    }

    /// Stops after the current step. A last [`Event::Save`] follows, unless nothing was done since
    /// the previous one or this session never saves.
    pub fn stop(&mut self) {
        let done = Some(self.done());
        if !self.stopped && self.rhythm.save > 0 && self.saved != done {
            self.saved = done;
            self.due.push_front(Event::Save);
        }
        self.stopped = true;
    }

    /// Whether the next event is a step.
    pub fn step_is_due(&self) -> bool {
        self.due.is_empty() && !self.stopped && !self.finished()
    }

    /// Steps done so far.
    pub fn done(&self) -> usize {
        self.trainer.done()
    }

    /// Number of steps.
    pub fn steps(&self) -> usize {
        self.trainer.steps()
    }

    /// Whether all steps are done.
    pub fn finished(&self) -> bool {
        self.trainer.finished()
    }

    /// The training task.
    pub fn task(&self) -> &T {
        self.trainer.task()
    }

    /// Mutable access to the task.
    pub fn task_mut(&mut self) -> &mut T {
        self.trainer.task_mut()
    }

    /// The training data.
    pub fn data(&self) -> &T::Data {
        &self.data
    }

    /// A checkpoint file. A session resumed from it by [`Session::resume`] continues as if
    /// uninterrupted, bit-exactly on the CPU.
    ///
    /// # Errors
    /// [`Error::LossNotFinite`] after a step that diverged, [`Error::DeviceLost`] when the device
    /// fails.
    pub async fn checkpoint(&self) -> Result<Vec<u8>> {
        self.trainer.checkpoint().await
    }

    /// Resumes from a checkpoint; pending events are dropped.
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`] for a damaged file, [`Error::WeightsMismatch`] for a checkpoint of
    /// another training run. The session is then unchanged.
    ///
    /// # Examples
    /// ```
    /// # use burn::tensor::Device;
    /// # use pollster::block_on;
    /// # use tesserae::train::{Session, TuneConfig};
    /// # use tesserae::weights::Loaded;
    /// # use tesserae::{Autoencoder, AutoencoderConfig, Picture};
    /// # fn main() -> tesserae::Result<()> {
    /// # let device = Device::flex();
    /// # let config = AutoencoderConfig::preset("vqvae-tiny")?;
    /// # let model = block_on(Loaded::of(Autoencoder::new(&config, &device)?, config))?;
    /// # let pictures = vec![Picture::from_rgb(16, 16, vec![90; 16 * 16 * 3])?];
    /// # let config = TuneConfig { steps: 3, ..TuneConfig::default() };
    /// let start = || Session::tune(&config, model.clone(), pictures.clone(), None, &device);
    /// let mut first = start()?;
    /// block_on(first.next())?;
    /// let checkpoint = block_on(first.checkpoint())?;
    ///
    /// let mut second = start()?;
    /// second.resume(&checkpoint)?;
    /// assert_eq!(second.done(), 1);
    /// assert_eq!(block_on(second.next())?, block_on(first.next())?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn resume(&mut self, checkpoint: &[u8]) -> Result<()> {
        self.trainer.resume(checkpoint)?;
        self.due.clear();
        // What lies beside the checkpoint may be older than it.
        self.saved = None;
        self.stopped = false;
        Ok(())
    }

    /// The record of a tuning, as JSON.
    fn record(&self) -> Result<Option<String>> {
        let tuning = self.tuning().map(|tuning| serde_json::to_string(&tuning));
        let tuning = tuning.transpose();
        tuning.map_err(|e| Error::Internal(e.to_string()))
    }

    /// The tuning config with the steps done so far, if this is a tuning run.
    pub fn tuning(&self) -> Option<TuneConfig> {
        let steps = self.done();
        self.tuning
            .clone()
            .map(|tuning| TuneConfig { steps, ..tuning })
    }

    /// The files of the current result; the name and the tuning config are stored in them.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device fails.
    pub async fn artifacts(&self, name: Option<&str>, storage: Storage) -> Result<Vec<Artifact>> {
        let tuning = self.record()?;
        let about = About {
            name,
            tuning: tuning.as_deref(),
            ..About::default()
        };
        self.trainer.task().artifacts(about, storage).await
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
