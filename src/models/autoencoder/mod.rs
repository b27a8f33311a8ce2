//! What all autoencoders share: a picture becomes one grid of latents or several, and a picture again.

mod geometry;

pub use geometry::{Geometry, LatentScale};

use burn::tensor::{Int, Tensor};

use super::kl::{Kl, KlConfig};
use super::vqgan::{VqGan, VqGanConfig};
use super::vqvae::{VqVae, VqVaeConfig};
use super::vqvae2::{VqVae2, VqVae2Config};
use crate::error::{Error, Result};
use crate::nn::LastLayer;
use crate::quantize::{GumbelQuantizer, Quantized, VectorQuantizer, flatten, margins};

super::kind::one_of! {
    /// The description of any autoencoder; [`Geometry`] is what they have in common.
    config AutoencoderConfig is Geometry,
    /// Any autoencoder; [`Autoencode`] is what they have in common.
    network Autoencoder is Autoencode,
    /// VQ-VAE (van den Oord et al. 2017, <https://arxiv.org/abs/1711.00937>).
    VqVae(VqVaeConfig => VqVae),
    /// VQ-GAN's autoencoder (Esser et al. 2021, <https://arxiv.org/abs/2012.09841>).
    VqGan(VqGanConfig => VqGan),
    /// AutoencoderKL (Kingma and Welling 2013, <https://arxiv.org/abs/1312.6114>; Rombach et al.
    /// 2021, <https://arxiv.org/abs/2112.10752>): no codebook, so no tokens.
    Kl(KlConfig => Kl),
    /// VQ-VAE-2 (Razavi et al. 2019, <https://arxiv.org/abs/1906.00446>): two grids of tokens.
    VqVae2(VqVae2Config => VqVae2),
}

/// An autoencoder's network.
///
/// Pictures are `[batch, channels, height, width]` in the config's input range, sides multiples of
/// the downsampling factor. A picture has one grid of latents or several, the coarsest first; with a
/// codebook each becomes a grid of codes.
pub trait Autoencode {
    /// Latents before quantization, `[batch, D, height / f, width / f]`, of the grid after those
    /// whose quantized latents are in `coarser`; of the first one if that is empty. Of Gaussian
    /// latents these are the means.
    fn latents(&self, x: Tensor<4>, coarser: &[Tensor<4>]) -> Tensor<4>;

    /// What the last layer makes the picture of, from all grids' quantized latents, coarsest first,
    /// `[batch, D, rows, columns]` each, or from the one grid of Gaussian latents.
    ///
    /// # Errors
    /// [`Error::Argument`] for a number of grids that is not the model's.
    fn features(&self, z: &[Tensor<4>]) -> Result<Tensor<4>>;

    /// The layer that makes the picture; absent in a VQ-VAE's decoder that keeps the side.
    fn last(&self) -> Option<LastLayer<'_>>;

    /// How the codes of each grid are chosen, the coarsest first; none without a codebook.
    fn quantizers(&self) -> Vec<Quantizer<'_>>;

    /// Those quantizers that choose the nearest code, to change.
    fn vector_quantizers_mut(&mut self) -> Vec<&mut VectorQuantizer>;

    /// Mean and logarithm of the variance of each latent's Gaussian, `[batch, 2 · D, height / f,
    /// width / f]`, the means first; `None` where latents are not Gaussian.
    fn moments(&self, _x: &Tensor<4>) -> Option<Tensor<4>> {
        None
    }

    /// The training pass: reconstruction and what the quantizers' losses need. `None` where another
    /// pass is needed: with a Gumbel quantizer, which takes a temperature, and with Gaussian
    /// latents, which take noise.
    fn forward(&self, x: Tensor<4>) -> Option<Pass> {
        let z = self.latents(x, &[]);
        let quantized = self.vector_quantizers().first()?.forward(z.clone());
        let features = self.features(std::slice::from_ref(&quantized.z_q)).ok()?;
        Some(Pass {
            output: self.picture(features.clone()),
            features,
            latents: vec![z],
            quantized: vec![quantized],
        })
    }

