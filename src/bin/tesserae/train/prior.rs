//! The training of a prior.

use std::path::Path;

use serde_json::{Map, Value};
use tesserae::models::Prior;
use tesserae::train::{Prediction, PriorTrainConfig, Session, TokenGrids};
use tesserae::weights::Corpus;
use tesserae::{Codec, Error, Result};

use super::args::{Args, Files, RHYTHM, Report};
use super::log::Log;
use crate::device::Opened;
use crate::labelled::{Example, Labelled};
use crate::model::find;
use crate::terminal;
use crate::weights::{self, ConfigArgs};

/// Trains on the tokens of the pictures that `args` name.
pub async fn run(
    args: &Args,
    outputs: &Files,
    config: PriorTrainConfig,
    device: &Opened,
    json: bool,
) -> Result<()> {
    args.refuse_autoencoder_options()?;
    device.seed(config.seed);
    let codec = args.tokenizer(device)?;
    let name = codec.name().ok_or_else(|| {
        Error::Argument("The tokenizer's file has no name; `convert --name` gives one".to_owned())
    })?;
    let prior = args.prior(&config, device)?;
    let examples = args.examples(&args.data)?;
    let classes = args.class_names(config.model.classes(), &examples)?;
    let corpus = Corpus {
        tokenizer: name.to_owned(),
        codebook: codec.hashes().codebook,
        classes: classes.clone(),
    };
    let held_out = match &args.held_out {
        Some(folder) => {
            let grids = Labelled::default().grids(args.examples(folder)?, &classes, &codec);
            Some(TokenGrids::new(grids.await?, &config.model)?)
        }
        None => None,
    };
    let versions = Labelled {
        mirror: config.mirror,
        shift: config.shift,
    };
    let grids = versions.grids(examples, &classes, &codec).await?;
    let found = grids.len();
    let grids = TokenGrids::new(grids, &config.model)?;
    terminal::warn(match found - grids.len() {
        0 => format!("training on {found} grids of tokens"),
        small => format!(
            "training on {} grids of tokens; {small} smaller than the prior's are left out",
            grids.len()
        ),
    });
    let session = Session::train_prior(&config, prior, Some(corpus), grids, device, RHYTHM)?;
    let report = Predictions {
        config,
        held_out,
        looked: None,
    };
    args.drive(outputs, session, device, report, json).await
}

impl Args {
    fn tokenizer(&self, device: &Opened) -> Result<Codec> {
        let Some(named) = &self.tokenizer else {
            return Err(Error::Argument(
                "A prior learns the tokens of a model: name it with --tokenizer".to_owned(),
            ));
        };
        let file = find(named, &self.models)?;
        let loaded = weights::load(&file, &ConfigArgs::default(), device)?;
        Ok(Codec::new(loaded.autoencoder()?, device).within(device.limits()))
    }

    /// The initial prior.
    fn prior(&self, config: &PriorTrainConfig, device: &Opened) -> Result<Prior> {
        let Some(path) = &self.from else {
            return Prior::new(&config.model, device);
        };
        let loaded = weights::load(path, &ConfigArgs::default(), device)?.prior()?;
        match loaded.config == config.model {
            true => Ok(loaded.network),
            false => Err(Error::WeightsMismatch(format!(
                "{} has a different model config",
                path.display()
            ))),
        }
    }

    fn examples(&self, folder: &Path) -> Result<Vec<Example>> {
        Example::all(self.inputs_in(folder)?, folder)
    }
}

struct Predictions {
    config: PriorTrainConfig,
    held_out: Option<TokenGrids>,
    /// Bits a held-out token, until it is logged.
    looked: Option<f64>,
}

impl Report<Prediction> for Predictions {
    async fn look(&mut self, session: &Session<Prediction>) -> Result<()> {
        if let Some(held_out) = &self.held_out {
            self.looked = Some(session.task().bits(held_out).await?);
        }
        Ok(())
    }

    async fn complete(
        &mut self,
        session: &mut Session<Prediction>,
        log: &Log,
        line: &mut Map<String, Value>,
    ) -> Result<String> {
        let config = &self.config;
        let entropy = line.get("cross_entropy").and_then(Value::as_f64);
        let bits = entropy.unwrap_or_default() / std::f64::consts::LN_2;
        line.insert("bits".into(), bits.into());
        let learning_rate = config.optimizer.rate(session.done() - 1, config.steps);
        line.insert("learning_rate".into(), learning_rate.into());
        let rate = log.rate(config.batch);
        line.insert("grids_per_second".into(), rate.into());
        let held_out = match self.looked.take() {
            Some(bits) => {
                line.insert("held_out_bits".into(), bits.into());
                format!(", held out {bits:.3}")
            }
            None => String::new(),
        };
        Ok(format!(
            "{bits:.3} bits a token{held_out}, {rate:.1} grids/s"
        ))
    }
}
