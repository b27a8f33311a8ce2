use burn::tensor::Tensor;

use super::State;
use crate::error::Result;
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
    /// [`DeviceLost`](crate::Error::DeviceLost) when the device fails.
    fn step(
        &mut self,
        data: &Self::Data,
        step: usize,
        steps: usize,
    ) -> impl Future<Output = Result<Losses>>;

    /// Text that must match for training to resume from a checkpoint, such as the config.
    ///
    /// # Errors
    /// [`Internal`](crate::Error::Internal).
    fn identity(&self) -> Result<String>;

    /// Whether a checkpoint's identity is this task's, also if it was written before the config had
    /// all of its fields.
    ///
    /// # Errors
    /// [`Internal`](crate::Error::Internal).
    fn is_same(&self, identity: &str) -> Result<bool>;

    /// Saves all state that the next step depends on.
    ///
    /// # Errors
    /// [`DeviceLost`](crate::Error::DeviceLost) when the device fails.
    fn save(&self, state: &mut State) -> impl Future<Output = Result<()>>;

    /// Restores what [`Task::save`] wrote.
    ///
    /// # Errors
    /// [`WeightsMismatch`](crate::Error::WeightsMismatch) and
    /// [`WeightsCorrupt`](crate::Error::WeightsCorrupt) for state that does not fit.
    fn restore(&mut self, state: &State) -> Result<()>;

    /// The files of the current result.
    ///
    /// # Errors
    /// [`DeviceLost`](crate::Error::DeviceLost) when the device fails.
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

/// A file that training produces.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifact {
    /// What the file is.
    pub role: Role,
    /// Its contents.
    pub bytes: Vec<u8>,
}

/// The kind of an [`Artifact`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The model.
    Weights,
    /// The discriminator trained along with it.
    Discriminator,
}
