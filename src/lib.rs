//! Tesserae: discrete-token image models, VQ-VAE, VQ-VAE-2 and VQ-GAN, on
//! [Burn](https://burn.dev); and AutoencoderKL, which has the same layers and no tokens.
//!
//! A picture becomes one grid of codebook indices, or two, and a picture again:
//!
//! 1. [`pixels`] reads, scales and pads a picture;
//! 2. [`models`] holds the encoder and decoder, made of [`nn`]'s layers from a [`config`];
//! 3. [`quantize`] turns latents into codes and keeps the codebook alive in training;
//! 4. [`tokens`] is the file that the codes travel in;
//! 5. [`weights`] reads and writes the models' parameters;
//! 6. [`train`] fits a model to photos.
//!
//! [`Codec`] is where a program starts: pictures in, tokens out, and back; or, for any kind of model,
//! pictures in and pictures out.

pub mod codec;
pub mod device;
pub mod error;
pub(crate) mod fields;
pub mod kernels;
pub mod models;
pub mod nn;
pub(crate) mod params;
pub mod pixels;
pub mod quantize;
pub mod random;
pub(crate) mod readback;
pub mod tokens;
pub mod train;
pub mod weights;

#[cfg(target_arch = "wasm32")]
pub mod web;

pub use codec::Codec;
pub use error::{Error, Result};
pub use models::{Autoencoder, AutoencoderConfig, ModelConfig};
pub use pixels::Picture;
pub use tokens::Tokens;

/// The guide's example, which runs as a test.
#[cfg(doctest)]
#[doc = include_str!("../docs/rust.md")]
mod guide {}
