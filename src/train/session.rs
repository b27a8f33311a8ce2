use std::collections::VecDeque;

use burn::tensor::Device;

use super::{
    CropSampler, Reconstruction, Start, StepReport, Task, TrainConfig, Trainer, TuneConfig,
};
use crate::error::{Error, Result};
use crate::models::Autoencoder;
use crate::nn::Discriminator;
use crate::pixels::Picture;
use crate::weights::{About, Loaded, Storage};

/// A training or tuning under way: what it learns from, and the loop over its steps. Whoever drives it
/// asks for one [`Event`] after another; files, bars and clocks are the driver's.
pub struct Session<T: Task> {
    trainer: Trainer<T>,
    data: T::Data,
    rhythm: Rhythm,
    due: VecDeque<Event>,
    /// Steps done at the last [`Event::Save`].
    saved: Option<usize>,
    stopped: bool,
    /// How a model is tuned, for the file that comes out.
    tuning: Option<TuneConfig>,
}

/// Steps between two events of a kind; 0 for none. After the last step each of them comes once more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rhythm {
    /// Between two of [`Event::Save`].
    pub save: usize,
    /// Between two of [`Event::Look`].
    pub look: usize,
    /// Between two of [`Event::Log`].
    pub log: usize,
}

/// What a session gives, in this order where several are due after one step.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A step is done.
    Step(StepReport),
    /// Time to keep the checkpoint and the artifacts, before anything that can fail.
    Save,
    /// Time to measure the model as it is now.
    Look,
    /// Time to write down what the steps since the last time did.
    Log,
}

/// A file that a training makes.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifact {
    /// What it is.
    pub role: Role,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// What a file is that a training makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The model.
    Weights,
    /// The discriminator that it was trained against.
    Discriminator,
}

impl Session<Reconstruction> {
    /// The training of an autoencoder from `network` and what else it starts with, on crops of
    /// `pictures`.
    ///
    /// # Errors
    /// As [`CropSampler::new`] and [`Reconstruction::new`].
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

    /// The tuning of a trained model on `pictures`, from `discriminator` where the objective has one.
    ///
    /// # Errors
    /// As [`TuneConfig::training`] and [`Session::train`].
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
            perceptual: None,
        };
        let rhythm = Rhythm::default();
        let network = model.network;
        let session = Self::train(&training, network, start, pictures, device, rhythm)?;
        Ok(Self {
            tuning: Some(config.clone()),
            ..session
        })
    }

    /// The model as it is now, on the device, without gradients.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device fails.
    pub async fn model(&self) -> Result<Loaded> {
        let task = self.trainer.task();
        Loaded::of(task.model(), task.config().model.clone()).await
    }
}

impl<T: Task> Session<T> {
    /// `steps` steps of `task` on `data`, none of them done.
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

    /// What is next: a step is made if nothing else is due. `None` at the end.
    ///
    /// # Errors
    /// As [`Trainer::step`].
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

    /// Makes no further step. The last [`Event::Save`] is still to come, unless nothing was done since
    /// the one before or this session saves nothing.
    pub fn stop(&mut self) {
        let done = Some(self.done());
        if !self.stopped && self.rhythm.save > 0 && self.saved != done {
            self.saved = done;
            self.due.push_back(Event::Save);
        }
        self.stopped = true;
    }

    /// Steps done so far.
    pub fn done(&self) -> usize {
        self.trainer.done()
    }

    /// Whether all steps are done.
    pub fn finished(&self) -> bool {
        self.trainer.finished()
    }

    /// What is trained.
    pub fn task(&self) -> &T {
        self.trainer.task()
    }

    /// The same, to change.
    pub fn task_mut(&mut self) -> &mut T {
        self.trainer.task_mut()
    }

    /// What it learns from.
    pub fn data(&self) -> &T::Data {
        &self.data
    }

    /// As [`Trainer::checkpoint`].
    ///
    /// # Errors
    /// As [`Trainer::checkpoint`].
    pub async fn checkpoint(&self) -> Result<Vec<u8>> {
        self.trainer.checkpoint().await
    }

    /// As [`Trainer::resume`]; events that were due are forgotten.
    ///
    /// # Errors
    /// As [`Trainer::resume`].
    pub fn resume(&mut self, checkpoint: &[u8]) -> Result<()> {
        self.trainer.resume(checkpoint)?;
        self.due.clear();
        self.saved = Some(self.trainer.done());
        Ok(())
    }

    /// How the model was tuned so far, where this is a tuning.
    pub fn tuning(&self) -> Option<TuneConfig> {
        let steps = self.done();
        self.tuning
            .clone()
            .map(|tuning| TuneConfig { steps, ..tuning })
    }

    /// The files of what was learned so far; `name` and how a model was tuned go into them.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device fails.
    pub async fn artifacts(&self, name: Option<&str>, storage: Storage) -> Result<Vec<Artifact>> {
        let tuning = self.tuning().map(|tuning| serde_json::to_string(&tuning));
        let tuning = tuning.transpose();
        let tuning = tuning.map_err(|e| Error::Internal(e.to_string()))?;
        let about = About {
            name,
            tuning: tuning.as_deref(),
        };
        self.trainer.task().artifacts(about, storage).await
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
