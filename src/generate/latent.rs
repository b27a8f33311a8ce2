//! The latent that a given picture may have come from: by an encoder or, without one, by optimisation.

use burn::module::Module;
use burn::tensor::{Device, Int, Shape, Tensor, TensorData};

use super::PictureOptions;
use super::planes::planes;
use crate::error::{Error, Result};
use crate::models::{Decode, Generator, GeneratorConfig, Method};
use crate::pixels::Picture;
use crate::random::noise;
use crate::readback::read;

/// Latents that an optimisation starts from, the best of which is kept.
const STARTS: usize = 8;
const STEPS: usize = 80;
/// Adam's (Kingma and Ba 2014, <https://arxiv.org/abs/1412.6980>).
const LEARNING_RATE: f64 = 0.1;
const BETAS: [f64; 2] = [0.9, 0.99];
const EPSILON: f64 = 1e-8;
/// Weight of the latent's mean square, which keeps it where the generator has learned.
const PRIOR: f64 = 1e-3;

/// The latent that a generator would make a picture of, as [`Origin::Noise`](super::Origin) takes it.
///
/// # Errors
/// [`Error::Argument`] for a generator without latents or a class that it does not have,
/// [`Error::WeightsMismatch`] for a picture of another size, and device errors.
pub async fn latent_of(
    generator: &Generator,
    config: &GeneratorConfig,
    picture: &Picture,
    class: Option<usize>,
    device: &Device,
) -> Result<Vec<f32>> {
    let options = PictureOptions {
        class,
        ..PictureOptions::default()
    };
    options.validate(config)?;
    let [channels, height, width] = config.shape();
    let planes = planes(picture, &**config)?;
    let x = TensorData::new(planes, [1, channels, height, width]);
    let class = class.unwrap_or(config.classes());
    let classes = Tensor::from_ints([class as i32], device);
    let length = config.noise().iter().product();
    read(latent(
        generator,
        Tensor::from_data(x, device),
        classes,
        length,
    )?)
    .await
}

/// The latent of a picture, `[1, length]`.
///
/// Without an encoder, Adam searches it from several starts, so that the mean squared error of what it
/// decodes to is least.
///
/// Source: Zhu et al. 2016, <https://arxiv.org/abs/1609.03552>, section 3.1, for the search.
///
/// # Shapes
/// - `x`: `[1, channels, side, side]`, in the config's range
/// - `classes`: `[1]`
///
/// # Errors
/// [`Error::Argument`] for a generator without latents.
pub fn latent(
    generator: &Generator,
    x: Tensor<4>,
    classes: Tensor<1, Int>,
    length: usize,
) -> Result<Tensor<2>> {
    if let Some(encoder) = generator.encoder() {
        return Ok(encoder.encode(x, classes));
    }
    let generator = generator.clone().train().no_grad();
    match generator.method() {
        Method::Decode(decoder) => Ok(searched(decoder, x, classes, length)),
        Method::Denoise(_) => Err(Error::Argument(
            "A diffusion model has no latents".to_owned(),
        )),
    }
}

/// The best of several latents that gradient descent finds.
fn searched(
    decoder: &dyn Decode,
    x: Tensor<4>,
    classes: Tensor<1, Int>,
    length: usize,
) -> Tensor<2> {
    let device = x.device();
    let starts = TensorData::new(noise(0, STARTS * length), Shape::from([STARTS, length]));
    let mut z = Tensor::<2>::from_data(starts, &device);
    let classes = Tensor::from_inner(classes.repeat_dim(0, STARTS));
    let target = Tensor::<4>::from_inner(x.repeat_dim(0, STARTS));
    let errors = |z: Tensor<2>| {
        let off = decoder.decode(z, classes.clone()) - target.clone();
        off.square().flatten::<2>(1, 3).mean_dim(1)
    };
    let [mut mean, mut square] = [z.zeros_like(), z.zeros_like()];
    for step in 1..=STEPS {
        let traced = Tensor::from_inner(z.clone()).require_grad();
        let prior = traced.clone().square().mean_dim(1).mul_scalar(PRIOR);
        let grads = (errors(traced.clone()) + prior).sum().backward();
        let Some(gradient) = traced.grad(&grads) else {
            break;
        };
        let [first, second] = BETAS;
        mean = mean.mul_scalar(first) + gradient.clone().mul_scalar(1.0 - first);
        square = square.mul_scalar(second) + gradient.square().mul_scalar(1.0 - second);
        let unbiased =
            |moment: &Tensor<2>, beta: f64| moment.clone().div_scalar(1.0 - beta.powi(step as i32));
        let scale = unbiased(&square, second).sqrt().add_scalar(EPSILON);
        z = z - (unbiased(&mean, first) / scale).mul_scalar(LEARNING_RATE);
    }
    let best = errors(Tensor::from_inner(z.clone())).inner().argmin(0);
    z.select(0, best.flatten(0, 1))
}
