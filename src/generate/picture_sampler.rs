use burn::tensor::{Device, Int, Shape, Tensor, TensorData};

use super::latent::latent;
use super::planes::planes;
use super::{Noising, PictureOptions};
use crate::error::{Error, Result};
use crate::models::{Denoise, Generated, Generator, GeneratorConfig, Method, makes_pictures};
use crate::pixels::Picture;
use crate::random::noise;
use crate::readback::read;

/// Most pictures in one pass.
const MAX_BATCH: usize = 64;
/// Most numbers that the pictures of one pass are made of.
const MAX_NUMBERS: usize = 1 << 18;
/// Multiplies a picture's seed for the noise of later steps.
const STEP_SEED: u64 = 0x9e37_79b9_7f4a_7c15;

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
    /// Share of noise, as a time, that a diffusion model starts with.
    start: f64,
    done: usize,
    device: Device,
}

/// What pictures are made of.
#[derive(Debug, Clone)]
pub enum Origin {
    /// Noise, by the options' seed.
    Seed,
    /// These numbers, those of each picture after the other: usually standard normal.
    Noise(Vec<f32>),
    /// A picture: a diffusion model makes others that are like it, a VAE or a GAN decodes the latent
    /// that fits it best.
    Picture(Picture),
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
        Self::begin(generator, config, options, Origin::Seed, device)
    }

    /// Begins with what `origin` says.
    ///
    /// # Errors
    /// The errors of [`PictureSampler::new`], and [`Error::Argument`] for noise of another length or
    /// that is not finite, for a walk from anything but a seed, and for more than one picture of a VAE
    /// or a GAN from a picture; [`Error::WeightsMismatch`] for a picture of another size.
    pub fn begin(
        generator: Generator,
        config: &GeneratorConfig,
        options: PictureOptions,
        origin: Origin,
        device: &Device,
    ) -> Result<Self> {
        makes_pictures(&**config)?;
        options.validate(config)?;
        if options.walk.is_some() && !matches!(origin, Origin::Seed) {
            let told = "A walk begins at a seed, not at given noise or a picture";
            return Err(Error::Argument(told.to_owned()));
        }
        let mut sampler = Self {
            batches: Vec::new(),
            start: 1.0,
            config: config.clone(),
            generator,
            options,
            done: 0,
            device: device.clone(),
        };
        sampler.batches = match origin {
            Origin::Seed => sampler.seeded(),
            Origin::Noise(values) => sampler.given(&values)?,
            Origin::Picture(picture) => sampler.like(&picture)?,
        };
        Ok(sampler)
    }

    /// Number of steps.
    pub fn steps(&self) -> usize {
        match self.generator.method() {
            Method::Decode(_) => 1,
            // From a picture, only this fraction of the steps is left. The 1e-9 absorbs rounding:
            // 25 × 0.28 must give 7, not 8.
            Method::Denoise(_) => (self.options.steps as f64 * self.start - 1e-9).ceil() as usize,
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
                Method::Decode(decoder) => decoder.decode(batch, self.classes(count)).flatten(1, 3),
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

    /// Noise by the seeds, or on the way between two.
    fn seeded(&self) -> Vec<Tensor<2>> {
        let PictureOptions { seed, count, .. } = self.options;
        let length = self.length();
        let noise = |number: usize| match self.options.walk {
            Some(walk) => walk.noise(seed, number, count, length),
            None => noise(seed.wrapping_add(number as u64), length),
        };
        let numbers: Vec<usize> = (0..count).collect();
        let factor = match self.generator.method() {
            Method::Decode(_) => self.options.temperature,
            Method::Denoise(_) => 1.0,
        };
        let batches = numbers.chunks(self.batch()).map(|numbers| {
            let values = numbers.iter().flat_map(|number| noise(*number)).collect();
            self.tensor(values).mul_scalar(factor)
        });
        batches.collect()
    }

    /// The given noise.
    fn given(&self, values: &[f32]) -> Result<Vec<Tensor<2>>> {
        let (length, count) = (self.length(), self.options.count);
        if values.len() != count * length {
            return Err(Error::Argument(format!(
                "{} numbers are given where {count} × {length} are needed",
                values.len()
            )));
        }
        if !values.iter().all(|value| value.is_finite()) {
            return Err(Error::Argument("A number is not finite".to_owned()));
        }
        let batches = values.chunks(self.batch() * length);
        Ok(batches.map(|some| self.tensor(some.to_vec())).collect())
    }

    /// What a picture gives to start from: the same for all, but for the noise by the seeds.
    fn like(&mut self, picture: &Picture) -> Result<Vec<Tensor<2>>> {
        let planes = planes(picture, &*self.config)?;
        let samples = planes.len();
        let planes = rows(planes, samples, &self.device);
        if let GeneratorConfig::Diffusion(config) = &self.config {
            self.start = self.options.strength;
            let [alpha, sigma] = Noising::new(config.path).shares(self.start);
            let noisy =
                |noise: Tensor<2>| noise.mul_scalar(sigma) + planes.clone().mul_scalar(alpha);
            return Ok(self.seeded().into_iter().map(noisy).collect());
        }
        if self.options.count > 1 {
            let told = "A VAE or a GAN makes one picture of a picture, not several";
            return Err(Error::Argument(told.to_owned()));
        }
        let [channels, height, width] = self.config.shape();
        let x = planes.reshape([1, channels, height, width]);
        let latent = latent(&self.generator, x, self.classes(1), self.length())?;
        Ok(vec![latent])
    }

    /// Pictures in one pass.
    fn batch(&self) -> usize {
        (MAX_NUMBERS / self.length()).clamp(1, MAX_BATCH)
    }

    /// Numbers that one picture is made of.
    fn length(&self) -> usize {
        self.config.noise().iter().product()
    }

    fn tensor(&self, values: Vec<f32>) -> Tensor<2> {
        rows(values, self.length(), &self.device)
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
        let time = |step: usize| self.start * (1.0 - step as f64 / self.steps() as f64);
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
        let first = self
            .options
            .seed
            .wrapping_add((index * self.batch()) as u64);
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
    let values = seeds.flat_map(|seed| noise(seed, length)).collect();
    rows(values, length, device)
}

/// Values as rows of this length.
fn rows(values: Vec<f32>, length: usize, device: &Device) -> Tensor<2> {
    let shape = Shape::from([values.len() / length, length]);
    Tensor::from_data(TensorData::new(values, shape), device)
}
