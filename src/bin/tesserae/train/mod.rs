mod args;
mod generator;
mod log;
mod prior;
mod reconstruction;

use serde_json::Value;
use tesserae::models::Config;
use tesserae::train::{GeneratorTrainConfig, PriorTrainConfig, TrainConfig};
use tesserae::{Error, GeneratorConfig, PriorConfig, Result};

use crate::device::{DeviceArgs, Opened};
use crate::files;
use crate::labelled::Example;
pub use args::Args;

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        self.run_on(DeviceArgs::open_to_train, json).await
    }

    /// Trains on the device returned by `open`.
    async fn run_on(
        self,
        open: impl FnOnce(&DeviceArgs) -> Result<Opened>,
        json: bool,
    ) -> Result<()> {
        let outputs = self.outputs()?;
        let text = files::text(&self.config)?;
        let kind = kind_of(&text);
        let is = |kinds: Vec<&str>| kind.as_deref().is_some_and(|kind| kinds.contains(&kind));
        if is(PriorConfig::kinds()) {
            let config = PriorTrainConfig::from_json(&text)?;
            let device = open(&self.device)?;
            return prior::run(&self, &outputs, config, &device, json).await;
        }
        if is(GeneratorConfig::kinds()) {
            let config = GeneratorTrainConfig::from_json(&text)?;
            let device = open(&self.device)?;
            return generator::run(&self, &outputs, config, &device, json).await;
        }
        self.refuse_prior_options()?;
        let config = TrainConfig::from_json(&text)?;
        let device = open(&self.device)?;
        reconstruction::run(&self, &outputs, config, &device, json).await
    }

    /// Rejects what only an autoencoder's training takes.
    fn refuse_autoencoder_options(&self) -> Result<()> {
        let given = [
            ("--discriminator", self.discriminator.is_some()),
            ("--lpips", !self.lpips.is_empty()),
            ("--features", self.features.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(Error::Argument(format!(
                "{name} is for the training of an autoencoder"
            ))),
            None => Ok(()),
        }
    }

    /// The names of `wanted` classes: the folders that pictures lie in, relative to --data, in order.
    fn class_names(&self, wanted: usize, examples: &[Example]) -> Result<Vec<String>> {
        if wanted == 0 {
            return Ok(Vec::new());
        }
        let names = Example::classes(examples);
        match names.len() == wanted {
            true => Ok(names),
            false => Err(Error::Argument(format!(
                "The config has {wanted} classes, but pictures lie in {} folders of {}",
                names.len(),
                self.data.display()
            ))),
        }
    }

    /// Rejects what only a prior's training takes.
    fn refuse_prior_options(&self) -> Result<()> {
        match &self.tokenizer {
            Some(_) => Err(Error::Argument(
                "--tokenizer is for the training of a prior".to_owned(),
            )),
            None => Ok(()),
        }
    }
}

/// The kind of model that a training config is for, if it says so.
fn kind_of(json: &str) -> Option<String> {
    let config: Value = serde_json::from_str(json).ok()?;
    config.pointer("/model/kind")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests;
