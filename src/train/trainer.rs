use burn::tensor::Tensor;

use super::{Artifact, State};
use crate::error::{Error, Result};
use crate::readback::unread;
use crate::weights::{About, Storage};

/// What a [`Session`](super::Session) repeats. A task owns the models in training and all other
/// state that a step changes; the session knows none of it.
pub trait Task {
    /// The training data.
    type Data;

    /// Takes step `step` of `steps`, counted from 0. Random draws depend only on that number, not
    /// on earlier ones, so that training can resume from any step.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device fails.
    fn step(
        &mut self,
        data: &Self::Data,
        step: usize,
        steps: usize,
    ) -> impl Future<Output = Result<Losses>>;

    /// Text that must match for training to resume from a checkpoint, such as the config.
    ///
    /// # Errors
    /// [`Error::Internal`].
    fn identity(&self) -> Result<String>;

    /// Whether a checkpoint's identity is this task's, also if it was written before the config had
    /// all of its fields.
    ///
    /// # Errors
    /// [`Error::Internal`].
    fn is_same(&self, identity: &str) -> Result<bool>;

    /// Saves all state that the next step depends on.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device fails.
    fn save(&self, state: &mut State) -> impl Future<Output = Result<()>>;

    /// Restores what [`Task::save`] wrote.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] and [`Error::WeightsCorrupt`] for state that does not fit.
    fn restore(&mut self, state: &State) -> Result<()>;

    /// The files of the current result.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device fails.
    fn artifacts(
        &self,
        about: About<'_>,
        storage: Storage,
    ) -> impl Future<Output = Result<Vec<Artifact>>>;
}

/// A step's loss terms by name, still on the device.
#[derive(Debug, Default)]
pub struct Losses(Vec<(&'static str, Tensor<1>)>);

impl Losses {
    /// Adds `value`, `[1]` and detached, to the term `name`.
    pub fn add(&mut self, name: &'static str, value: Tensor<1>) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum = sum.clone() + value,
            None => self.0.push((name, value)),
        }
    }

    /// Reads all of them back at once.
    pub(super) async fn read(self) -> Result<Vec<(&'static str, f32)>> {
        let (names, values): (Vec<_>, Vec<_>) = self.0.into_iter().unzip();
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let values = Tensor::cat(values, 0);
        let device = values.device();
        let data = values.into_data_async().await;
        let data = data.map_err(|e| unread(&device, e))?;
        Ok(names.into_iter().zip(data.iter::<f32>()).collect())
    }
}

/// The result of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepReport {
    /// Steps done so far.
    pub step: usize,
    /// The unweighted loss terms, and other values to display, by name.
    pub losses: Vec<(&'static str, f32)>,
}

impl StepReport {
    /// A term by its name.
    pub fn loss(&self, name: &str) -> Option<f32> {
        let found = self.losses.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value)
    }
}

/// Repeats the steps of a [`Task`]. It only tracks progress and knows no models: which step is
/// next, whether all are done or one failed, and how to resume from a checkpoint.
pub(super) struct Trainer<T> {
    task: T,
    steps: usize,
    done: usize,
    /// Whether the last step went wrong.
    failed: bool,
}

impl<T: Task> Trainer<T> {
    /// Starts at step 0 of `steps`.
    pub(super) fn new(task: T, steps: usize) -> Self {
        Self {
            task,
            steps,
            done: 0,
            failed: false,
        }
    }

    /// The training task.
    pub(super) fn task(&self) -> &T {
        &self.task
    }

    /// Mutable access to the task.
    pub(super) fn task_mut(&mut self) -> &mut T {
        &mut self.task
    }

    /// Steps done so far.
    pub(super) fn done(&self) -> usize {
        self.done
    }

    /// Whether all steps are done, the last one without a failure.
    pub(super) fn finished(&self) -> bool {
        self.done >= self.steps && !self.failed
    }

    /// Takes the next step; `data` must be the same in every call.
    ///
    /// # Errors
    /// [`Error::LossNotFinite`] if a term is NaN or infinite: the task cannot continue and must be
    /// restored from a checkpoint. [`Error::DeviceLost`] when the device fails.
    pub(super) async fn step(&mut self, data: &T::Data) -> Result<StepReport> {
        let losses = self.task.step(data, self.done, self.steps).await?;
        self.done += 1;
        let report = StepReport {
            step: self.done,
            losses: losses.read().await?,
        };
        let wrong = report.losses.iter().find(|(_, value)| !value.is_finite());
        self.failed = wrong.is_some();
        match wrong {
            Some((name, _)) => Err(Error::LossNotFinite {
                term: (*name).to_owned(),
                step: self.done,
            }),
            None => Ok(report),
        }
    }

    /// A checkpoint file. Training resumed from it by [`Trainer::resume`] continues as if
    /// uninterrupted, bit-exactly on the CPU.
    ///
    /// # Errors
    /// [`Error::LossNotFinite`] after a step that diverged, [`Error::DeviceLost`] when the device
    /// fails.
    pub(super) async fn checkpoint(&self) -> Result<Vec<u8>> {
        let mut state = State::default();
        state.put_note("task", self.task.identity()?);
        state.put_note("step", self.done.to_string());
        self.task.save(&mut state).await?;
        match state.not_finite() {
            Some(name) => Err(Error::LossNotFinite {
                term: name.to_owned(),
                step: self.done,
            }),
            None => state.to_bytes(),
        }
    }

    /// Resumes from a checkpoint.
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`] for a damaged file, [`Error::WeightsMismatch`] for a checkpoint of
    /// another training run. The task is then unchanged.
    pub(super) fn resume(&mut self, file: &[u8]) -> Result<()> {
        let state = State::from_bytes(file)?;
        if !self.task.is_same(state.note("task")?)? {
            let message = "the checkpoint is of a training with another config";
            return Err(Error::WeightsMismatch(message.to_owned()));
        }
        let step = state.note("step")?;
        let done = step.parse();
        let done = done.map_err(|_| Error::WeightsCorrupt(format!("`{step}` is no step")))?;
        self.task.restore(&state)?;
        self.done = done;
        self.failed = false;
        Ok(())
    }
}
