//! Training: knows batches, steps and losses, no files and no progress bars.

mod config;
mod crops;
mod trainer;

pub use config::TrainConfig;
pub use crops::CropSampler;
pub use trainer::{StepReport, Trainer};
