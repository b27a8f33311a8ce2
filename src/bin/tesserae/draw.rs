//! Drawing tokens from a prior, for every command that does: new pictures, or parts of one.

mod generator;

pub use generator::made;

use std::path::PathBuf;
use std::time::Instant;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tesserae::generate::{Canvas, SampleOptions, Sampler, Schedule, Visit};
use tesserae::tokens::Grid;
use tesserae::{Codec, Error, Picture, Result, Tokens};

use crate::outputs::{Output, Outputs, OverwriteArgs, check_folder};
use crate::prior::{Pair, PriorArgs};
use crate::{grid, terminal};

#[derive(Debug, clap::Args)]
pub struct DrawArgs {
    #[command(flatten)]
    prior: PriorArgs,
    /// Class to draw, by its number from 0 or its name.
    #[arg(long)]
    class: Option<String>,
    /// Number of pictures.
    #[arg(long, default_value_t = 1)]
    count: usize,
    /// Seed of the first picture; the others have the numbers after it.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    how: HowArgs,
    /// Folder for one PNG per picture, named by its seed; or a picture file, for a sheet of all.
    #[arg(long)]
    out: PathBuf,
    /// In a folder, also write each picture's token file.
    #[arg(long)]
    tokens: bool,
    #[command(flatten)]
    overwrite: OverwriteArgs,
}

