//! The prior to sample from, and the model whose tokens it predicts.

use std::path::PathBuf;

use tesserae::weights::{Loaded, Survey};
use tesserae::{Codec, Error, PriorConfig, Result};

use crate::device::{DeviceArgs, Opened};
use crate::model::{find, shipped};
use crate::weights::{self, ConfigArgs};

/// The prior to use, for every command that needs one.
#[derive(Debug, clap::Args)]
pub struct PriorArgs {
    /// Name of a shipped prior, a weight file, or a folder that contains one; left out, it is
    /// digits-maskgit for new pictures and photos-f8-maskgit for parts of one.
    #[arg(long)]
    model: Option<String>,
    /// The model whose tokens the prior predicts: a shipped one's name or a weight file. Left out,
    /// it is the shipped one that the prior names, or the one in the prior's own file.
    #[arg(long)]
    tokenizer: Option<String>,
    /// Folder of shipped models with their index.json.
    #[arg(long, default_value = "www/models")]
    models: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    device: DeviceArgs,
}

/// A prior with the model that decodes its tokens.
pub struct Pair {
    pub prior: Loaded<PriorConfig>,
    pub codec: Codec,
}

impl PriorArgs {
    /// Opens the device to compute on.
    pub fn device(&self) -> Result<Opened> {
        self.device.open()
    }

    /// The prior's weight file, or the `usual` prior's if none is named.
    fn file(&self, usual: &str) -> Result<PathBuf> {
        find(self.model.as_deref().unwrap_or(usual), &self.models)
    }

    /// What the named file holds, if that is a generator of pictures. One needs no config.
    pub fn generator(&self) -> Result<Option<Survey>> {
        let (Some(named), None) = (&self.model, self.config.file()) else {
            return Ok(None);
        };
        // An error is reported when the file is read as a prior.
        let survey = weights::survey(&find(named, &self.models)?, &self.config).ok();
        Ok(survey.filter(|survey| survey.config.generator().is_ok()))
    }

    /// All files that loading reads.
    pub fn inputs(&self, usual: &str) -> Result<Vec<PathBuf>> {
        let mut inputs = weights::inputs(&self.file(usual)?);
        inputs.extend(self.config.file().cloned());
        if let Some(tokenizer) = &self.tokenizer {
            inputs.extend(weights::inputs(&find(tokenizer, &self.models)?));
        }
        Ok(inputs)
    }

    /// Loads both.
    pub fn load(&self, usual: &str, device: &Opened) -> Result<Pair> {
        let file = self.file(usual)?;
        let survey = weights::survey_prior(&file, &self.config)?;
        device.limits().admit_prior_file(&survey)?;
        let prior = weights::build(survey, device)?.prior()?;
        let named = match (&self.tokenizer, &prior.corpus) {
            (Some(named), _) => Some(find(named, &self.models)?),
            // A name from a file must not be taken for a path.
            (None, Some(corpus)) => Some(shipped(&corpus.tokenizer, &self.models)?),
            (None, None) => None,
        };
        // A taming-transformers checkpoint has its first stage, too.
        let survey = weights::survey(named.as_ref().unwrap_or(&file), &ConfigArgs::default())?;
        if named.is_none() && survey.config.autoencoder().is_err() {
            return Err(Error::Argument(
                "The prior's file does not say whose tokens it predicts: name that model with \
                 --tokenizer"
                    .to_owned(),
            ));
        }
        device.limits().admit_file(&survey)?;
        let model = weights::build(survey, device)?.autoencoder()?;
        prior.fits(&model)?;
        let codec = Codec::new(model, device).within(device.limits());
        Ok(Pair { prior, codec })
    }
}
