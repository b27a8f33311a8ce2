use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};

use super::vqgan::GanQuantizer;
use super::{Kl, VqGan, VqVae, VqVae2};
use crate::config::ModelConfig;
use crate::error::{Error, Result};
use crate::nn::LastLayer;
use crate::quantize::{GumbelQuantizer, Quantized, VectorQuantizer, flatten, margins};

/// Any of the models, behind what they share.
///
/// Pictures are `[batch, channels, height, width]` in the config's input range, sides multiples of
/// the downsampling factor. A picture has one grid of latents or several, the coarsest first; each
/// becomes a grid of codes but in [`Kl`], which has no codebook.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // One a program; the indirection would save nothing.
pub enum Autoencoder {
    /// VQ-VAE.
    VqVae(VqVae),
    /// VQ-GAN.
    VqGan(VqGan),
    /// AutoencoderKL.
    Kl(Kl),
    /// VQ-VAE-2.
    VqVae2(VqVae2),
}

/// What a training pass gives.
#[derive(Debug)]
pub struct Pass {
    /// What the last layer made `output` of.
    pub features: Tensor<4>,
    /// The reconstruction, as the picture that went in.
    pub output: Tensor<4>,
    /// Latents of each grid before quantization, coarsest first: `[batch, D, rows, columns]`.
    pub latents: Vec<Tensor<4>>,
    /// What each grid's quantizer gave, in the same order.
    pub quantized: Vec<Quantized>,
}

impl Pass {
    /// Sum over the grids of [`Quantized::loss`].
    pub fn loss(&self, beta: f32) -> Tensor<1> {
        let none = Tensor::zeros([1], &self.output.device());
        let each = self.quantized.iter().map(|quantized| quantized.loss(beta));
        each.fold(none, |sum, loss| sum + loss)
    }
}

