use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tesserae::weights::Sampling;
use tesserae::{Error, Result};

use super::measured::round;
use crate::device::Opened;
use crate::draw::HowArgs;
use crate::eval_samples::{Against, Draws, Source, measure};

/// Samples, and training pictures, that are compared.
const COUNT: usize = 1000;

/// What a model is measured on.
#[derive(Debug, clap::Args)]
pub struct JudgeArgs {
    /// Pictures to measure it on, or folders of them: their centre squares, at 256×256 at most. For
    /// a prior or a generator, one folder with a folder for each class.
    #[arg(long, required = true, num_args = 1..)]
    pub judge: Vec<PathBuf>,
    /// What `judge` is, in a few words.
    #[arg(long)]
    pub judged_on: String,
    /// Of a prior or a generator: the pictures that it learned from, likewise. A thousand samples are
    /// compared with them by the features of a classifier, as by `eval-samples --classify`.
    #[arg(long)]
    pub train: Option<PathBuf>,
    /// Of a prior: the shipped model that decodes those samples, if that is not the one whose tokens
    /// it learned.
    #[arg(long, requires = "train")]
    pub decoder: Option<String>,
    #[command(flatten)]
    pub how: HowArgs,
    /// Folder of shipped models with their index.json.
    #[arg(long, default_value = "www/models")]
    pub models: PathBuf,
}

impl JudgeArgs {
    /// The one folder that what has classes is judged on.
    pub fn judged_folder(&self) -> Result<&Path> {
        match &self.judge[..] {
            [folder] => Ok(folder),
            _ => Err(Error::Argument(
                "A prior or a generator is judged on one folder, with a folder for each class"
                    .to_owned(),
            )),
        }
    }

    /// Compares samples with the training pictures, if those are given, adding to `quality`; returns
    /// how they were drawn.
    pub async fn samples(&self, source: &Source, quality: &mut Value) -> Result<Option<Sampling>> {
        let Some(train) = &self.train else {
            return Ok(None);
        };
        let against = Against {
            train,
            held_out: self.judged_folder()?,
            count: COUNT,
            classify: true,
        };
        let draws = Draws {
            how: &self.how,
            seed: 0,
            eta: 0.0,
        };
        let report = measure(source, against, draws, &Opened::cpu()).await?;
        let [right, right_held_out] =
            [report.right, report.right_held_out].map(|share| share.map(|share| round(share, 3)));
        for (name, value) in [
            ("class_right", json!(right)),
            ("class_right_held_out", json!(right_held_out)),
            ("frechet", json!(round(report.frechet, 1))),
            ("frechet_held_out", json!(round(report.frechet_held_out, 1))),
            ("precision", json!(round(report.coverage.precision, 3))),
            ("recall", json!(round(report.coverage.recall, 3))),
            ("nearest", json!(round(report.nearest, 2))),
            ("nearest_held_out", json!(round(report.nearest_held_out, 2))),
        ] {
            quality[name] = value;
        }
        let how = self.how.options();
        Ok(Some(Sampling {
            steps: source.steps(how.steps),
            guidance: how.guidance,
            temperature: how.temperature,
        }))
    }
}
