//! What makes the samples: a prior with its tokenizer, or a generator.

use std::path::Path;

use tesserae::generate::{PictureOptions, PictureSampler, SampleOptions, Sampler};
use tesserae::models::{Method, Order};
use tesserae::weights::Loaded;
use tesserae::{Codec, Error, GeneratorConfig, Picture, Result};

use crate::device::Opened;
use crate::draw::{HowArgs, drawn, made};
use crate::labelled::Example;
use crate::prior::{Pair, PriorArgs};
use crate::{files, weights};

/// Samples drawn together.
const AT_ONCE: usize = 256;

/// How samples are drawn.
#[derive(Clone, Copy)]
pub struct Draws<'a> {
    pub how: &'a HowArgs,
    pub seed: u64,
    /// Share of new noise in each step of a diffusion model.
    pub eta: f64,
}

pub enum Source {
    Prior(Box<Pair>),
    Generator(Box<Loaded<GeneratorConfig>>),
}

impl Source {
    /// Loads what is named.
    pub fn load(named: &PriorArgs, how: &HowArgs, device: &Opened) -> Result<Self> {
        let Some(survey) = named.generator()? else {
            let pair = named.load("digits-maskgit", device)?;
            return Ok(Self::Prior(Box::new(pair)));
        };
        how.refuse_token_options()?;
        device.limits().admit_generator_file(&survey)?;
        let generator = weights::build(survey, device)?.generator()?;
        Ok(Self::Generator(Box::new(generator)))
    }

    /// The model whose tokens are drawn, if any are.
    pub fn codec(&self) -> Option<&Codec> {
        match self {
            Self::Prior(pair) => Some(&pair.codec),
            Self::Generator(_) => None,
        }
    }

    /// Steps that a picture takes where so many are asked for.
    pub fn steps(&self, asked: usize) -> usize {
        match self {
            Self::Prior(pair) => match pair.prior.config.order() {
                Order::Raster => pair.prior.config.tokens(),
                Order::Masked => asked.min(pair.prior.config.tokens()),
            },
            Self::Generator(model) => match model.network.method() {
                Method::Decode(_) => 1,
                Method::Denoise(_) => asked,
            },
        }
    }

    /// The names of the classes: a prior's file has them, a generator's are the folders in `train`.
    pub fn classes(&self, train: &Path) -> Result<Vec<String>> {
        match self {
            Self::Prior(pair) => {
                let corpus = pair.prior.corpus.as_ref();
                Ok(corpus
                    .map(|corpus| corpus.classes.clone())
                    .unwrap_or_default())
            }
            Self::Generator(model) => {
                let paths = files::pictures(&[train.to_owned()])?;
                let names = Example::classes(&Example::all(paths, train)?);
                let wanted = model.config.classes();
                match (wanted, names.len() == wanted) {
                    (0, _) => Ok(Vec::new()),
                    (_, true) => Ok(names),
                    (_, false) => Err(Error::Argument(format!(
                        "The model has {wanted} classes, but pictures lie in {} folders of {}",
                        names.len(),
                        train.display()
                    ))),
                }
            }
        }
    }

    /// Samples of the classes `asked`, which are sorted.
    pub async fn samples(
        &self,
        asked: &[usize],
        conditional: bool,
        draws: Draws<'_>,
        device: &Opened,
    ) -> Result<Vec<Picture>> {
        let mut pictures = Vec::with_capacity(asked.len());
        for class in asked
            .chunk_by(|a, b| a == b)
            .flat_map(|run| run.chunks(AT_ONCE))
        {
            let how = SampleOptions {
                class: conditional.then_some(class[0]),
                count: class.len(),
                seed: draws.seed.wrapping_add(pictures.len() as u64),
                ..draws.how.options()
            };
            match self {
                Self::Prior(pair) => {
                    let Pair { prior, codec } = pair.as_ref();
                    let network = prior.network.clone();
                    let mut sampler = Sampler::new(network, &prior.config, how, None, device)?;
                    for grid in drawn(&mut sampler).await? {
                        pictures.push(codec.decode(&codec.tokens(grid)?).await?);
                    }
                }
                Self::Generator(model) => {
                    let options = PictureOptions {
                        class: how.class,
                        count: how.count,
                        seed: how.seed,
                        steps: how.steps,
                        guidance: how.guidance,
                        temperature: how.temperature,
                        eta: draws.eta,
                        ..PictureOptions::default()
                    };
                    let network = model.network.clone();
                    let mut sampler = PictureSampler::new(network, &model.config, options, device)?;
                    pictures.extend(made(&mut sampler).await?);
                }
            }
        }
        Ok(pictures)
    }
}
