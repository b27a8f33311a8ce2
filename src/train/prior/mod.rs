//! Training a prior over tokens.

mod config;
mod grids;
mod prediction;

pub use config::PriorTrainConfig;
pub use grids::TokenGrids;
pub use prediction::Prediction;