/// How tokens are drawn.
#[derive(Debug, clap::Args)]
pub struct HowArgs {
    /// Steps of a masked prior, where more than there are tokens is one for each, or of a diffusion
    /// model.
    #[arg(long, default_value_t = 16)]
    steps: usize,
    /// Divides the logits: below 1 surer, above 1 more varied, 0 always the likeliest. For a VAE or
    /// a GAN, it multiplies the latent.
    #[arg(long, default_value_t = 1.0)]
    temperature: f64,
    /// Draw from this many of the likeliest codes only; 0 for all.
    #[arg(long, default_value_t = 0)]
    top_k: usize,
    /// Draw from the likeliest codes that have this probability together.
    #[arg(long, default_value_t = 1.0)]
    top_p: f64,
    /// Classifier-free guidance towards the class; 1 is none.
    #[arg(long, default_value_t = 1.0)]
    guidance: f64,
    /// Order in which tokens are revealed; a masked prior's is halton, another's raster.
    #[arg(long, value_enum)]
    order: Option<OrderName>,
    /// How many tokens a masked prior reveals in each step.
    #[arg(long, value_enum, default_value_t = ScheduleName::Arccos)]
    schedule: ScheduleName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OrderName {
    Halton,
    Confidence,
    Raster,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ScheduleName {
    Arccos,
    Cosine,
}

impl HowArgs {
    /// As the library takes them, for one picture of no class with seed 0.
    pub fn options(&self) -> SampleOptions {
        SampleOptions {
            steps: self.steps,
            temperature: self.temperature,
            top_k: self.top_k,
            top_p: self.top_p,
            guidance: self.guidance,
            order: self.order.map(|order| match order {
                OrderName::Halton => Visit::Halton,
                OrderName::Confidence => Visit::Confidence,
                OrderName::Raster => Visit::Raster,
            }),
            schedule: match self.schedule {
                ScheduleName::Arccos => Schedule::Arccos,
                ScheduleName::Cosine => Schedule::Cosine,
            },
            ..SampleOptions::default()
        }
    }
}

/// Where the pictures go.
enum Target {
    /// A picture and perhaps tokens for each, by number.
    Each(Vec<(Output, Option<Output>)>),
    Sheet(Output),
}

/// A picture of which a part is drawn.
pub struct Begun {
    /// Its tokens so far.
    pub original: Tokens,
    /// What is kept of them, and what is to be drawn.
    pub canvas: Canvas,
}

impl DrawArgs {
    /// Seed of the first picture.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Draws from the prior that is named, or else from `usual`; on what `begin` returns, or anew.
    /// `inputs` are the files that it reads.
    pub async fn run(
        self,
        usual: &str,
        inputs: &[PathBuf],
        begin: impl AsyncFnOnce(&Codec) -> Result<Option<Begun>>,
        json: bool,
    ) -> Result<()> {
        let mut read = self.prior.inputs(usual)?;
        read.extend_from_slice(inputs);
        let read = read.iter().map(PathBuf::as_path);
        let target = self.target(Outputs::new(read, self.overwrite.overwrite))?;
        let device = self.prior.device()?;
        let Pair { prior, codec } = self.prior.load(usual, &device)?;
        let names = prior.corpus.iter().flat_map(|corpus| &corpus.classes);
        let options = SampleOptions {
            class: self
                .class
                .as_deref()
                .map(|class| number(class, names))
                .transpose()?,
            count: self.count,
            seed: self.seed,
            ..self.how.options()
        };
        let (original, canvas) = match begin(&codec).await? {
            Some(Begun { original, canvas }) => {
                // Before anything is drawn that could not be decoded.
                let factor = codec.config().factor();
                let [width, height] = [canvas.columns(), canvas.rows()]
                    .map(|side| u32::try_from(side * factor).unwrap_or(u32::MAX));
                codec.admit(width, height)?;
                (Some(original), Some(canvas))
            }
            None => (None, None),
        };
        let mut sampler = Sampler::new(prior.network, &prior.config, options, canvas, &device)?;
        let start = Instant::now();
        let grids = drawn(&mut sampler).await?;
        let drawn = start.elapsed().as_secs_f64();
        let mut pictures = Vec::new();
        let mut files = Vec::new();
        for grid in grids {
            let tokens = codec.tokens_like(original.as_ref(), grid)?;
            pictures.push(codec.decode(&tokens).await?);
            files.push(tokens);
        }
        let seconds = start.elapsed().as_secs_f64();
        let (count, steps) = (pictures.len(), sampler.steps());
        write(target, pictures, Some(&files))?;
        match json {
            true => terminal::print_json(json!({
                "pictures": count, "steps": steps, "tokens": files[0].count(),
                "seconds_drawing": drawn, "seconds": seconds,
            })),
            false => terminal::print(format_args!(
                "{count} pictures of {} tokens in {steps} steps, {seconds:.2} s",
                files[0].count()
            )),
        }
    }

    fn target(&self, mut outputs: Outputs) -> Result<Target> {
        if !self.out.is_dir() {
            if self.tokens {
                let told = "--tokens needs --out to be a folder that exists";
                return Err(Error::Argument(told.to_owned()));
            }
            return outputs.claim_picture(&self.out).map(Target::Sheet);
        }
        check_folder(&self.out)?;
        let mut claim =
            |seed: u64, extension| outputs.claim(&self.out.join(format!("{seed:04}.{extension}")));
        // More than the library takes fail there.
        let each = (0..self.count.min(1 << 10) as u64).map(|number| {
            let seed = self.seed.wrapping_add(number);
            let tokens = self.tokens.then(|| claim(seed, "tokens")).transpose()?;
            Ok((claim(seed, "png")?, tokens))
        });
        Ok(Target::Each(each.collect::<Result<_>>()?))
    }
}

/// Draws all tokens, with a progress bar.
pub async fn drawn(sampler: &mut Sampler) -> Result<Vec<Grid>> {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} steps")
        .map_err(|e| Error::Internal(e.to_string()))?;
    let bar = ProgressBar::new(sampler.steps() as u64).with_style(style);
    while sampler.done() < sampler.steps() {
        sampler.step().await?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    sampler.grids()
}

fn write(target: Target, pictures: Vec<Picture>, tokens: Option<&[Tokens]>) -> Result<()> {
    let each = match target {
        Target::Sheet(output) => return output.write_picture(&grid::square(pictures)?),
        Target::Each(each) => each,
    };
    for (number, (picture, (output, file))) in pictures.iter().zip(each).enumerate() {
        output.write_picture(picture)?;
        if let (Some(file), Some(tokens)) = (file, tokens) {
            file.write(&tokens[number].to_bytes()?)?;
        }
    }
    Ok(())
}

/// A class by its number or, among `names`, by its name.
fn number<'a>(class: &str, names: impl Iterator<Item = &'a String>) -> Result<usize> {
    let names: Vec<&String> = names.collect();
    if let Some(number) = names.iter().position(|name| *name == class) {
        return Ok(number);
    }
    class.parse().map_err(|_| {
        let known = names.iter().map(|name| name.as_str()).collect::<Vec<_>>();
        Error::Argument(match known.is_empty() {
            true => format!("`{class}` is not a class; this model's have only numbers"),
            false => format!("`{class}` is not a class; there are {}", known.join(", ")),
        })
    })
}