    /// The picture that the last layer makes of [`Autoencode::features`].
    fn picture(&self, features: Tensor<4>) -> Tensor<4> {
        match self.last() {
            Some(last) => last.forward(features),
            None => features,
        }
    }

    /// The picture of what [`Autoencode::features`] takes.
    ///
    /// # Errors
    /// As [`Autoencode::features`].
    fn decode(&self, z: &[Tensor<4>]) -> Result<Tensor<4>> {
        Ok(self.picture(self.features(z)?))
    }

    /// The code of each latent of a grid: `[batch, D, rows, columns]` to `[batch, rows, columns]`.
    ///
    /// # Errors
    /// [`Error::NoCodebook`], and [`Error::Argument`] for a grid that the model does not have.
    fn indices(&self, grid: usize, z: Tensor<4>) -> Result<Tensor<3, Int>> {
        Ok(match self.quantizer(grid)? {
            Quantizer::Nearest(q) => q.indices(z),
            Quantizer::Gumbel(q) => q.indices(z),
        })
    }

    /// The codebook entry of each index of a grid: `[batch, rows, columns]` to
    /// `[batch, D, rows, columns]`.
    ///
    /// # Errors
    /// As [`Autoencode::indices`].
    fn lookup(&self, grid: usize, indices: Tensor<3, Int>) -> Result<Tensor<4>> {
        Ok(match self.quantizer(grid)? {
            Quantizer::Nearest(q) => q.lookup(indices),
            Quantizer::Gumbel(q) => q.lookup(indices),
        })
    }

    /// The codebook of a grid, `[K, D]`.
    ///
    /// # Errors
    /// As [`Autoencode::indices`].
    fn codebook(&self, grid: usize) -> Result<Tensor<2>> {
        Ok(match self.quantizer(grid)? {
            Quantizer::Nearest(q) => q.codebook(),
            Quantizer::Gumbel(q) => q.codebook(),
        })
    }

    /// Squared distances to the two nearest codes of each latent of a grid, `[n, 2]`; see
    /// [`margins`]. `None` for a Gumbel quantizer, which chooses by logits, and where there is no
    /// such grid.
    fn margins(&self, grid: usize, z: Tensor<4>) -> Option<Tensor<2>> {
        let quantizer = self.quantizer(grid).ok()?.nearest()?;
        Some(margins(flatten(quantizer.prepare(z)), quantizer.codebook()))
    }

    /// The quantizers that choose the nearest code, the coarsest grid's first.
    fn vector_quantizers(&self) -> Vec<&VectorQuantizer> {
        let all = self.quantizers().into_iter();
        all.filter_map(Quantizer::nearest).collect()
    }

    /// The quantizer of a grid.
    ///
    /// # Errors
    /// As [`Autoencode::indices`].
    fn quantizer(&self, grid: usize) -> Result<Quantizer<'_>> {
        let all = self.quantizers();
        match all.get(grid) {
            Some(quantizer) => Ok(*quantizer),
            None if all.is_empty() => Err(Error::NoCodebook),
            None => {
                let message = format!("There is no grid {grid} in this model");
                Err(Error::Argument(message))
            }
        }
    }
}

/// How one grid's codes are chosen.
#[derive(Debug, Clone, Copy)]
pub enum Quantizer<'a> {
    /// The nearest entry.
    Nearest(&'a VectorQuantizer),
    /// The argmax of learned logits.
    Gumbel(&'a GumbelQuantizer),
}

impl<'a> Quantizer<'a> {
    fn nearest(self) -> Option<&'a VectorQuantizer> {
        match self {
            Self::Nearest(quantizer) => Some(quantizer),
            Self::Gumbel(_) => None,
        }
    }
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

/// The error for a number of grids that is not the model's.
pub(super) fn grids(count: usize) -> Error {
    Error::Argument(format!(
        "This model does not decode {count} grids of latents"
    ))
}
