use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::KlConfig;
use crate::error::Result;
use crate::models::autoencode::{Autoencode, Quantizer, grids};
use crate::nn::{Conv2d, Decoder, Encoder, LastLayer, conv};
use crate::quantize::VectorQuantizer;

/// Log-variances are clamped to this range, as in latent-diffusion.
const LOG_VARIANCE: [f32; 2] = [-30.0, 20.0];

/// AutoencoderKL: a Gaussian per latent instead of a code, with the parameter names of
/// latent-diffusion's checkpoints.
///
/// Source: Kingma and Welling 2013, <https://arxiv.org/abs/1312.6114>; Rombach et al. 2021,
/// <https://arxiv.org/abs/2112.10752>; latent-diffusion `ldm/models/autoencoder.py`,
/// `AutoencoderKL`, and `ldm/modules/distributions/distributions.py`.
#[derive(Module, Debug)]
pub struct Kl {
    encoder: Encoder,
    decoder: Decoder,
    /// Either both are present or neither.
    quant_conv: Option<Conv2d>,
    post_quant_conv: Option<Conv2d>,
}

impl Kl {
    /// Builds with random weights.
    ///
    /// # Errors
    /// If the config's widths overflow.
    pub fn new(config: &KlConfig, device: &Device) -> Result<Self> {
        let (z, dim) = (config.network.z_channels, config.embed_dim);
        let around = |from, to| config.quant_conv.then(|| conv(from, to, 1, device));
        Ok(Self {
            encoder: Encoder::new(&config.network, 2 * z, device)?,
            decoder: Decoder::new(&config.network, device)?,
            quant_conv: around(2 * z, 2 * dim),
            post_quant_conv: around(dim, z),
        })
    }

    fn gaussians(&self, x: Tensor<4>) -> Tensor<4> {
        let h = self.encoder.forward(x);
        match &self.quant_conv {
            Some(conv) => conv.forward(h),
            None => h,
        }
    }

    /// The most likely latents: the means.
    ///
    /// # Shapes
    /// - input: `[batch, 2 · embed_dim, rows, columns]`, from [`Autoencode::moments`]
    /// - output: `[batch, embed_dim, rows, columns]`
    pub fn mean(moments: Tensor<4>) -> Tensor<4> {
        let channels = moments.dims()[1];
        moments.narrow(1, 0, channels / 2)
    }

    /// Samples the latents: mean + σ · `noise`, with standard normal `noise`; see
    /// [`noise`](crate::random::noise).
    ///
    /// # Shapes
    /// - `moments`: `[batch, 2 · embed_dim, rows, columns]`
    /// - `noise` and output: `[batch, embed_dim, rows, columns]`
    pub fn sample(moments: Tensor<4>, noise: Tensor<4>) -> Tensor<4> {
        let half = moments.dims()[1] / 2;
        let [low, high] = LOG_VARIANCE;
        let deviation = moments
            .clone()
            .narrow(1, half, half)
            .clamp(low, high)
            .mul_scalar(0.5)
            .exp();
        Self::mean(moments) + deviation * noise
    }

    /// [`Kl::sample`] on the host: `moments` are all means, then all log-variances.
    pub(crate) fn sample_values(moments: &[f32], noise: &[f32]) -> Vec<f32> {
        let (means, logarithms) = moments.split_at(moments.len() / 2);
        let [low, high] = LOG_VARIANCE;
        let drawn = means.iter().zip(logarithms).zip(noise);
        drawn
            .map(|((mean, log), noise)| mean + (0.5 * log.clamp(low, high)).exp() * noise)
            .collect()
    }

