use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};

use super::vqgan::GanQuantizer;
use super::{VqGan, VqVae};
use crate::config::ModelConfig;
use crate::error::{Error, Result};
use crate::quantize::{Quantized, VectorQuantizer, flatten, margins};

/// Any of the models, behind what they share.
///
/// Pictures are `[batch, channels, height, width]` in the config's input range, sides multiples of
/// the downsampling factor.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // One a program; the indirection would save nothing.
pub enum Autoencoder {
    /// VQ-VAE.
    VqVae(VqVae),
    /// VQ-GAN.
    VqGan(VqGan),
}

impl Autoencoder {
    /// Builds with random weights. For repeatable ones seed the device first.
    ///
    /// # Errors
    /// [`crate::Error::ConfigInvalid`] when the config cannot be built.
    pub fn new(config: &ModelConfig, device: &Device) -> Result<Self> {
        config.validate()?;
        Ok(match config {
            ModelConfig::VqVae(c) => Self::VqVae(VqVae::new(c, device)),
            ModelConfig::VqGan(c) => Self::VqGan(VqGan::new(c, device)?),
            ModelConfig::Kl(_) | ModelConfig::VqVae2(_) => {
                return Err(Error::ConfigInvalid(format!(
                    "`{}` cannot be built yet",
                    config.kind()
                )));
            }
        })
    }

    /// Latents before quantization, `[batch, D, height / f, width / f]`.
    pub fn latents(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::VqVae(m) => m.latents(x),
            Self::VqGan(m) => m.latents(x),
        }
    }

    /// The code of each latent: `[batch, D, rows, columns]` to `[batch, rows, columns]`.
    pub fn indices(&self, z: Tensor<4>) -> Tensor<3, Int> {
        match self {
            Self::VqVae(m) => m.quantize.indices(z),
            Self::VqGan(m) => m.indices(z),
        }
    }

    /// The codebook entry of each index: `[batch, rows, columns]` to `[batch, D, rows, columns]`.
    pub fn lookup(&self, indices: Tensor<3, Int>) -> Tensor<4> {
        match self {
            Self::VqVae(m) => m.quantize.lookup(indices),
            Self::VqGan(m) => m.lookup(indices),
        }
    }

    /// The picture of quantized latents, `[batch, D, rows, columns]`.
    pub fn decode(&self, z_q: Tensor<4>) -> Tensor<4> {
        match self {
            Self::VqVae(m) => m.decode(z_q),
            Self::VqGan(m) => m.decode(z_q),
        }
    }

    /// Encode, quantize, decode.
    pub fn reconstruct(&self, x: Tensor<4>) -> Tensor<4> {
        self.decode(self.lookup(self.indices(self.latents(x))))
    }

    /// The codebook, `[K, D]`.
    pub fn codebook(&self) -> Tensor<2> {
        match self {
            Self::VqVae(m) => m.quantize.codebook(),
            Self::VqGan(m) => match &m.quantize {
                GanQuantizer::Vq(q) => q.codebook(),
                GanQuantizer::Gumbel(q) => q.codebook(),
            },
        }
    }

    /// The nearest-neighbour quantizer, which a Gumbel model has not.
    pub fn vector_quantizer(&self) -> Option<&VectorQuantizer> {
        match self {
            Self::VqVae(m) => Some(&m.quantize),
            Self::VqGan(m) => match &m.quantize {
                GanQuantizer::Vq(q) => Some(q),
                GanQuantizer::Gumbel(_) => None,
            },
        }
    }

    /// As [`Autoencoder::vector_quantizer`], to change.
    pub fn vector_quantizer_mut(&mut self) -> Option<&mut VectorQuantizer> {
        match self {
            Self::VqVae(m) => Some(&mut m.quantize),
            Self::VqGan(m) => match &mut m.quantize {
                GanQuantizer::Vq(q) => Some(q),
                GanQuantizer::Gumbel(_) => None,
            },
        }
    }

    /// The training pass: reconstruction and what the quantizer's losses need. `None` for a Gumbel
    /// model, whose pass takes a temperature.
    pub fn forward(&self, x: Tensor<4>) -> Option<(Tensor<4>, Tensor<4>, Quantized)> {
        let z = self.latents(x);
        let quantized = self.vector_quantizer()?.forward(z.clone());
        Some((self.decode(quantized.z_q.clone()), z, quantized))
    }

    /// Squared distances to the two nearest codes of each latent, `[n, 2]`; see
    /// [`crate::quantize::margins`]. `None` for a Gumbel model, which chooses by logits.
    pub fn margins(&self, z: Tensor<4>) -> Option<Tensor<2>> {
        let quantizer = self.vector_quantizer()?;
        Some(margins(flatten(quantizer.prepare(z)), quantizer.codebook()))
    }
}
