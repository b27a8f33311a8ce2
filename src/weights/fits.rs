//! Whether a prior and a model go together.

use super::Loaded;
use crate::error::{Error, Result};
use crate::models::PriorConfig;

impl Loaded<PriorConfig> {
    /// Checks that this prior predicts the tokens of `model`: by the hash of its codebook if the
    /// prior's file has one, otherwise by the number of codes.
    ///
    /// # Errors
    /// [`Error::PriorOtherCodebook`], [`Error::NoCodebook`], and [`Error::WeightsMismatch`] for a
    /// model with another number of codes or with several grids.
    pub fn fits(&self, model: &Loaded) -> Result<()> {
        let grids = model.config.grids().len();
        if grids == 0 {
            return Err(Error::NoCodebook);
        }
        if let Some(corpus) = &self.corpus
            && corpus.codebook != model.hashes.codebook
        {
            return Err(Error::PriorOtherCodebook {
                name: corpus.tokenizer.clone(),
                expected: corpus.codebook.to_string(),
                found: model.hashes.codebook.to_string(),
            });
        }
        let (ours, theirs) = (self.config.codes(), model.config.codes());
        if ours != theirs {
            return Err(Error::WeightsMismatch(format!(
                "the prior has {ours} codes, but the model has {theirs}"
            )));
        }
        match grids {
            1 => Ok(()),
            _ => Err(Error::WeightsMismatch(format!(
                "the prior predicts one grid of tokens, but the model has {grids}"
            ))),
        }
    }
}