    /// KL divergence from a standard normal distribution, in nats: ½ (μ² + σ² − 1 − ln σ²), summed
    /// over an image's latents and averaged over the batch, `[1]`.
    ///
    /// Source: Kingma and Welling 2013, appendix B.
    ///
    /// # Shapes
    /// - input: `[batch, 2 · embed_dim, rows, columns]`, from [`Autoencode::moments`]
    pub fn divergence(moments: Tensor<4>) -> Tensor<1> {
        let [batch, channels, ..] = moments.dims();
        let half = channels / 2;
        let [low, high] = LOG_VARIANCE;
        let log = moments.clone().narrow(1, half, half).clamp(low, high);
        let square = Self::mean(moments).square();
        let terms = square + log.clone().exp() - log.add_scalar(1.0);
        terms.sum().mul_scalar(0.5 / batch as f32)
    }
}

impl Autoencode for Kl {
    fn latents(&self, x: Tensor<4>, _coarser: &[Tensor<4>]) -> Tensor<4> {
        Self::mean(self.gaussians(x))
    }

    fn features(&self, z: &[Tensor<4>]) -> Result<Tensor<4>> {
        let [z] = z else {
            return Err(grids(z.len()));
        };
        Ok(self.decoder.features(match &self.post_quant_conv {
            Some(conv) => conv.forward(z.clone()),
            None => z.clone(),
        }))
    }

    fn last(&self) -> Option<LastLayer<'_>> {
        Some(self.decoder.last())
    }

    fn quantizers(&self) -> Vec<Quantizer<'_>> {
        Vec::new()
    }

    fn vector_quantizers_mut(&mut self) -> Vec<&mut VectorQuantizer> {
        Vec::new()
    }

    fn moments(&self, x: &Tensor<4>) -> Option<Tensor<4>> {
        Some(self.gaussians(x.clone()))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;

    #[test]
    fn samples_lie_a_deviation_times_the_noise_off_the_mean() {
        let device = Device::flex();
        let tensor = |values: &[f32]| {
            let data = TensorData::new(values.to_vec(), [1, values.len(), 1, 1]);
            Tensor::<4>::from_data(data, &device)
        };
        // Variances of 1 and of e², one past each bound.
        let moments = tensor(&[1.0, -2.0, 0.5, 0.0, 0.0, 2.0, -90.0, 1e9]);
        let noise = tensor(&[0.5, -1.0, 7.0, 1.0]);
        let sampled: Vec<f32> = Kl::sample(moments.clone(), noise)
            .into_data()
            .iter()
            .collect();
        let e = std::f32::consts::E;
        let wanted = [1.5, -2.0 - e, 0.5, 10_f32.exp()];
        for (found, wanted) in sampled.iter().zip(wanted) {
            assert!(
                (found - wanted).abs() <= 1e-5 * wanted.abs(),
                "{found} is not {wanted}"
            );
        }
        // The same on the host.
        let moments_on_host: Vec<f32> = moments.to_data().iter().collect();
        let on_host = Kl::sample_values(&moments_on_host, &[0.5, -1.0, 7.0, 1.0]);
        for (found, wanted) in on_host.iter().zip(wanted) {
            assert!(
                (found - wanted).abs() <= 1e-5 * wanted.abs(),
                "{found} is not {wanted}"
            );
        }
        let mean: Vec<f32> = Kl::mean(moments).into_data().iter().collect();
        assert_eq!(mean, [1.0, -2.0, 0.5, 0.0]);
    }

    #[test]
    fn the_divergence_is_nothing_for_a_standard_normal() {
        let device = Device::flex();
        let divergence = |moments: [[[[f32; 1]; 1]; 4]; 2]| -> f32 {
            Kl::divergence(Tensor::from_floats(moments, &device)).into_scalar()
        };
        let at = |mean: f32, log: f32| [[[mean]], [[0.0]], [[log]], [[0.0]]];
        assert_eq!(divergence([at(0.0, 0.0); 2]), 0.0);
        // ½ · 9, and ½ (e² − 3), each in one of two images.
        let wanted = 0.25 * (9.0 + 2_f32.exp() - 3.0);
        let found = divergence([at(3.0, 0.0), at(0.0, 2.0)]);
        assert!((found - wanted).abs() < 1e-5, "{found} is not {wanted}");
    }
}
