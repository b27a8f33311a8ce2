use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Int, Tensor};

use super::VaeConfig;
use crate::kernels::silu;
use crate::models::{Decode, Encode, Generate, Method};
use crate::nn::transformer::{Linear, Table};
use crate::nn::{Conv2d, conv, double, with_classes};

/// Log-variances are clamped to this range, as in [`Kl`](crate::models::Kl).
const LOG_VARIANCE: [f32; 2] = [-30.0, 20.0];

/// A conditional variational autoencoder with one latent vector. The class goes into both halves, and
/// each class has its own prior of the latent, a Gaussian that is learned too.
///
/// Source: Kingma and Welling 2013, <https://arxiv.org/abs/1312.6114>; Sohn et al. 2015, "Learning
/// Structured Output Representation using Deep Conditional Generative Models", for the condition and
/// its prior.
#[derive(Module, Debug)]
pub struct Vae {
    encoder: Encoder,
    decoder: Decoder,
    /// Means, then log-variances, of each class's latents.
    priors: Table,
    classes: usize,
}

/// Two convolutions that halve the sides, then two linear layers.
#[derive(Module, Debug)]
pub struct Encoder {
    conv_in: Conv2d,
    conv_down: Conv2d,
    hidden: Linear,
    moments: Linear,
}

/// The same in reverse.
#[derive(Module, Debug)]
pub struct Decoder {
    hidden: Linear,
    features: Linear,
    conv_up: Conv2d,
    conv_out: Conv2d,
    width: usize,
    side: usize,
}

/// Independent Gaussians, one for each number of a latent: `[batch, latent]`.
#[derive(Debug, Clone)]
pub struct Gaussian {
    /// The means.
    pub mean: Tensor<2>,
    /// The logarithms of the variances.
    pub log_variance: Tensor<2>,
}

impl Vae {
    /// Builds with random weights.
    pub fn new(config: &VaeConfig, device: &Device) -> Self {
        let VaeConfig {
            channels,
            side,
            classes,
            width,
            hidden,
            latent,
        } = *config;
        let down = |from, to| Conv2d::new([from, to], [4, 4], 2, [(1, 1); 2], device);
        Self {
            encoder: Encoder {
                conv_in: down(channels, width),
                conv_down: down(width, 2 * width),
                hidden: Linear::uniform(config.features() + classes, hidden, device),
                moments: Linear::uniform(hidden, 2 * latent, device),
            },
            priors: Table::new(classes + 1, 2 * latent, device),
            classes,
            decoder: Decoder {
                hidden: Linear::uniform(latent + classes, hidden, device),
                features: Linear::uniform(hidden, config.features(), device),
                conv_up: conv(2 * width, width, 3, device),
                conv_out: conv(width, channels, 3, device),
                width: 2 * width,
                side: side / 4,
            },
        }
    }

    /// The latents that pictures may have come from.
    ///
    /// # Shapes
    /// - `x`: `[batch, channels, side, side]`
    /// - `classes`: `[batch]`
    pub fn posterior(&self, x: Tensor<4>, classes: Tensor<1, Int>) -> Gaussian {
        let encoder = &self.encoder;
        let h = silu(encoder.conv_in.forward(x));
        let h = silu(encoder.conv_down.forward(h));
        let h = with_classes(h.flatten(1, 3), classes, self.classes);
        let h = silu(encoder.hidden.forward(h));
        Gaussian::of(encoder.moments.forward(h))
    }

    /// What the latents of each class are like, before any picture is seen.
    ///
    /// # Shapes
    /// - `classes`: `[batch]`
    pub fn prior(&self, classes: Tensor<1, Int>) -> Gaussian {
        Gaussian::of(self.priors.rows(classes))
    }

    /// Logits of a Bernoulli distribution for each pixel, `[batch, channels, side, side]`; their
    /// sigmoid is the picture.
    ///
    /// # Shapes
    /// - `z`: `[batch, latent]`
    /// - `classes`: `[batch]`
    pub fn logits(&self, z: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<4> {
        let decoder = &self.decoder;
        let batch = z.dims()[0];
        let h = silu(
            decoder
                .hidden
                .forward(with_classes(z, classes, self.classes)),
        );
        let h = silu(decoder.features.forward(h));
        let h = h.reshape([batch, decoder.width, decoder.side, decoder.side]);
        let h = silu(decoder.conv_up.forward(double(h)));
        decoder.conv_out.forward(double(h))
    }
}

impl Gaussian {
    /// From means, then log-variances, `[batch, 2 · latent]`.
    fn of(moments: Tensor<2>) -> Self {
        let latent = moments.dims()[1] / 2;
        let [low, high] = LOG_VARIANCE;
        Self {
            mean: moments.clone().narrow(1, 0, latent),
            log_variance: moments.narrow(1, latent, latent).clamp(low, high),
        }
    }

    /// Latents, `[batch, latent]`, for standard normal `noise` of the same shape.
    pub fn sample(&self, noise: Tensor<2>) -> Tensor<2> {
        self.mean.clone() + self.log_variance.clone().mul_scalar(0.5).exp() * noise
    }

    /// KL divergence of each number of the latent from `prior`, in nats, averaged over the batch,
    /// `[latent]`.
    pub fn divergence(&self, prior: &Self) -> Tensor<1> {
        let logs = prior.log_variance.clone() - self.log_variance.clone();
        let apart = (self.mean.clone() - prior.mean.clone()).square();
        let ratio = logs.clone().neg().exp() + apart * prior.log_variance.clone().neg().exp();
        let terms = (logs + ratio).sub_scalar(1.0);
        terms.mean_dim(0).mul_scalar(0.5).squeeze_dim(0)
    }
}

impl Decode for Vae {
    fn decode(&self, z: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<4> {
        let z = self.prior(classes.clone()).sample(z);
        sigmoid(self.logits(z, classes))
    }
}

impl Encode for Vae {
    /// The posterior's means, on the scale of the class's prior.
    fn encode(&self, x: Tensor<4>, classes: Tensor<1, Int>) -> Tensor<2> {
        let prior = self.prior(classes.clone());
        let apart = self.posterior(x, classes).mean - prior.mean;
        apart * prior.log_variance.mul_scalar(-0.5).exp()
    }
}

impl Generate for Vae {
    fn method(&self) -> Method<'_> {
        Method::Decode(self)
    }

    fn encoder(&self) -> Option<&dyn Encode> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The closed form (Kingma and Welling 2013, appendix B) against the mean of log q - log p over
    /// many samples.
    #[test]
    fn the_divergence_is_the_expected_difference_of_the_logarithms() {
        let device = Device::flex();
        let gaussian = |mean: f32, log: f32| Gaussian {
            mean: Tensor::from_floats([[mean]], &device),
            log_variance: Tensor::from_floats([[log]], &device),
        };
        let (from, to) = ([0.3, -0.7], [-0.5, 0.4]);
        let closed = gaussian(from[0], from[1]).divergence(&gaussian(to[0], to[1]));
        let logarithm = |x: f64, [mean, log]: [f32; 2]| {
            let off = x - f64::from(mean);
            -0.5 * (f64::from(log) + off * off / f64::from(log).exp())
        };
        let count = 200_000;
        let sum: f64 = crate::random::noise(3, count)
            .into_iter()
            .map(|noise| {
                let x = f64::from(from[0]) + (0.5 * f64::from(from[1])).exp() * f64::from(noise);
                logarithm(x, from) - logarithm(x, to)
            })
            .sum();
        let off = f64::from(closed.into_scalar::<f32>()) - sum / count as f64;
        assert!(off.abs() < 5e-3, "{off}");
    }
}
