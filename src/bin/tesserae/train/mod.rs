mod args;
mod log;
mod prior;
mod reconstruction;

use serde_json::Value;
use tesserae::models::Config;
use tesserae::train::{PriorTrainConfig, TrainConfig};
use tesserae::{Error, PriorConfig, Result};

use crate::device::{DeviceArgs, Opened};
use crate::files;
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
        if !is_prior(&text) {
            self.refuse_prior_options()?;
            let config = TrainConfig::from_json(&text)?;
            let device = open(&self.device)?;
            return reconstruction::run(&self, &outputs, config, &device, json).await;
        }
        let config = PriorTrainConfig::from_json(&text)?;
        let device = open(&self.device)?;
        prior::run(&self, &outputs, config, &device, json).await
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

/// Whether a config is that of a prior's training.
fn is_prior(json: &str) -> bool {
    let config: Value = serde_json::from_str(json).unwrap_or_default();
    let kind = config.pointer("/model/kind").and_then(Value::as_str);
    kind.is_some_and(|kind| PriorConfig::kinds().contains(&kind))
}

#[cfg(test)]
mod tests;
