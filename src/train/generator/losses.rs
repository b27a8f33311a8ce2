//! The losses of the generators that learn by likelihood or by denoising.

use burn::tensor::activation::softplus;
use burn::tensor::{Tensor, TensorData};
use rand::{Rng, RngExt};

use super::GeneratorTrainConfig;
use super::batch::Batch;
use crate::generate::Noising;
use crate::models::diffusion::Path;
use crate::models::{Denoise, Diffusion, DiffusionConfig, Vae};
use crate::random::normal;

/// Steps of the discrete schedules, one of which each picture is given.
const STEPS: usize = 1000;

/// A loss, `[1]`, and its terms by name.
pub struct Loss {
    pub total: Tensor<1>,
    pub terms: Vec<(&'static str, Tensor<1>)>,
}

/// The negative evidence lower bound of a VAE, in nats a picture: the cross-entropy of its pixels,
/// summed, and the divergence of the latent from its class's prior, weighted by `beta`; the first
/// `free_bits` nats of each latent number cost nothing.
///
/// Source: Kingma and Welling 2013, <https://arxiv.org/abs/1312.6114>; Kingma et al. 2016,
/// <https://arxiv.org/abs/1606.04934>, appendix C.8, for the free bits.
pub fn evidence(
    vae: &Vae,
    batch: Batch,
    config: &GeneratorTrainConfig,
    rng: &mut impl Rng,
) -> Loss {
    let Batch { pictures, classes } = batch;
    let count = pictures.dims()[0];
    let posterior = vae.posterior(pictures.clone(), classes.clone());
    let prior = vae.prior(classes.clone());
    let shape = posterior.mean.dims();
    let device = pictures.device();
    let noise = TensorData::new(normal(rng, shape.iter().product()), shape);
    let z = posterior.sample(Tensor::from_data(noise, &device));
    let logits = vae.logits(z, classes);
    // -log p(x) of a Bernoulli distribution by its logit l: log(1 + eˡ) - l x.
    let terms = softplus(logits.clone(), 1.0) - logits * pictures;
    let reconstruction = terms.sum().div_scalar(count as f32);
    let divergence = posterior.divergence(&prior);
    let paid = divergence.clone().clamp_min(config.free_bits).sum();
    let paid = paid.mul_scalar(config.beta);
    Loss {
        total: reconstruction.clone() + paid,
        terms: vec![
            ("reconstruction", reconstruction.inner()),
            ("divergence", divergence.sum().inner()),
        ],
    }
}

/// The mean squared error of a denoising network's prediction, at a random time for each picture.
///
/// Source: Ho et al. 2020, <https://arxiv.org/abs/2006.11239>, equation 14; Esser et al. 2024,
/// <https://arxiv.org/abs/2403.03206>, section 3.1, for the times of a straight path.
pub fn denoising(
    network: &Diffusion,
    config: &DiffusionConfig,
    batch: Batch,
    rng: &mut impl Rng,
) -> Loss {
    let Batch { pictures, classes } = batch;
    let [count, ..] = pictures.dims();
    let device = pictures.device();
    let noising = Noising::new(config.path);
    let times: Vec<f64> = match config.path {
        // The sigmoid of a normal number: the middle of the path is the hardest.
        Path::Straight => {
            let drawn = normal(rng, count).into_iter();
            drawn.map(|x| 1.0 / (1.0 + f64::from(-x).exp())).collect()
        }
        _ => {
            let step = |_| rng.random_range(1..=STEPS) as f64 / STEPS as f64;
            (0..count).map(step).collect()
        }
    };
    let shares: Vec<[f64; 2]> = times.iter().map(|time| noising.shares(*time)).collect();
    let each = |value: &dyn Fn(usize) -> f64| {
        let values: Vec<f32> = (0..count).map(|i| value(i) as f32).collect();
        Tensor::<1>::from_floats(values.as_slice(), &device)
    };
    let wide = |value: &dyn Fn(usize) -> f64| each(value).unsqueeze_dims::<4>(&[1, 2, 3]);
    let [alpha, sigma] = [0, 1].map(|part| wide(&|i| shares[i][part]));
    let shape = pictures.dims();
    let noise = TensorData::new(normal(rng, shape.iter().product()), shape);
    let noise = Tensor::<4>::from_data(noise, &device);
    let x = alpha * pictures.clone() + sigma * noise.clone();
    let predicted = network.predict(x, each(&|i| times[i]), classes);
    // The target is linear in picture and noise.
    let factor =
        |picture, noise| wide(&|i| Noising::target(config.target, shares[i], picture, noise));
    let target = factor(1.0, 0.0) * pictures + factor(0.0, 1.0) * noise;
    let total = (predicted - target).square().mean();
    Loss {
        terms: vec![("denoising", total.clone().inner())],
        total,
    }
}
