//! Tesserae: discrete-token image models (VQ-VAE, VQ-VAE-2, VQ-GAN) on [Burn](https://burn.dev),
//! plus AutoencoderKL, which shares their layers but has a continuous latent space.
//!
//! Start with [`Codec`]: it turns images into tokens and back or, for models without a codebook,
//! into latents and back.
//!
//! ```
//! use burn::tensor::Device;
//! use pollster::block_on;
//! use tesserae::pixels::metrics::psnr;
//! use tesserae::{Codec, Picture, Tokens};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let weights = std::fs::read("www/models/photos-f8.safetensors")?;
//! let codec = Codec::from_weights(weights, &Device::flex())?;
//! let photo = Picture::decode_fit(&std::fs::read("www/samples/chelsea.png")?, 256, true)?;
//!
//! let tokens = block_on(codec.encode(&photo))?; // one for each 8×8 pixels
//! let file = tokens.to_bytes()?;
//! let rebuilt = block_on(codec.decode(&Tokens::from_bytes(&file)?))?;
//!
//! assert!(file.len() < 1500);
//! assert!(psnr(&photo, &rebuilt)? > 24.0);
//! # Ok(())
//! # }
//! ```
//!
//! The modules, from the ground up (`docs/architecture.md` has the full list):
//!
//! 1. [`pixels`] decodes, scales and pads images;
//! 2. [`nn`] has the layers, and [`quantize`] maps latents to codes;
//! 3. [`tokens`] is the token file format;
//! 4. [`models`] assembles the networks, each kind from its config;
//! 5. [`weights`] reads and writes model parameters;
//! 6. [`codec`] runs a model on images of any size, within the device's memory;
//! 7. [`generate`] draws new tokens from a prior;
//! 8. [`train`] trains and fine-tunes models on photos.

pub mod codec;
pub mod device;
pub mod error;
pub(crate) mod fields;
pub mod generate;
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
pub use models::{Autoencoder, AutoencoderConfig, GeneratorConfig, ModelConfig, PriorConfig};
pub use pixels::Picture;
pub use tokens::Tokens;

/// Runs the guide's example as a test.
#[cfg(doctest)]
#[doc = include_str!("../docs/rust.md")]
mod guide {}
