//! Training a generator of pictures out of noise.

mod batch;
mod common;
mod config;
mod contest;
mod generation;
mod losses;
mod pictures;

pub use config::{CriticConfig, GeneratorTrainConfig};
pub use contest::Contest;
pub use generation::Generation;
pub use pictures::LabelledPictures;
