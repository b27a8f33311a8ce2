//! Tesserae: discrete-token image models, VQ-VAE, VQ-VAE-2 and VQ-GAN, on
//! [Burn](https://burn.dev); and AutoencoderKL, which has the same layers and no tokens.
//!
//! [`Codec`] is where a program starts: pictures to tokens and back, or, without a codebook, to
//! latents and back.
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
//! assert!(file.len() < 1400);
//! assert!(psnr(&photo, &rebuilt)? > 24.0);
//! # Ok(())
//! # }
//! ```
//!
//! From the ground up (`docs/architecture.md` has the whole list):
//!
//! 1. [`pixels`] reads, scales and pads a picture;
//! 2. [`nn`] has the layers, and [`quantize`] turns latents into codes;
//! 3. [`tokens`] is the file that codes travel in;
//! 4. [`models`] puts them together, each kind from its config;
//! 5. [`weights`] reads and writes the models' parameters;
//! 6. [`codec`] runs a model over pictures of any size, within what a device can hold;
//! 7. [`train`] fits a model to photos.

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
