use burn::tensor::Device;
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use super::tuner::{Lent, Step};
use super::{Engine, Model, Tokens, clock, object, parsed};
use crate::error::{Error, Result};
use crate::models::Prior;
use crate::train::{Event, Prediction, PriorTrainConfig, Rhythm, Session, TokenGrids};
use crate::weights::{Corpus, Storage};

/// Trains a small prior on the tokens of a few pictures, one step at a time.
#[wasm_bindgen]
pub struct PriorTrainer {
    session: Session<Prediction>,
    /// Declared last, so that it is dropped after the training.
    _device: Lent,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Options {
    steps: usize,
    seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            steps: 300,
            seed: 0,
        }
    }
}

#[wasm_bindgen]
impl PriorTrainer {
    /// Starts on the tokens of pictures that `model` has encoded; omitted options take their
    /// defaults. The prior is masked, and has no classes.
    pub fn begin(
        engine: &Engine,
        model: &Model,
        tokens: Vec<Tokens>,
        #[wasm_bindgen(unchecked_param_type = "PriorTrainOptions")] options: JsValue,
    ) -> Result<PriorTrainer, JsValue> {
        let options: Options = parsed(&options)?;
        let device = engine.device();
        let session = session(model, &tokens, &options, device)?;
        Ok(PriorTrainer {
            session,
            _device: Lent(device.clone()),
        })
    }

    /// Number of completed steps.
    #[wasm_bindgen(getter)]
    pub fn done(&self) -> usize {
        self.session.done()
    }

    /// Total number of steps.
    #[wasm_bindgen(getter)]
    pub fn steps(&self) -> usize {
        self.session.steps()
    }

    /// Runs the next step; the loss is `cross_entropy`, in nats a token.
    #[wasm_bindgen(unchecked_return_type = "TuneStep")]
    pub async fn step(&mut self) -> Result<JsValue, JsValue> {
        clock::breathe().await;
        let Some(Event::Step(report)) = self.session.next().await? else {
            return Err(Error::Argument("All steps of this training are done".into()).into());
        };
        object(&Step::from(report))
    }

    /// The complete training state, for [`PriorTrainer::resume`].
    pub async fn snapshot(&self) -> Result<Vec<u8>, JsValue> {
        Ok(self.session.checkpoint().await?)
    }

    /// Restores a snapshot of a training on the same tokens with the same options.
    pub fn resume(&mut self, snapshot: &[u8]) -> Result<(), JsValue> {
        Ok(self.session.resume(snapshot)?)
    }

    /// The prior so far as an f16 weight file, which `PriorWeights.check` takes.
    pub async fn weights(&self, name: Option<String>) -> Result<Vec<u8>, JsValue> {
        let artifacts = self.session.artifacts(name.as_deref(), Storage::F16);
        let first = artifacts.await?.into_iter().next();
        let first = first.ok_or_else(|| Error::Internal("a training without weights".into()))?;
        Ok(first.bytes)
    }
}

fn session(
    model: &Model,
    tokens: &[Tokens],
    options: &Options,
    device: &Device,
) -> Result<Session<Prediction>> {
    let codec = model.codec();
    let mut grids = Vec::with_capacity(tokens.len());
    for tokens in tokens {
        codec.check(tokens.inner())?;
        grids.push(tokens.inner().grid()?.clone());
    }
    let config = PriorTrainConfig {
        seed: options.seed,
        ..PriorTrainConfig::small(&grids, codec.config().codes(), options.steps)?
    };
    device.seed(config.seed);
    let prior = Prior::new(&config.model, device)?;
    let corpus = Corpus {
        tokenizer: codec.name().unwrap_or("model").to_owned(),
        codebook: codec.hashes().codebook,
        classes: Vec::new(),
    };
    let labelled = grids.into_iter().map(|grid| (grid, 0)).collect();
    let grids = TokenGrids::new(labelled, &config.model)?;
    let rhythm = Rhythm::default();
    Session::train_prior(&config, prior, Some(corpus), grids, device, rhythm)
}
