use burn::tensor::Tensor;

use super::{Artifact, State};
use crate::error::{Error, Result};
use crate::readback::unread;
use crate::weights::{About, Storage};

/// What a [`Trainer`] repeats. It holds the models that learn and everything else that a step
/// changes; the trainer knows none of it.
pub trait Task {
    /// What batches are drawn from.
    type Data;

    /// One step: number `step` of `steps`, counted from 0. What it draws depends on that number and
    /// on nothing drawn before, so that a training can go on from any step.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device fails.
    fn step(
        &mut self,
        data: &Self::Data,
        step: usize,
        steps: usize,
    ) -> impl Future<Output = Result<Losses>>;

    /// What must be the same for a training to go on, as text.
    ///
    /// # Errors
    /// [`Error::Internal`].
    fn identity(&self) -> Result<String>;

    /// Keeps everything that the next step depends on.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device fails.
    fn save(&self, state: &mut State) -> impl Future<Output = Result<()>>;

    /// Takes over what [`Task::save`] kept.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] and [`Error::WeightsCorrupt`] for what does not fit.
    fn restore(&mut self, state: &State) -> Result<()>;

    /// The files of what was learned so far.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device fails.
    fn artifacts(
        &self,
        about: About<'_>,
        storage: Storage,
    ) -> impl Future<Output = Result<Vec<Artifact>>>;
}

/// The terms of a step by name, still on the device.
#[derive(Debug, Default)]
pub struct Losses(Vec<(&'static str, Tensor<1>)>);

impl Losses {
    /// Adds `value`, `[1]` without gradients, to the term called `name`.
    pub fn add(&mut self, name: &'static str, value: Tensor<1>) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum = sum.clone() + value,
            None => self.0.push((name, value)),
        }
    }

    /// All of them, in one reading.
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

/// What one step did.
#[derive(Debug, Clone, PartialEq)]
pub struct StepReport {
    /// Steps done so far.
    pub step: usize,
    /// The terms of the loss, unweighted, and what is shown beside them, by name.
    pub losses: Vec<(&'static str, f32)>,
}

impl StepReport {
    /// A term by its name.
    pub fn loss(&self, name: &str) -> Option<f32> {
        let found = self.losses.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value)
    }
}

/// Repeats the steps of a [`Task`]. It knows steps, and no models: which one is next, when they are
/// all done, when one went wrong, and how to go on from a checkpoint.
pub struct Trainer<T> {
    task: T,
    steps: usize,
    done: usize,
}

impl<T: Task> Trainer<T> {
    /// Nothing done of `steps`.
    pub fn new(task: T, steps: usize) -> Self {
        Self {
            task,
            steps,
            done: 0,
        }
    }

    /// What is trained.
    pub fn task(&self) -> &T {
        &self.task
    }

    /// The same, to change.
    pub fn task_mut(&mut self) -> &mut T {
        &mut self.task
    }

    /// Steps done so far.
    pub fn done(&self) -> usize {
        self.done
    }

    /// Whether all steps are done.
    pub fn finished(&self) -> bool {
        self.done >= self.steps
    }

    /// The next step, on data that are the same in every call.
    ///
    /// # Errors
    /// [`Error::LossNotFinite`] when a term is no longer a number: the task is then past saving, and
    /// has to be restored from a checkpoint. [`Error::DeviceLost`] when the device fails.
    pub async fn step(&mut self, data: &T::Data) -> Result<StepReport> {
        let losses = self.task.step(data, self.done, self.steps).await?;
        self.done += 1;
        let report = StepReport {
            step: self.done,
            losses: losses.read().await?,
        };
        match report.losses.iter().find(|(_, value)| !value.is_finite()) {
            Some((name, _)) => Err(Error::LossNotFinite {
                term: (*name).to_owned(),
                step: self.done,
            }),
            None => Ok(report),
        }
    }

    /// A file from which [`Trainer::resume`] goes on as if there had been no break, to the bit on
    /// the CPU.
    ///
    /// # Errors
    /// [`Error::LossNotFinite`] for a training that is past saving, [`Error::DeviceLost`] when the
    /// device fails.
    pub async fn checkpoint(&self) -> Result<Vec<u8>> {
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

    /// Goes on where the training was that wrote `file`.
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`] for a damaged file, [`Error::WeightsMismatch`] for one of another
    /// training. The task is then as it was.
    pub fn resume(&mut self, file: &[u8]) -> Result<()> {
        let state = State::from_bytes(file)?;
        if state.note("task")? != self.task.identity()? {
            let message = "the checkpoint is of a training with another config";
            return Err(Error::WeightsMismatch(message.to_owned()));
        }
        let step = state.note("step")?;
        let done = step.parse();
        let done = done.map_err(|_| Error::WeightsCorrupt(format!("`{step}` is no step")))?;
        self.task.restore(&state)?;
        self.done = done;
        Ok(())
    }
}