/// How one grid's codes are chosen.
enum Quantizer<'a> {
    Nearest(&'a VectorQuantizer),
    Gumbel(&'a GumbelQuantizer),
}

impl Autoencoder {
    /// Builds with random weights. For repeatable ones seed the device first.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] when the config cannot be built.
    pub fn new(config: &ModelConfig, device: &Device) -> Result<Self> {
        config.validate()?;
        Ok(match config {
            ModelConfig::VqVae(c) => Self::VqVae(VqVae::new(c, device)),
            ModelConfig::VqGan(c) => Self::VqGan(VqGan::new(c, device)?),
            ModelConfig::Kl(c) => Self::Kl(Kl::new(c, device)?),
            ModelConfig::VqVae2(c) => Self::VqVae2(VqVae2::new(c, device)),
        })
    }

    /// The model, if it has Gaussians instead of codes.
    pub fn kl(&self) -> Option<&Kl> {
        match self {
            Self::Kl(m) => Some(m),
            _ => None,
        }
    }

    /// Latents before quantization, `[batch, D, height / f, width / f]`, of the next grid after
    /// those whose quantized latents are in `coarser`; of the first without any. AutoencoderKL's
    /// are the means of its Gaussians.
    pub fn latents(&self, x: Tensor<4>, coarser: &[Tensor<4>]) -> Tensor<4> {
        match (self, coarser) {
            (Self::VqVae(m), _) => m.latents(x),
            (Self::VqGan(m), _) => m.latents(x),
            (Self::Kl(m), _) => Kl::mean(m.moments(x)),
            (Self::VqVae2(m), []) => m.top(x),
            (Self::VqVae2(m), [top, ..]) => m.bottom(x, top.clone()),
        }
    }

    /// The code of each latent of a grid: `[batch, D, rows, columns]` to `[batch, rows, columns]`.
    ///
    /// # Errors
    /// [`Error::NoCodebook`], and [`Error::Argument`] for a grid that the model has not.
    pub fn indices(&self, grid: usize, z: Tensor<4>) -> Result<Tensor<3, Int>> {
        Ok(match self.quantizer(grid)? {
            Quantizer::Nearest(q) => q.indices(z),
            Quantizer::Gumbel(q) => q.indices(z),
        })
    }

    /// The codebook entry of each index of a grid: `[batch, rows, columns]` to
    /// `[batch, D, rows, columns]`.
    ///
    /// # Errors
    /// As [`Autoencoder::indices`].
    pub fn lookup(&self, grid: usize, indices: Tensor<3, Int>) -> Result<Tensor<4>> {
        Ok(match self.quantizer(grid)? {
            Quantizer::Nearest(q) => q.lookup(indices),
            Quantizer::Gumbel(q) => q.lookup(indices),
        })
    }

    /// The picture of all grids' quantized latents, coarsest first, `[batch, D, rows, columns]`
    /// each; of AutoencoderKL's one grid of latents as they are.
    ///
    /// # Errors
    /// [`Error::Argument`] for a number of grids that is not the model's.
    pub fn decode(&self, z: &[Tensor<4>]) -> Result<Tensor<4>> {
        let features = self.features(z)?;
        Ok(self.picture(features))
    }

    /// What the last layer makes the picture of; see [`Autoencoder::picture`].
    ///
    /// # Errors
    /// As [`Autoencoder::decode`].
    pub fn features(&self, z: &[Tensor<4>]) -> Result<Tensor<4>> {
        Ok(match (self, z) {
            (Self::VqVae(m), [z]) => m.features(z.clone()),
            (Self::VqGan(m), [z]) => m.features(z.clone()),
            (Self::Kl(m), [z]) => m.features(z.clone()),
            (Self::VqVae2(m), [top, bottom]) => m.features(top.clone(), bottom.clone()),
            _ => {
                let count = z.len();
                let message = format!("This model does not decode {count} grids of latents");
                return Err(Error::Argument(message));
            }
        })
    }

    /// The picture that the last layer makes of [`Autoencoder::features`].
    pub fn picture(&self, features: Tensor<4>) -> Tensor<4> {
        match self.last() {
            Some(last) => last.forward(features),
            None => features,
        }
    }

    /// The layer that makes the picture; absent in a VQ-VAE's decoder that keeps the side.
    pub fn last(&self) -> Option<LastLayer<'_>> {
        match self {
            Self::VqVae(m) => m.last(),
            Self::VqGan(m) => Some(m.last()),
            Self::Kl(m) => Some(m.last()),
            Self::VqVae2(m) => m.last(),
        }
    }

    /// Encode, quantize, decode.
    ///
    /// # Errors
    /// None that a model as it was built can give.
    pub fn reconstruct(&self, x: Tensor<4>) -> Result<Tensor<4>> {
        let mut grids = Vec::new();
        for grid in 0..self.grids() {
            let z = self.latents(x.clone(), &grids);
            grids.push(match self {
                Self::Kl(_) => z,
                _ => self.lookup(grid, self.indices(grid, z)?)?,
            });
        }
        self.decode(&grids)
    }

    /// The codebook of a grid, `[K, D]`.
    ///
    /// # Errors
    /// As [`Autoencoder::indices`].
    pub fn codebook(&self, grid: usize) -> Result<Tensor<2>> {
        Ok(match self.quantizer(grid)? {
            Quantizer::Nearest(q) => q.codebook(),
            Quantizer::Gumbel(q) => q.codebook(),
        })
    }

    /// The quantizer of each grid, the coarsest first; none for a Gumbel model, which chooses by
    /// logits, and for one without a codebook.
    pub fn vector_quantizers(&self) -> Vec<&VectorQuantizer> {
        (0..self.grids())
            .filter_map(|grid| self.nearest(grid))
            .collect()
    }

    /// As [`Autoencoder::vector_quantizers`], to change.
    pub fn vector_quantizers_mut(&mut self) -> Vec<&mut VectorQuantizer> {
        match self {
            Self::VqVae(m) => vec![&mut m.quantize],
            Self::VqGan(m) => match &mut m.quantize {
                GanQuantizer::Vq(q) => vec![q],
                GanQuantizer::Gumbel(_) => vec![],
            },
            Self::Kl(_) => vec![],
            Self::VqVae2(m) => vec![&mut m.quantize_t, &mut m.quantize_b],
        }
    }

    /// The training pass: reconstruction and what the quantizers' losses need. `None` for a Gumbel
    /// model, whose pass takes a temperature, and for AutoencoderKL, whose pass takes noise.
    pub fn forward(&self, x: Tensor<4>) -> Option<Pass> {
        if let Self::VqVae2(m) = self {
            let (features, latents, quantized) = m.forward(x);
            let output = self.picture(features.clone());
            return Some(Pass {
                features,
                output,
                latents,
                quantized,
            });
        }
        let z = self.latents(x, &[]);
        let quantized = self.nearest(0)?.forward(z.clone());
        let features = self.features(std::slice::from_ref(&quantized.z_q)).ok()?;
        Some(Pass {
            output: self.picture(features.clone()),
            features,
            latents: vec![z],
            quantized: vec![quantized],
        })
    }

    /// Squared distances to the two nearest codes of each latent of a grid, `[n, 2]`; see
    /// [`crate::quantize::margins`]. `None` for a Gumbel model, which chooses by logits, and where
    /// there is no such grid.
    pub fn margins(&self, grid: usize, z: Tensor<4>) -> Option<Tensor<2>> {
        let quantizer = self.nearest(grid)?;
        Some(margins(flatten(quantizer.prepare(z)), quantizer.codebook()))
    }

    /// Number of grids of latents.
    fn grids(&self) -> usize {
        match self {
            Self::VqVae(_) | Self::VqGan(_) | Self::Kl(_) => 1,
            Self::VqVae2(_) => 2,
        }
    }

    fn nearest(&self, grid: usize) -> Option<&VectorQuantizer> {
        match self.quantizer(grid) {
            Ok(Quantizer::Nearest(quantizer)) => Some(quantizer),
            _ => None,
        }
    }

    fn quantizer(&self, grid: usize) -> Result<Quantizer<'_>> {
        Ok(match (self, grid) {
            (Self::Kl(_), _) => return Err(Error::NoCodebook),
            (Self::VqVae(m), 0) => Quantizer::Nearest(&m.quantize),
            (Self::VqGan(m), 0) => match &m.quantize {
                GanQuantizer::Vq(q) => Quantizer::Nearest(q),
                GanQuantizer::Gumbel(q) => Quantizer::Gumbel(q),
            },
            (Self::VqVae2(m), 0) => Quantizer::Nearest(&m.quantize_t),
            (Self::VqVae2(m), 1) => Quantizer::Nearest(&m.quantize_b),
            _ => {
                let message = format!("There is no grid {grid} in this model");
                return Err(Error::Argument(message));
            }
        })
    }
}
