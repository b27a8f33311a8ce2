//! Training: knows batches, steps and losses, but no files or progress bars.
//!
//! A [`Session`] is one training or tuning run, delivered as events. It repeats the steps of a
//! [`Task`]: [`Reconstruction`] for autoencoders, [`Prediction`] for priors, [`Generation`] for
//! generators, and [`Contest`] for those with a discriminator. Each model in training is a
//! [`Learner`]: parameters, optimizer state and moving average.

mod adamw;
mod adversary;
mod codebooks;
mod collapse;
mod config;
mod crops;
mod damage;
mod features;
mod generator;
mod learner;
mod leaves;
pub mod losses;
mod prior;
mod reconstruction;
mod reconstruction_loss;
mod session;
mod state;
mod task;
#[cfg(test)]
mod toy_tests;
mod trainer;
mod tuning;

use adversary::Adversary;
use codebooks::Codebooks;
pub use collapse::{CodebookWatch, Collapse};
pub use config::{
    AdversaryConfig, CodebookConfig, CodebookUpdate, DataConfig, LossConfig, OptimizerConfig,
    Parts, PixelLoss, TrainConfig,
};
pub use crops::CropSampler;
pub use damage::Damage;
pub use generator::{Contest, CriticConfig, Generation, GeneratorTrainConfig, LabelledPictures};
pub use learner::Learner;
pub use prior::{Prediction, PriorTrainConfig, TokenGrids};
pub use reconstruction::{Reconstruction, Start};
pub use session::{Event, Rhythm, Session};
pub use state::State;
pub use task::{Artifact, Losses, Role, Task};
pub use trainer::StepReport;
pub use tuning::{Objective, TuneConfig};
