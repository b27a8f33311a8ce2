//! The latent that a given picture may have come from: by an encoder or, without one, by optimisation.

use burn::module::Module;
use burn::tensor::{Device, Int, Shape, Tensor, TensorData};

use super::PictureOptions;
use super::planes::planes;
use crate::error::{Error, Result};
use crate::models::{Decode, Generator, GeneratorConfig, Method, makes_pictures};
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

/// The latent from which a generator comes closest to a picture, as [`Origin::Noise`](super::Origin)
/// takes it: by its encoder or, without one, by gradient descent from several starts, minimising the
/// mean squared error of the picture plus a small penalty on the latent's length. `watch` is called
/// between its steps; returning `false` cancels it.
///
/// Source: Zhu et al. 2016, <https://arxiv.org/abs/1609.03552>, section 3.1, for the search.
///
/// # Errors
/// [`Error::Argument`] for a generator without latents or a class that it does not have,
/// [`Error::WeightsMismatch`] for a picture of another size, [`Error::ConfigInvalid`] for a generator
/// of something else than pictures, [`Error::Cancelled`], and device errors.
pub async fn latent_of(
    generator: &Generator,
    config: &GeneratorConfig,
    picture: &Picture,
    class: Option<usize>,
    device: &Device,
    watch: &mut impl AsyncFnMut() -> bool,
) -> Result<Vec<f32>> {
    makes_pictures(&**config)?;
    let options = PictureOptions {
        class,
        ..PictureOptions::default()
    };
    options.validate(config)?;
    let [channels, height, width] = config.shape();
    let planes = planes(picture, &**config)?;
    let x = TensorData::new(planes, [1, channels, height, width]);
    let x = Tensor::from_data(x, device);
    let class = class.unwrap_or(config.classes());
    let classes = Tensor::from_ints([class as i32], device);
    if let Some(encoder) = generator.encoder() {
        return read(encoder.encode(x, classes)).await;
    }
    let generator = generator.clone().train().no_grad();
    let length = config.noise().iter().product();
    let mut search = Search::new(decoder(&generator)?, x, classes, length);
    while search.steps < STEPS {
        if !watch().await {
            return Err(Error::Cancelled);
        }
        search.step();
    }
    read(search.best()).await
}

/// The same without a pause, `[1, length]`.
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
    let mut search = Search::new(decoder(&generator)?, x, classes, length);
    while search.steps < STEPS {
        search.step();
    }
    Ok(search.best())
}

fn decoder(generator: &Generator) -> Result<&dyn Decode> {
    match generator.method() {
        Method::Decode(decoder) => Ok(decoder),
        Method::Denoise(_) => Err(Error::Argument(
            "A diffusion model has no latents".to_owned(),
        )),
    }
}

/// Adam on several latents at once.
struct Search<'a> {
    decoder: &'a dyn Decode,
    /// With autodiff, as often as there are starts.
    target: Tensor<4>,
    classes: Tensor<1, Int>,
    /// Without, `[starts, length]`.
    z: Tensor<2>,
    mean: Tensor<2>,
    square: Tensor<2>,
    steps: usize,
}

impl<'a> Search<'a> {
    /// `decoder` computes with autodiff; `x` and `classes` are without.
    fn new(decoder: &'a dyn Decode, x: Tensor<4>, classes: Tensor<1, Int>, length: usize) -> Self {
        let starts = TensorData::new(noise(0, STARTS * length), Shape::from([STARTS, length]));
        let z = Tensor::<2>::from_data(starts, &x.device());
        Self {
            decoder,
            target: Tensor::from_inner(x.repeat_dim(0, STARTS)),
            classes: Tensor::from_inner(classes.repeat_dim(0, STARTS)),
            mean: z.zeros_like(),
            square: z.zeros_like(),
            z,
            steps: 0,
        }
    }

    /// The mean squared error of what each latent decodes to, `[starts, 1]`.
    fn errors(&self, z: Tensor<2>) -> Tensor<2> {
        let off = self.decoder.decode(z, self.classes.clone()) - self.target.clone();
        off.square().flatten::<2>(1, 3).mean_dim(1)
    }

    fn step(&mut self) {
        self.steps += 1;
        let traced = Tensor::from_inner(self.z.clone()).require_grad();
        let prior = traced.clone().square().mean_dim(1).mul_scalar(PRIOR);
        let grads = (self.errors(traced.clone()) + prior).sum().backward();
        let Some(gradient) = traced.grad(&grads) else {
            return;
        };
        let [first, second] = BETAS;
        let moved = |old: &Tensor<2>, new: Tensor<2>, beta: f64| {
            old.clone().mul_scalar(beta) + new.mul_scalar(1.0 - beta)
        };
        self.mean = moved(&self.mean, gradient.clone(), first);
        self.square = moved(&self.square, gradient.square(), second);
        let unbiased = |moment: &Tensor<2>, beta: f64| {
            moment
                .clone()
                .div_scalar(1.0 - beta.powi(self.steps as i32))
        };
        let scale = unbiased(&self.square, second).sqrt().add_scalar(EPSILON);
        let step = (unbiased(&self.mean, first) / scale).mul_scalar(LEARNING_RATE);
        self.z = self.z.clone() - step;
    }

    /// The latent with the least error, `[1, length]`.
    fn best(self) -> Tensor<2> {
        let errors = self.errors(Tensor::from_inner(self.z.clone())).inner();
        self.z.select(0, errors.argmin(0).flatten(0, 1))
    }
}
