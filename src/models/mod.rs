//! The models: what the layers and quantizers add up to.

mod autoencoder;

mod vqgan;
mod vqvae;

pub use autoencoder::Autoencoder;

pub use vqgan::{GanQuantizer, VqGan};
pub use vqvae::{VqVae, VqVaeDecoder, VqVaeEncoder};
