use burn::tensor::{Int, Tensor};

use crate::error::{Error, Result};
use crate::nn::LastLayer;
use crate::quantize::{GumbelQuantizer, Quantized, VectorQuantizer, flatten, margins};

/// An autoencoder network.
///
/// Images are `[batch, channels, height, width]` in the config's input range, with sides that are
/// multiples of the downsampling factor. An image has one or more latent grids, coarsest first;
/// with a codebook, each is quantized to a grid of codes.
///
/// # Examples
/// ```
/// # use burn::tensor::{Device, Tensor};
/// # use tesserae::{Autoencoder, AutoencoderConfig};
/// # fn main() -> tesserae::Result<()> {
/// let device = Device::flex();
/// let config = AutoencoderConfig::preset("vqgan-tiny")?;
/// let network = Autoencoder::new(&config, &device)?; // random weights
/// let images = Tensor::<4>::zeros([2, 3, 16, 8], &device);
/// let codes = network.indices(0, network.latents(images, &[]))?;
/// assert_eq!(codes.dims(), [2, 4, 2]);
/// let decoded = network.decode(&[network.lookup(0, codes)?])?;
/// assert_eq!(decoded.dims(), [2, 3, 16, 8]);
/// # Ok(())
/// # }
/// ```
pub trait Autoencode {
    /// Latents before quantization, `[batch, D, height / f, width / f]`, of the next grid after
    /// those whose quantized latents are in `coarser`; of the first grid if that is empty. For
    /// Gaussian latents, these are the means.
    fn latents(&self, x: Tensor<4>, coarser: &[Tensor<4>]) -> Tensor<4>;

    /// The last layer's input, from the quantized latents of all grids, coarsest first, `[batch, D,
    /// rows, columns]` each, or from the one grid of Gaussian latents.
    ///
    /// # Errors
    /// [`Error::Argument`] for the wrong number of grids.
    fn features(&self, z: &[Tensor<4>]) -> Result<Tensor<4>>;

    /// The layer that outputs the image; `None` for a VQ-VAE decoder without upsampling.
    fn last(&self) -> Option<LastLayer<'_>>;

    /// The quantizer of each grid, coarsest first; empty without a codebook.
    fn quantizers(&self) -> Vec<Quantizer<'_>>;

    /// Mutable access to the nearest-code quantizers.
    fn vector_quantizers_mut(&mut self) -> Vec<&mut VectorQuantizer>;

    /// Mean and log-variance of each latent's Gaussian, `[batch, 2 · D, height / f, width / f]`,
    /// means first; `None` if the latents are not Gaussian.
    fn moments(&self, _x: &Tensor<4>) -> Option<Tensor<4>> {
        None
    }

    /// The training forward pass: the reconstruction and the inputs of the quantizers' losses.
    /// `None` for models that need another pass: a Gumbel quantizer takes a temperature, Gaussian
    /// latents take noise.
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

    /// Applies the last layer to [`Autoencode::features`].
    fn picture(&self, features: Tensor<4>) -> Tensor<4> {
        match self.last() {
            Some(last) => last.forward(features),
            None => features,
        }
    }

    /// Decodes latents, given as for [`Autoencode::features`].
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
    /// [`margins`]. `None` for a Gumbel quantizer, which uses logits, and if there is no such grid.
    fn margins(&self, grid: usize, z: Tensor<4>) -> Option<Tensor<2>> {
        let quantizer = self.quantizer(grid).ok()?.nearest()?;
        Some(margins(flatten(quantizer.prepare(z)), quantizer.codebook()))
    }

    /// The nearest-code quantizers, coarsest grid first.
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

/// How the codes of one grid are chosen.
#[derive(Debug, Clone, Copy)]
pub enum Quantizer<'a> {
    /// Nearest codebook entry.
    Nearest(&'a VectorQuantizer),
    /// Argmax of learned logits.
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

/// The result of a training forward pass.
#[derive(Debug)]
pub struct Pass {
    /// Input of the last layer.
    pub features: Tensor<4>,
    /// The reconstruction, with the input's shape and range.
    pub output: Tensor<4>,
    /// Latents of each grid before quantization, coarsest first: `[batch, D, rows, columns]`.
    pub latents: Vec<Tensor<4>>,
    /// Each grid's quantizer output, in the same order.
    pub quantized: Vec<Quantized>,
}

/// The error for the wrong number of grids.
pub(super) fn grids(count: usize) -> Error {
    Error::Argument(format!(
        "This model does not decode {count} grids of latents"
    ))
}
