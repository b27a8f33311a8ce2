use burn::tensor::{Device, Int, Shape, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::Noising;
use crate::error::{Error, Result};
use crate::models::{Denoise, Generated, Generator, GeneratorConfig, Method, makes_pictures};
use crate::pixels::Picture;
use crate::random::noise;
use crate::readback::read;

/// Most pictures at once.
const MAX_COUNT: usize = 1024;
/// Most steps: as many as the discrete schedules have.
const MAX_STEPS: usize = 1000;
/// Most guidance: more only saturates.
const MAX_GUIDANCE: f64 = 100.0;
/// Most pictures in one pass.
const BATCH: usize = 64;
/// Multiplies a picture's seed for the noise of later steps.
const STEP_SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// How a generator's pictures are made; the fields that JavaScript passes, too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PictureOptions {
    /// The class, counted from 0; none for a picture of any class.
    pub class: Option<usize>,
    /// Number of pictures.
    pub count: usize,
    /// Seed of the first picture; the others have the numbers that follow.
    pub seed: u64,
    /// Steps of a diffusion model, 1 to 1,000; other generators take one.
    pub steps: usize,
    /// Classifier-free guidance of a diffusion model: u + s · (c − u), from its predictions with (c)
    /// and without (u) the class. 1 is none.
    pub guidance: f64,
    /// Share of new noise in each step of a diffusion model: 0 is DDIM, 1 is DDPM.
    pub eta: f64,
    /// Multiplies the latents of a generator that takes one step: below 1 more typical pictures.
    pub temperature: f64,
}

impl Default for PictureOptions {
    fn default() -> Self {
        Self {
            class: None,
            count: 1,
            seed: 0,
            steps: 50,
            guidance: 1.0,
            eta: 0.0,
            temperature: 1.0,
        }
    }
}

