//! Training a generator of pictures out of noise.

mod config;
mod generation;
mod losses;
mod pictures;

pub use config::GeneratorTrainConfig;
pub use generation::Generation;
pub use pictures::LabelledPictures;
