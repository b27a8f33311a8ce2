//! How good the samples of a prior or of a generator are: their distance from real pictures, how far
//! they cover them, whether they copy them, whether they show the class asked for, and the bits that a
//! prior takes a token.

mod features;
mod frechet;
mod neighbours;
mod report;
mod source;

use std::path::{Path, PathBuf};

use rand::RngExt;
use rand::seq::{SliceRandom, index};
use tesserae::generate::bits;
use tesserae::random::stream;
use tesserae::tokens::{Grid, Usage};
use tesserae::train::TokenGrids;
use tesserae::{Codec, Error, Picture, Result};

use crate::classifier::{Classifier, Lesson, share_right};
use crate::device::Opened;
use crate::draw::HowArgs;
use crate::labelled::{Example, Labelled};
use crate::prior::PriorArgs;
use crate::{files, terminal};
use features::Features;
use frechet::frechet;
use neighbours::{coverage, nearest};
use report::TokenBits;

pub use report::Report;
pub use source::{Draws, Source};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    prior: PriorArgs,
    /// Pictures that it learned from, with a folder for each class.
    #[arg(long)]
    train: PathBuf,
    /// Pictures that it did not learn from, likewise.
    #[arg(long)]
    held_out: PathBuf,
    /// Number of samples, and of training pictures that they are compared with. Their classes are
    /// those of training pictures drawn at random.
    #[arg(long, default_value_t = 1000)]
    count: usize,
    /// Seed of the samples.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Train a classifier on the training pictures, to compare by its features instead of by those of
    /// the tokens' own encoder, and to see what it takes the samples for.
    #[arg(long)]
    classify: bool,
    /// Share of new noise in each step of a diffusion model: 0 is DDIM, 1 is DDPM.
    #[arg(long, default_value_t = 0.0)]
    eta: f64,
    #[command(flatten)]
    how: HowArgs,
}

/// Real pictures, with their classes and, for a prior, their tokens.
struct Real {
    pictures: Vec<Picture>,
    labels: Vec<usize>,
    grids: Vec<(Grid, usize)>,
}

/// What samples are compared with, and how many.
#[derive(Clone, Copy)]
pub struct Against<'a> {
    /// Pictures that the model learned from, and others, with a folder for each class.
    pub train: &'a Path,
    pub held_out: &'a Path,
    pub count: usize,
    /// Whether by the features of a classifier.
    pub classify: bool,
}

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        if self.count == 0 {
            return Err(Error::Argument("--count must be at least 1".to_owned()));
        }
        let device = self.prior.device()?;
        let source = Source::load(&self.prior, &self.how, &device)?;
        let against = Against {
            train: &self.train,
            held_out: &self.held_out,
            count: self.count,
            classify: self.classify,
        };
        let draws = Draws {
            how: &self.how,
            seed: self.seed,
            eta: self.eta,
        };
        let report = measure(&source, against, draws, &device).await?;
        match json {
            true => terminal::print_json(report.json()),
            false => report.print(),
        }
    }
}

/// Compares samples with real pictures.
pub async fn measure(
    source: &Source,
    against: Against<'_>,
    draws: Draws<'_>,
    device: &Opened,
) -> Result<Report> {
    let classes = source.classes(against.train)?;
    if against.classify && classes.len() < 2 {
        let told = "This model has no classes that a classifier could tell apart";
        return Err(Error::Argument(told.to_owned()));
    }
    let train = Real::read(against.train, &classes, source.codec()).await?;
    let held_out = Real::read(against.held_out, &classes, source.codec()).await?;
    let judge = match (against.classify, source.codec()) {
        (true, _) => {
            let (pictures, labels) = (&train.pictures, &train.labels);
            let lesson = Lesson::for_pictures(pictures.len());
            let classifier = Classifier::trained(pictures, labels, classes.len(), lesson)?;
            Features::Classifier(Box::new(classifier))
        }
        (false, Some(codec)) => Features::of_encoder(codec),
        (false, None) => {
            let told = "A generator has no tokens whose encoder could compare pictures; add \
                        --classify";
            return Err(Error::Argument(told.to_owned()));
        }
    };
    let mut rng = stream(draws.seed, 0);
    let some = index::sample(
        &mut rng,
        train.pictures.len(),
        against.count.min(train.pictures.len()),
    );
    let some: Vec<Picture> = some
        .iter()
        .map(|index| train.pictures[index].clone())
        .collect();
    let mut asked: Vec<usize> = (0..against.count)
        .map(|_| train.labels[rng.random_range(0..train.labels.len())])
        .collect();
    asked.sort_unstable();
    let conditional = !classes.is_empty();
    let samples = source.samples(&asked, conditional, draws, device).await?;

    let reference = judge.look(&some)?.features;
    let all = judge.look(&train.pictures)?.features;
    let (seen, held) = (judge.look(&samples)?, judge.look(&held_out.pictures)?);
    let (mut frechet_shuffled, mut token_bits) = (None, None);
    if let Source::Prior(pair) = source {
        let shuffled = shuffled(&train.grids, against.count, &pair.codec).await?;
        frechet_shuffled = Some(frechet(&reference, &judge.look(&shuffled)?.features));
        let prior = &pair.prior;
        let tokens = TokenGrids::new(held_out.grids, &prior.config)?;
        let tokens = (0..tokens.len()).map(|index| tokens.middle(index));
        let tokens: Vec<_> = tokens.collect();
        let usage = Usage::of(tokens.iter().flat_map(|(tokens, _)| tokens.iter().copied()));
        token_bits = Some(TokenBits {
            of_prior: bits(&prior.network, &prior.config, &tokens, device).await?,
            of_use: usage.perplexity.log2(),
        });
    }
    Ok(Report {
        samples: samples.len(),
        held_out: held_out.pictures.len(),
        features: judge.name(),
        right: share_right(&seen.classes, &asked),
        right_held_out: share_right(&held.classes, &held_out.labels),
        frechet: frechet(&reference, &seen.features),
        frechet_held_out: frechet(&reference, &held.features),
        frechet_shuffled,
        coverage: coverage(&reference, &seen.features),
        nearest: nearest(&seen.features, &all),
        nearest_held_out: nearest(&held.features, &all),
        token_bits,
    })
}

impl Real {
    async fn read(folder: &Path, classes: &[String], codec: Option<&Codec>) -> Result<Self> {
        let paths = files::pictures(&[folder.to_owned()])?;
        let examples = Example::all(paths, folder)?;
        let read = examples.iter().map(|example| example.picture(classes));
        let (pictures, labels) = read.collect::<Result<Vec<_>>>()?.into_iter().unzip();
        let grids = match codec {
            Some(codec) => Labelled::default().grids(examples, classes, codec).await?,
            None => Vec::new(),
        };
        Ok(Self {
            pictures,
            labels,
            grids,
        })
    }
}

/// Pictures of tokens that are as frequent as the real ones, but lie anywhere.
async fn shuffled(real: &[(Grid, usize)], count: usize, codec: &Codec) -> Result<Vec<Picture>> {
    let mut tokens: Vec<u32> = real
        .iter()
        .flat_map(|(grid, _)| grid.indices.iter().copied())
        .collect();
    tokens.shuffle(&mut stream(0, 0));
    let (mut tokens, mut pictures) = (tokens.into_iter(), Vec::new());
    for (grid, _) in real.iter().take(count) {
        let grid = Grid {
            indices: tokens.by_ref().take(grid.indices.len()).collect(),
            ..*grid
        };
        pictures.push(codec.decode(&codec.tokens(grid)?).await?);
    }
    Ok(pictures)
}
