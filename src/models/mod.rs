//! The models: what the layers and quantizers add up to.

mod autoencoder;
mod codec;
mod cost;
mod kl;
mod limits;
mod vqgan;
mod vqvae;
mod vqvae2;
mod windows;

pub use autoencoder::{Autoencoder, Pass};
pub use codec::{Codec, Stage};
pub use kl::{Kl, noise};
pub use limits::Limits;
pub use vqgan::{GanDecoder, GanEncoder, GanQuantizer, VqGan};
pub use vqvae::{VqVae, VqVaeDecoder, VqVaeEncoder};
pub use vqvae2::VqVae2;