impl PictureOptions {
    /// Checks that a generator can make such pictures.
    ///
    /// # Errors
    /// [`Error::Argument`] says what does not fit.
    pub fn validate(&self, config: &GeneratorConfig) -> Result<()> {
        let refused = |message: String| Err(Error::Argument(message));
        for (what, value, most) in [
            ("The number of pictures", self.count, MAX_COUNT),
            ("The number of steps", self.steps, MAX_STEPS),
        ] {
            if !(1..=most).contains(&value) {
                return refused(format!("{what} is {value}, outside 1 to {most}"));
            }
        }
        for (what, value, most) in [
            ("The guidance", self.guidance, MAX_GUIDANCE),
            ("The share of new noise", self.eta, 1.0),
            ("The temperature", self.temperature, MAX_GUIDANCE),
        ] {
            if !(0.0..=most).contains(&value) {
                return refused(format!("{what} is {value}, outside 0 to {most}"));
            }
        }
        match (self.class, config.classes()) {
            (Some(_), 0) => refused("This model has no classes".to_owned()),
            (Some(class), classes) if class >= classes => {
                refused(format!("Class {class} is outside 0 to {}", classes - 1))
            }
            (None, _) if self.guidance != 1.0 => {
                refused("Guidance needs a class to guide to".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// Makes the pictures of a generator, step by step.
///
/// # Examples
/// ```
/// # use burn::tensor::Device;
/// # use pollster::block_on;
/// # use tesserae::GeneratorConfig;
/// # use tesserae::generate::{PictureOptions, PictureSampler};
/// # use tesserae::models::Generator;
/// # fn main() -> tesserae::Result<()> {
/// let device = Device::flex();
/// let config = GeneratorConfig::preset("diffusion-tiny")?;
/// let generator = Generator::new(&config, &device)?; // random weights
/// let options = PictureOptions { class: Some(3), steps: 4, ..Default::default() };
/// let mut sampler = PictureSampler::new(generator, &config, options, &device)?;
/// while sampler.done() < sampler.steps() {
///     sampler.step();
///     let pictures = block_on(sampler.pictures())?;
///     assert_eq!((pictures[0].width(), pictures[0].height()), (8, 8));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PictureSampler {
    generator: Generator,
    config: GeneratorConfig,
    options: PictureOptions,
    /// Noise at first, then what has become of it, flat: `[batch, …]`.
    batches: Vec<Tensor<2>>,
    done: usize,
    device: Device,
}

impl PictureSampler {
    /// Begins with noise by the options' seed.
    ///
    /// # Errors
    /// The errors of [`PictureOptions::validate`], and [`Error::ConfigInvalid`] for a generator of
    /// something else than pictures.
    pub fn new(
        generator: Generator,
        config: &GeneratorConfig,
        options: PictureOptions,
        device: &Device,
    ) -> Result<Self> {
        makes_pictures(&**config)?;
        options.validate(config)?;
        let length = config.noise().iter().product();
        let numbers: Vec<u64> = (0..options.count as u64).collect();
        let batches = numbers.chunks(BATCH).map(|numbers| {
            let seeds = numbers.iter().map(|i| options.seed.wrapping_add(*i));
            fresh(seeds, length, device)
        });
        Ok(Self {
            batches: batches.collect(),
            config: config.clone(),
            generator,
            options,
            done: 0,
            device: device.clone(),
        })
    }

    /// Number of steps.
    pub fn steps(&self) -> usize {
        match self.generator.method() {
            Method::Decode(_) => 1,
            Method::Denoise(_) => self.options.steps,
        }
    }

    /// Steps done so far.
    pub fn done(&self) -> usize {
        self.done
    }

    /// Takes the next step, for all pictures; none if all are done.
    pub fn step(&mut self) {
        if self.done >= self.steps() {
            return;
        }
        for (index, batch) in std::mem::take(&mut self.batches).into_iter().enumerate() {
            let count = batch.dims()[0];
            let batch = match self.generator.method() {
                Method::Decode(decoder) => {
                    let z = batch.mul_scalar(self.options.temperature);
                    decoder.decode(z, self.classes(count)).flatten(1, 3)
                }
                Method::Denoise(denoiser) => self.denoised(denoiser, index, batch),
            };
            self.batches.push(batch);
        }
        self.done += 1;
    }

    /// The pictures so far: of a diffusion model, with the noise that is left.
    ///
    /// # Errors
    /// [`Error::Argument`] before the first step of a model that takes one, [`Error::Internal`] for
    /// values that are not finite, [`Error::DeviceLost`] when the device fails.
    pub async fn pictures(&self) -> Result<Vec<Picture>> {
        if self.done == 0 && matches!(self.generator.method(), Method::Decode(_)) {
            return Err(Error::Argument("Sampling is not done yet".to_owned()));
        }
        let [channels, height, width] = self.config.shape();
        let [low, high] = self.config.range();
        let mut pictures = Vec::with_capacity(self.options.count);
        for batch in &self.batches {
            let values = read(batch.clone()).await?;
            for values in values.chunks_exact(channels * height * width) {
                // Grey is the same in all three channels.
                let planes = values.repeat(3 / channels);
                let [width, height] = [width, height].map(|side| side as u32);
                pictures.push(Picture::from_planar(&planes, width, height, low, high)?);
            }
        }
        Ok(pictures)
    }

    /// One batch, one step less noisy.
    fn denoised(&self, denoiser: &dyn Denoise, index: usize, batch: Tensor<2>) -> Tensor<2> {
        let GeneratorConfig::Diffusion(config) = &self.config else {
            return batch;
        };
        let [count, length] = batch.dims();
        let [channels, height, width] = config.shape();
        let x = batch.reshape([count, channels, height, width]);
        let noising = Noising::new(config.path);
        let time = |step: usize| 1.0 - step as f64 / self.options.steps as f64;
        let (from, to) = (time(self.done), time(self.done + 1));
        let predicted = self.guided(denoiser, x.clone(), from);
        let shares = noising.shares(from);
        let [picture, _] = Noising::split(config.target, shares, x.clone(), predicted);
        // No pixel is outside the range; the noise is what then is left.
        let [low, high] = config.range();
        let picture = picture.clamp(low, high);
        let [alpha, sigma] = shares;
        let left = (x - picture.clone().mul_scalar(alpha)).div_scalar(sigma);
        let [alpha, old, new] = noising.step(from, to, self.options.eta);
        let x = (picture.mul_scalar(alpha) + left.mul_scalar(old)).reshape([count, length]);
        if new == 0.0 {
            return x;
        }
        let first = self.options.seed.wrapping_add((index * BATCH) as u64);
        let seeds = (0..count as u64).map(|i| {
            let seed = first.wrapping_add(i).wrapping_mul(STEP_SEED);
            seed.wrapping_add(self.done as u64 + 1)
        });
        x + fresh(seeds, length, &self.device).mul_scalar(new)
    }

    fn guided(&self, denoiser: &dyn Denoise, x: Tensor<4>, time: f64) -> Tensor<4> {
        let count = x.dims()[0];
        let at = |count| Tensor::full([count], time as f32, &self.device);
        let scale = self.options.guidance;
        let classes = self.classes(count);
        if scale == 1.0 {
            return denoiser.predict(x, at(count), classes);
        }
        let none = Tensor::full([count], self.config.classes() as i32, &self.device);
        let both = Tensor::cat(vec![x.clone(), x], 0);
        let classes = Tensor::cat(vec![classes, none], 0);
        let predicted = denoiser.predict(both, at(2 * count), classes);
        let [with, without] = [0, count].map(|first| predicted.clone().narrow(0, first, count));
        without.clone() + (with - without).mul_scalar(scale)
    }

    fn classes(&self, count: usize) -> Tensor<1, Int> {
        let class = self.options.class.unwrap_or(self.config.classes());
        Tensor::full([count], class as i32, &self.device)
    }
}

/// Standard normal noise, `length` values by each seed.
fn fresh(seeds: impl Iterator<Item = u64>, length: usize, device: &Device) -> Tensor<2> {
    let values: Vec<f32> = seeds.flat_map(|seed| noise(seed, length)).collect();
    let shape = Shape::from([values.len() / length, length]);
    Tensor::from_data(TensorData::new(values, shape), device)
}
