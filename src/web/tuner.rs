use std::collections::BTreeMap;

use burn::tensor::Device;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::source::source;
use super::{Engine, Model, Picture, clock, object};
use crate::codec::{Codec, Limits};
use crate::error::Error;
use crate::pixels;
use crate::train::{Event, Reconstruction, Role, Session, TuneConfig};
use crate::weights::{Container, Storage, load_discriminator};

/// A model being fine-tuned on a few pictures, a step at a time. The model that it began with stays
/// as it was.
#[wasm_bindgen]
pub struct Tuner {
    session: Session<Reconstruction>,
    config: TuneConfig,
    limits: Limits,
    /// Last, so that it is dropped when the training is gone.
    device: Lent,
}

/// A device that gives up, when this is dropped, the memory that it keeps for tensors to come.
struct Lent(Device);

impl Drop for Lent {
    fn drop(&mut self) {
        self.0.memory_cleanup();
    }
}

#[derive(Serialize)]
struct Step {
    step: usize,
    losses: BTreeMap<&'static str, f32>,
}

#[wasm_bindgen]
impl Tuner {
    /// Begins on `pictures`, as `config` says; a field that is left out has its default.
    /// `discriminator` is a file with the one to start from, for the lifelike objective.
    pub fn begin(
        engine: &Engine,
        model: &Model,
        pictures: Vec<Picture>,
        #[wasm_bindgen(unchecked_param_type = "TuneConfig")] config: JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "Blob | Uint8Array")] discriminator: Option<
            JsValue,
        >,
    ) -> Result<Tuner, JsValue> {
        // As JSON, where a field that there is not is refused by name.
        let json = js_sys::JSON::stringify(&config).map(String::from);
        let config = TuneConfig::from_json(&json.unwrap_or_default())?;
        let codec = model.codec();
        let pictures: Vec<pixels::Picture> =
            pictures.into_iter().map(Picture::into_inner).collect();
        let discriminator = match discriminator {
            Some(file) => {
                let file = Container::open(source(file)?)?;
                Some(load_discriminator(&file, engine.device())?)
            }
            None => None,
        };
        let (model, device) = (codec.loaded(), engine.device());
        let session = Session::tune(&config, model, pictures, discriminator, device)?;
        Ok(Tuner {
            session,
            config,
            limits: engine.limits(),
            device: Lent(engine.device().clone()),
        })
    }

    /// Steps done so far.
    #[wasm_bindgen(getter)]
    pub fn done(&self) -> usize {
        self.session.done()
    }

    /// Steps in all.
    #[wasm_bindgen(getter)]
    pub fn steps(&self) -> usize {
        self.config.steps
    }

    /// The next step. After the code `loss_not_finite` only [`Tuner::resume`] helps.
    #[wasm_bindgen(unchecked_return_type = "TuneStep")]
    pub async fn step(&mut self) -> Result<JsValue, JsValue> {
        clock::breathe().await;
        let Some(Event::Step(report)) = self.session.next().await? else {
            return Err(Error::Argument("All steps of this tuning are done".into()).into());
        };
        object(&Step {
            step: report.step,
            losses: report.losses.into_iter().collect(),
        })
    }

    /// Which codes the pictures took since the last call.
    #[wasm_bindgen(unchecked_return_type = "Usage")]
    pub async fn usage(&mut self) -> Result<JsValue, JsValue> {
        object(&self.session.task_mut().take_usage().await?)
    }

    /// What the model as it is now makes of a picture: of a damaged copy, for a restoration.
    pub async fn preview(&self, picture: &Picture) -> Result<Picture, JsValue> {
        let model = self.session.model().await?;
        let codec = Codec::new(model, &self.device.0).within(self.limits);
        let seen = self.seen(picture)?;
        let mut watch = async |_, _, _| {
            clock::breathe().await;
            true
        };
        Ok(Picture::new(
            codec
                .reconstruct_with(seen.inner(), None, &mut watch)
                .await?,
        ))
    }

    /// The picture as the model sees it: damaged, for a restoration, else as it is.
    pub fn seen(&self, picture: &Picture) -> Result<Picture, JsValue> {
        Ok(Picture::new(match self.config.damage {
            Some(damage) => damage.apply(picture.inner(), self.config.seed)?,
            None => picture.inner().clone(),
        }))
    }

    /// Everything that the next step depends on, for [`Tuner::resume`].
    pub async fn snapshot(&self) -> Result<Vec<u8>, JsValue> {
        Ok(self.session.checkpoint().await?)
    }

    /// Goes back, or on, to a snapshot of a tuning with the same model, pictures and config.
    pub fn resume(&mut self, snapshot: &[u8]) -> Result<(), JsValue> {
        Ok(self.session.resume(snapshot)?)
    }

    /// The tuned model as a weight file in f32, with the record of the tuning in its metadata.
    pub async fn weights(&self, name: Option<String>) -> Result<Vec<u8>, JsValue> {
        let artifacts = self.session.artifacts(name.as_deref(), Storage::F32);
        let mut artifacts = artifacts.await?.into_iter();
        let weights = artifacts.find(|artifact| artifact.role == Role::Weights);
        let missing = || Error::Internal("a tuning made no weights".into());
        Ok(weights.ok_or_else(missing)?.bytes)
    }
}
