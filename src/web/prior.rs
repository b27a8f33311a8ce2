use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::source::source;
use super::{Engine, Model, object};
use crate::models::{Order, PriorConfig};
use crate::weights::{CheckedWeights, Container, Corpus, Family, Loaded, Survey, build};

/// A prior's weight file whose values have all been checked, before the prior is built.
#[wasm_bindgen]
#[derive(Debug)]
pub struct PriorWeights {
    checked: CheckedWeights,
}

#[wasm_bindgen]
impl PriorWeights {
    /// Checks a safetensors file of any known family, and that the prior fits on the engine's
    /// device; `weights` and `config` as for `Weights.check`.
    pub fn check(
        engine: &Engine,
        #[wasm_bindgen(unchecked_param_type = "Blob | Uint8Array")] weights: JsValue,
        config: Option<String>,
    ) -> Result<PriorWeights, JsValue> {
        let file = Container::open(source(weights)?)?;
        let survey = Survey::prior_of(file, config.as_deref())?;
        engine.limits().admit_prior_file(&survey)?;
        let checked = CheckedWeights::of_survey(survey)?;
        Ok(PriorWeights { checked })
    }

    /// Builds the prior on the engine's device.
    pub fn load(&self, engine: &Engine) -> Result<Prior, JsValue> {
        let loaded = build(&self.checked, engine.device())?.prior()?;
        engine.device().memory_cleanup();
        Ok(Prior {
            loaded,
            family: self.checked.family,
            assumed: self.checked.assumed.clone(),
        })
    }
}

/// A prior over tokens, with its weights on an [`Engine`]'s device.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Prior {
    loaded: Loaded<PriorConfig>,
    family: Family,
    assumed: Vec<&'static str>,
}

#[derive(Serialize)]
struct PriorFacts<'a> {
    kind: &'static str,
    family: String,
    assumed: &'a [&'static str],
    name: Option<&'a str>,
    config: &'a PriorConfig,
    parameters: usize,
    order: Order,
    codes: usize,
    rows: usize,
    columns: usize,
    classes: usize,
    guided: bool,
    corpus: Option<&'a Corpus>,
}

#[wasm_bindgen]
impl Prior {
    /// Facts about the prior.
    #[wasm_bindgen(getter, unchecked_return_type = "PriorFacts")]
    pub fn facts(&self) -> Result<JsValue, JsValue> {
        let config = &self.loaded.config;
        let [rows, columns] = config.grid();
        object(&PriorFacts {
            kind: config.kind(),
            family: self.family.to_string(),
            assumed: &self.assumed,
            name: self.loaded.name.as_deref(),
            config,
            parameters: self.loaded.parameters,
            order: config.order(),
            codes: config.codes(),
            rows,
            columns,
            classes: config.classes(),
            guided: config.classes() > 0 && config.no_class().is_some(),
            corpus: self.loaded.corpus.as_ref(),
        })
    }

    /// Fails if this prior predicts the tokens of another model.
    pub fn fits(&self, model: &Model) -> Result<(), JsValue> {
        Ok(self.loaded.fits(&model.codec().loaded())?)
    }
}

impl Prior {
    pub(super) fn loaded(&self) -> &Loaded<PriorConfig> {
        &self.loaded
    }
}
