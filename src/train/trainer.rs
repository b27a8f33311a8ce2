use super::{State, Task};
use crate::error::{Error, Result};

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

    /// Number of steps.
    pub(super) fn steps(&self) -> usize {
        self.steps
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
            let message = "the checkpoint belongs to a training with a different config";
            return Err(Error::WeightsMismatch(message.to_owned()));
        }
        let step = state.note("step")?;
        let done = step.parse();
        let done =
            done.map_err(|_| Error::WeightsCorrupt(format!("`{step}` is not a step number")))?;
        self.task.restore(&state)?;
        self.done = done;
        self.failed = false;
        Ok(())
    }
}
