use std::collections::BTreeMap;

use burn::tensor::Device;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::source::source;
use super::{Engine, Model, Picture, clock, json, object};
use crate::codec::{Coder, Limits};
use crate::error::Error;
use crate::pixels;
use crate::train::{Event, Reconstruction, Session, StepReport, TuneConfig};
use crate::weights::{Container, Storage, load_discriminator};

/// Fine-tunes a model on a few pictures, one step at a time. The original model is left unchanged.
#[wasm_bindgen]
pub struct Tuner {
    session: Session<Reconstruction>,
    config: TuneConfig,
    limits: Limits,
    /// Declared last, so that it is dropped after the training.
    device: Lent,
}

/// A device that releases its pooled tensor memory when this is dropped.
pub(super) struct Lent(pub Device);

impl Drop for Lent {
    fn drop(&mut self) {
        self.0.memory_cleanup();
    }
}

/// What JavaScript is told of a step.
#[derive(Serialize)]
pub(super) struct Step {
    step: usize,
    losses: BTreeMap<&'static str, f32>,
}

impl From<StepReport> for Step {
    fn from(report: StepReport) -> Self {
        Self {
            step: report.step,
            losses: report.losses.into_iter().collect(),
        }
    }
}

#[wasm_bindgen]
impl Tuner {
    /// Starts tuning on `pictures` with `config`; omitted fields take their defaults.
    /// `discriminator` is a weight file with the discriminator to start from, for the lifelike
    /// objective.
    pub fn begin(
        engine: &Engine,
        model: &Model,
        pictures: Vec<Picture>,
        #[wasm_bindgen(unchecked_param_type = "TuneConfig")] config: JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "Blob | Uint8Array")] discriminator: Option<
            JsValue,
        >,
    ) -> Result<Tuner, JsValue> {
        let config = TuneConfig::from_json(&json(&config))?;
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

    /// Number of completed steps.
    #[wasm_bindgen(getter)]
    pub fn done(&self) -> usize {
        self.session.done()
    }

    /// Total number of steps.
    #[wasm_bindgen(getter)]
    pub fn steps(&self) -> usize {
        self.config.steps
    }

    /// Runs the next step. After the code `loss_not_finite`, tuning can only continue with
    /// [`Tuner::resume`].
    #[wasm_bindgen(unchecked_return_type = "TuneStep")]
    pub async fn step(&mut self) -> Result<JsValue, JsValue> {
        clock::breathe().await;
        let Some(Event::Step(report)) = self.session.next().await? else {
            return Err(Error::Argument("All steps of this tuning are done".into()).into());
        };
        object(&Step::from(report))
    }

    /// Codebook usage over the pictures since the last call.
    #[wasm_bindgen(unchecked_return_type = "Usage")]
    pub async fn usage(&mut self) -> Result<JsValue, JsValue> {
        object(&self.session.task_mut().take_usage().await?)
    }

    /// Reconstructs a picture with the model in its current state; for a restoration, from a
    /// damaged copy.
    pub async fn preview(&self, picture: &Picture) -> Result<Picture, JsValue> {
        let (task, device) = (self.session.task(), &self.device.0);
        let config = task.config().model.clone();
        let coder = Coder::new(task.model(), config, device).within(self.limits);
        let seen = self.seen(picture)?;
        let mut watch = async |_, _, _| {
            clock::breathe().await;
            true
        };
        Ok(Picture::new(
            coder
                .reconstruct_with(seen.inner(), None, &mut watch)
                .await?,
        ))
    }

    /// The picture as the model sees it: damaged for a restoration, otherwise unchanged.
    pub fn seen(&self, picture: &Picture) -> Result<Picture, JsValue> {
        Ok(Picture::new(match self.config.damage {
            Some(damage) => damage.apply(picture.inner(), self.config.seed)?,
            None => picture.inner().clone(),
        }))
    }

    /// The complete training state, for [`Tuner::resume`].
    pub async fn snapshot(&self) -> Result<Vec<u8>, JsValue> {
        Ok(self.session.checkpoint().await?)
    }

    /// Restores a snapshot of a tuning with the same model, pictures and config.
    pub fn resume(&mut self, snapshot: &[u8]) -> Result<(), JsValue> {
        Ok(self.session.resume(snapshot)?)
    }

    /// The tuned model as an f32 weight file, with the tuning recorded in its metadata.
    pub async fn weights(&self, name: Option<String>) -> Result<Vec<u8>, JsValue> {
        let name = name.as_deref();
        Ok(self.session.weights(name, Storage::F32).await?)
    }
}
