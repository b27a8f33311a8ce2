//! The models: what the layers and quantizers add up to.

mod autoencoder;
mod codec;
mod cost;
mod vqgan;
mod vqvae;

pub use autoencoder::Autoencoder;
pub use codec::{Codec, MAX_PIXELS, Stage};
pub use vqgan::{GanDecoder, GanEncoder, GanQuantizer, VqGan};
pub use vqvae::{VqVae, VqVaeDecoder, VqVaeEncoder};
