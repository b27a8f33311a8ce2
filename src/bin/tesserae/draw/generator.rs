//! Pictures from a generator, which makes them out of noise.

use std::path::PathBuf;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tesserae::generate::{Origin, PictureOptions, PictureSampler, SampleOptions};
use tesserae::weights::Survey;
use tesserae::{Error, Picture, Result};

use super::{DrawArgs, HowArgs, number, write};
use crate::outputs::Outputs;
use crate::{terminal, weights};

impl DrawArgs {
    /// What the named file holds, if that is a generator.
    pub fn generator(&self) -> Result<Option<Survey>> {
        self.prior.generator()
    }

    /// Makes pictures with the generator that was surveyed, out of `origin`; `options` has what only
    /// such a model takes. `inputs` are further files that were read.
    pub async fn generate(
        self,
        survey: Survey,
        options: PictureOptions,
        origin: Origin,
        inputs: &[PathBuf],
        json: bool,
    ) -> Result<()> {
        self.how.refuse_token_options()?;
        if self.tokens {
            return Err(no_tokens());
        }
        let mut read = self.prior.inputs("")?;
        read.extend_from_slice(inputs);
        let read = read.iter().map(PathBuf::as_path);
        let target = self.target(Outputs::new(read, self.overwrite.overwrite))?;
        let device = self.prior.device()?;
        device.limits().admit_generator_file(&survey)?;
        let class = self.class.as_deref();
        let options = PictureOptions {
            class: class.map(|class| number(class, [].iter())).transpose()?,
            count: self.count,
            seed: self.seed,
            steps: self.how.steps,
            guidance: self.how.guidance,
            temperature: self.how.temperature,
            ..options
        };
        options.validate(survey.config.generator()?)?;
        let model = weights::build(survey, &device)?.generator()?;
        let (network, config) = (model.network, &model.config);
        let mut sampler = PictureSampler::begin(network, config, options, origin, &device)?;
        let start = Instant::now();
        let pictures = made(&mut sampler).await?;
        let seconds = start.elapsed().as_secs_f64();
        let (count, steps) = (pictures.len(), sampler.steps());
        write(target, pictures, None)?;
        match json {
            true => terminal::print_json(json!({
                "pictures": count, "steps": steps, "tokens": null, "seconds_drawing": seconds, "seconds": seconds,
            })),
            false => terminal::print(format_args!(
                "{count} pictures in {steps} steps, {seconds:.2} s"
            )),
        }
    }
}

impl HowArgs {
    /// Rejects what only the drawing of tokens takes.
    pub fn refuse_token_options(&self) -> Result<()> {
        let how = self.options();
        let usual = SampleOptions {
            steps: how.steps,
            temperature: how.temperature,
            guidance: how.guidance,
            ..SampleOptions::default()
        };
        match how == usual {
            true => Ok(()),
            false => Err(no_tokens()),
        }
    }
}

fn no_tokens() -> Error {
    Error::Argument(
        "This model draws no tokens, so it takes none of --tokens, --top-k, --top-p, --order and \
         --schedule"
            .to_owned(),
    )
}

/// Takes all steps, with a progress bar.
pub async fn made(sampler: &mut PictureSampler) -> Result<Vec<Picture>> {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} steps")
        .map_err(|e| Error::Internal(e.to_string()))?;
    let bar = ProgressBar::new(sampler.steps() as u64).with_style(style);
    while sampler.done() < sampler.steps() {
        sampler.step();
        bar.inc(1);
    }
    bar.finish_and_clear();
    sampler.pictures().await
}
