use burn::module::{Module, Param};
use burn::nn::{Embedding, EmbeddingConfig, Initializer};
use burn::tensor::{Device, Int, Tensor};

use super::{flatten, nearest, unflatten};

/// Nearest-neighbour vector quantization with straight-through gradients.
///
/// Source: van den Oord et al. 2017, section 3.2; taming-transformers `VectorQuantizer2`.
///
/// # Examples
/// ```
/// # use burn::tensor::{Device, Tensor};
/// # use tesserae::quantize::VectorQuantizer;
/// let device = Device::flex();
/// let mut quantizer = VectorQuantizer::new(2, 1, &device); // 2 codes, 1 channel
/// quantizer.set_codebook(Tensor::from_floats([[-1.0], [1.0]], &device));
/// let latents = Tensor::<4>::from_floats([[[[0.8, -0.4]]]], &device);
/// let codes = quantizer.indices(latents);
/// assert_eq!(codes.to_data().iter::<i64>().collect::<Vec<_>>(), [1, 0]);
/// let entries: Vec<f32> = quantizer.lookup(codes).into_data().iter().collect();
/// assert_eq!(entries, [1.0, -1.0]);
/// ```
#[derive(Module, Debug)]
pub struct VectorQuantizer {
    /// `weight` is the codebook, `[K, D]`, before any normalisation.
    pub embedding: Embedding,
    /// Whether latents and entries are normalised to unit length before they are compared.
    #[module(skip)]
    sphere: bool,
}

/// Output of a quantizer for training.
#[derive(Debug)]
pub struct Quantized {
    /// `[batch, D, rows, columns]`; gradients pass straight through to the latents.
    pub z_q: Tensor<4>,
    /// `[batch, rows, columns]`, each in `0..K`.
    pub indices: Tensor<3, Int>,
    /// Mean of ‖z_q − sg(z)‖² over elements: the codebook loss, which pulls the codebook towards
    /// the latents.
    pub codebook: Tensor<1>,
    /// Mean of ‖sg(z_q) − z‖² over elements: the commitment loss.
    pub commitment: Tensor<1>,
}

impl VectorQuantizer {
    /// A codebook of `codes` entries of dimension `dim`, initialised uniformly in ±1/K as in both
    /// papers' code.
    pub fn new(codes: usize, dim: usize, device: &Device) -> Self {
        let bound = 1.0 / codes as f64;
        let embedding = EmbeddingConfig::new(codes, dim)
            .with_initializer(Initializer::Uniform {
                min: -bound,
                max: bound,
            })
            .init(device);
        Self {
            embedding,
            sphere: false,
        }
    }

    /// The same codebook, with latents and entries normalised to unit length.
    ///
    /// Source: LlamaGen `tokenizer/tokenizer_image/vq_model.py`, `codebook_l2_norm`.
    pub fn on_sphere(self) -> Self {
        Self {
            sphere: true,
            ..self
        }
    }

    /// The codebook as used for comparison and lookup, `[K, D]`.
    pub fn codebook(&self) -> Tensor<2> {
        let codebook = self.embedding.weight.val();
        if self.sphere {
            unit(codebook, 1)
        } else {
            codebook
        }
    }

    /// The latents as compared with the codebook.
    pub fn prepare(&self, z: Tensor<4>) -> Tensor<4> {
        if self.sphere { unit(z, 1) } else { z }
    }

    /// Replaces the codebook with one of the same dimension; used by EMA and k-means. Whether it
    /// requires gradients is preserved.
    pub fn set_codebook(&mut self, codebook: Tensor<2>) {
        let weight = &self.embedding.weight;
        let learns = weight.val().is_require_grad();
        let codebook = codebook.detach().set_require_grad(learns);
        self.embedding.weight = Param::initialized(weight.id, codebook);
    }

    /// # Shapes
    /// - `z`: `[batch, D, rows, columns]`
    /// - output: `[batch, rows, columns]`, each in `0..K`
    pub fn indices(&self, z: Tensor<4>) -> Tensor<3, Int> {
        self.choose(self.prepare(z))
    }

    fn choose(&self, prepared: Tensor<4>) -> Tensor<3, Int> {
        let [batch, _, rows, columns] = prepared.dims();
        let flat = flatten(prepared).detach();
        nearest(flat, self.codebook().detach()).reshape([batch, rows, columns])
    }

    /// # Shapes
    /// - `indices`: `[batch, rows, columns]`, each in `0..K`
    /// - output: `[batch, D, rows, columns]`
    pub fn lookup(&self, indices: Tensor<3, Int>) -> Tensor<4> {
        let dims @ [batch, rows, columns] = indices.dims();
        let flat = indices.reshape([batch * rows * columns]);
        unflatten(self.codebook().select(0, flat), dims)
    }

    /// Quantizes and computes the loss terms for training.
    ///
    /// # Shapes
    /// - `z`: `[batch, D, rows, columns]`
    pub fn forward(&self, z: Tensor<4>) -> Quantized {
        let z = self.prepare(z);
        let indices = self.choose(z.clone());
        let z_q = self.lookup(indices.clone());
        let mean_square = |a: Tensor<4>, b: Tensor<4>| (a - b).square().mean();
        Quantized {
            codebook: mean_square(z_q.clone(), z.clone().detach()),
            commitment: mean_square(z_q.clone().detach(), z.clone()),
            z_q: z.clone() + (z_q - z).detach(),
            indices,
        }
    }
}

/// Normalises to unit length along `dim`, like torch's `F.normalize`.
fn unit<const D: usize>(x: Tensor<D>, dim: usize) -> Tensor<D> {
    let length = x.clone().square().sum_dim(dim).sqrt().clamp_min(1e-12);
    x / length
}
