//! The training of a generator.

use std::path::Path;

use serde_json::{Map, Value};
use tesserae::models::Generator;
use tesserae::train::{Contest, Generation, GeneratorTrainConfig, LabelledPictures, Session};
use tesserae::{Error, Picture, Result};

use super::args::{Args, Files, RHYTHM, Report};
use super::log::Log;
use crate::device::Opened;
use crate::files;
use crate::labelled::Example;
use crate::weights::{self, ConfigArgs};

/// Trains on the pictures that `args` name.
pub async fn run(
    args: &Args,
    outputs: &Files,
    config: GeneratorTrainConfig,
    device: &Opened,
    json: bool,
) -> Result<()> {
    args.refuse_prior_options()?;
    args.refuse_autoencoder_options()?;
    device.seed(config.seed);
    let generator = args.generator(&config, device)?;
    let examples = args.labelled(&args.data)?;
    let names = args.class_names(config.model.classes(), &examples)?;
    let pictures = read(examples, &names)?;
    let pictures = LabelledPictures::new(pictures, &config.model)?;
    let held_out = match &args.held_out {
        Some(folder) => {
            let pictures = read(args.labelled(folder)?, &names)?;
            Some(LabelledPictures::new(pictures, &config.model)?)
        }
        None => None,
    };
    let report = Generations {
        config: config.clone(),
        held_out,
        looked: None,
    };
    if config.discriminator.is_some() {
        let session = Session::train_gan(&config, generator, pictures, device, RHYTHM)?;
        return args.drive(outputs, session, device, report, json).await;
    }
    let session = Session::train_generator(&config, generator, pictures, device, RHYTHM)?;
    args.drive(outputs, session, device, report, json).await
}

impl Args {
    /// The initial generator.
    fn generator(&self, config: &GeneratorTrainConfig, device: &Opened) -> Result<Generator> {
        let Some(path) = &self.from else {
            return Generator::new(&config.model, device);
        };
        let loaded = weights::load(path, &ConfigArgs::default(), device)?.generator()?;
        match loaded.config == config.model {
            true => Ok(loaded.network),
            false => Err(Error::WeightsMismatch(format!(
                "{} has a different model config",
                path.display()
            ))),
        }
    }

    /// The pictures in `folder`, without token files.
    fn labelled(&self, folder: &Path) -> Result<Vec<Example>> {
        let mut paths = self.inputs_in(folder)?;
        paths.retain(|path| !files::is_tokens(path));
        Example::all(paths, folder)
    }
}

/// The pictures, each with the number of its class among `names`.
fn read(examples: Vec<Example>, names: &[String]) -> Result<Vec<(Picture, usize)>> {
    examples.iter().map(|one| one.picture(names)).collect()
}

struct Generations {
    config: GeneratorTrainConfig,
    held_out: Option<LabelledPictures>,
    /// Loss of held-out pictures, until it is logged.
    looked: Option<f64>,
}

impl Report<Generation> for Generations {
    async fn look(&mut self, session: &Session<Generation>) -> Result<()> {
        if let Some(held_out) = &self.held_out {
            self.looked = Some(session.task().loss(held_out).await?);
        }
        Ok(())
    }

    async fn complete(
        &mut self,
        session: &mut Session<Generation>,
        log: &Log,
        line: &mut Map<String, Value>,
    ) -> Result<String> {
        Ok(self.line(session.done(), log, line))
    }
}

impl Report<Contest> for Generations {
    /// A GAN has no loss that held-out pictures could tell.
    async fn look(&mut self, _session: &Session<Contest>) -> Result<()> {
        Ok(())
    }

    async fn complete(
        &mut self,
        session: &mut Session<Contest>,
        log: &Log,
        line: &mut Map<String, Value>,
    ) -> Result<String> {
        Ok(self.line(session.done(), log, line))
    }
}

impl Generations {
    /// Adds to a line of the log; returns the message for the progress bar.
    fn line(&mut self, done: usize, log: &Log, line: &mut Map<String, Value>) -> String {
        let config = &self.config;
        let terms = [
            "reconstruction",
            "divergence",
            "denoising",
            "discriminator",
            "generator",
        ];
        let known = terms.iter().filter_map(|name| {
            let value = line.get(*name)?.as_f64()?;
            Some(format!("{name} {value:.4}"))
        });
        let known = known.collect::<Vec<_>>().join(", ");
        let learning_rate = config.optimizer.rate(done - 1, config.steps);
        line.insert("learning_rate".into(), learning_rate.into());
        let rate = log.rate(config.batch);
        line.insert("pictures_per_second".into(), rate.into());
        let held_out = match self.looked.take() {
            Some(loss) => {
                line.insert("held_out_loss".into(), loss.into());
                format!(", held out {loss:.4}")
            }
            None => String::new(),
        };
        format!("{known}{held_out}, {rate:.1} pictures/s")
    }
}
