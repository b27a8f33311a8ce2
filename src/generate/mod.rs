//! New pictures: from a prior, whose tokens are drawn step by step for an autoencoder to decode, and
//! from a generator, which makes them out of noise.
//!
//! A [`Sampler`] draws the tokens of several pictures together, a [`PictureSampler`] makes several
//! pictures. Between steps the caller can show what there is so far, or stop. Random numbers, and the
//! choice among logits, are the host's, so that the same seed gives the same picture on every device,
//! up to rounding.

mod bits;
mod canvas;
mod choice;
mod diffusion;
mod halton;
mod latent;
mod masked;
mod options;
mod picture_options;
mod picture_sampler;
mod planes;
mod raster;
mod run;
mod sampler;
mod schedule;
mod walk;
mod windows;

pub use bits::bits;
pub use canvas::{Canvas, Margins};
pub use choice::Choice;
pub use diffusion::Noising;
pub use halton::halton;
pub use latent::latent_of;
pub use options::{SampleOptions, Visit};
pub use picture_options::PictureOptions;
pub use picture_sampler::{Origin, PictureSampler};
pub(crate) use planes::planes;
pub use sampler::Sampler;
pub use schedule::Schedule;
pub use walk::{Route, Walk};
