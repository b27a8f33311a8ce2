use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig};
use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Device, Distribution, IndexingUpdateOp, Int, Tensor};

use super::{flatten, unflatten};
use crate::nn::{Conv2d, conv};

/// Codes from learned logits, sampled with Gumbel noise during training.
///
/// Source: Jang et al. 2016, <https://arxiv.org/abs/1611.01144>; taming-transformers
/// `GumbelQuantize`.
///
/// # Examples
/// ```
/// # use burn::tensor::{Device, Tensor};
/// # use tesserae::quantize::GumbelQuantizer;
/// let device = Device::flex();
/// let quantizer = GumbelQuantizer::new(4, 32, 8, &device); // random logits of 32 codes
/// let latents = Tensor::<4>::ones([1, 4, 3, 2], &device);
/// let codes = quantizer.indices(latents);
/// assert_eq!(codes.dims(), [1, 3, 2]);
/// assert_eq!(quantizer.lookup(codes).dims(), [1, 8, 3, 2]);
/// ```
#[derive(Module, Debug)]
pub struct GumbelQuantizer {
    /// 1×1, from the latent's channels to K logits.
    pub proj: Conv2d,
    /// `weight` is the codebook, `[K, D]`.
    pub embed: Embedding,
}

/// Output of the Gumbel quantizer for training.
#[derive(Debug)]
pub struct GumbelOutput {
    /// `[batch, D, rows, columns]`.
    pub z_q: Tensor<4>,
    /// `[batch, rows, columns]`, each in `0..K`.
    pub indices: Tensor<3, Int>,
    /// Kullback-Leibler divergence of the code probabilities from uniform, in nats, averaged over
    /// positions. taming-transformers weights it by 5e-4.
    pub divergence: Tensor<1>,
}

impl GumbelQuantizer {
    /// From latents with `width` channels to `codes` codebook entries of dimension `dim`.
    pub fn new(width: usize, codes: usize, dim: usize, device: &Device) -> Self {
        Self {
            proj: conv(width, codes, 1, device),
            embed: EmbeddingConfig::new(codes, dim).init(device),
        }
    }

    /// The codebook, `[K, D]`.
    pub fn codebook(&self) -> Tensor<2> {
        self.embed.weight.val()
    }

    /// The most probable code of each position.
    ///
    /// # Shapes
    /// - `z`: `[batch, width, rows, columns]`
    /// - output: `[batch, rows, columns]`
    pub fn indices(&self, z: Tensor<4>) -> Tensor<3, Int> {
        let logits = self.proj.forward(z);
        let [batch, _, rows, columns] = logits.dims();
        logits.argmax(1).reshape([batch, rows, columns])
    }

    /// # Shapes
    /// - `indices`: `[batch, rows, columns]`
    /// - output: `[batch, D, rows, columns]`
    pub fn lookup(&self, indices: Tensor<3, Int>) -> Tensor<4> {
        let dims @ [batch, rows, columns] = indices.dims();
        let flat = indices.reshape([batch * rows * columns]);
        unflatten(self.codebook().select(0, flat), dims)
    }

    /// Samples codes at `temperature` with the straight-through (hard) estimator.
    ///
    /// # Shapes
    /// - `z`: `[batch, width, rows, columns]`
    pub fn forward(&self, z: Tensor<4>, temperature: f32) -> GumbelOutput {
        let logits = self.proj.forward(z);
        let [batch, codes, rows, columns] = logits.dims();
        let logits = flatten(logits); // [n, K]

        // −ln(−ln u), with u clamped away from 0 and 1, where a logarithm would be infinite.
        let uniform = Distribution::Uniform(1e-6, 1.0 - 1e-6);
        let noise = logits.random_like(uniform).log().neg().log().neg();
        let soft = softmax((logits.clone() + noise).div_scalar(temperature), 1);
        let indices = soft.clone().detach().argmax(1); // [n, 1]
        // Burn's `one_hot` reads its input back, which cannot be done synchronously in a browser.
        let ones = Tensor::ones(indices.dims(), &soft.device());
        let hard = soft
            .zeros_like()
            .scatter(1, indices.clone(), ones, IndexingUpdateOp::Add);
        let chosen = soft.clone() + (hard - soft).detach();

        let log_p = log_softmax(logits, 1);
        let divergence = (log_p.clone().exp() * log_p.add_scalar((codes as f32).ln()))
            .sum_dim(1)
            .mean();
        GumbelOutput {
            z_q: unflatten(chosen.matmul(self.codebook()), [batch, rows, columns]),
            indices: indices.reshape([batch, rows, columns]),
            divergence,
        }
    }
}
