//! New pictures from a prior: its tokens drawn step by step, for an autoencoder to decode.
//!
//! A [`Sampler`] draws the tokens of several pictures together. Between steps the caller can show
//! what there is so far, or stop. Random numbers, and the choice among logits, are the host's, so
//! that the same seed gives the same tokens on every device, up to rounding.

mod bits;
mod canvas;
mod choice;
mod halton;
mod masked;
mod options;
mod raster;
mod run;
mod sampler;
mod schedule;
mod windows;

pub use bits::bits;
pub use canvas::{Canvas, Margins};
pub use choice::Choice;
pub use halton::halton;
pub use options::{SampleOptions, Visit};
pub use sampler::Sampler;
pub use schedule::Schedule;
