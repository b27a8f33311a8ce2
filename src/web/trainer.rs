use burn::tensor::Device;
use serde_json::Value;
use wasm_bindgen::prelude::*;

use super::tuner::{Lent, Step};
use super::{Engine, Picture, clock, json, object, parsed};
use crate::codec::{Coder, Limits};
use crate::error::{Error, Result, one_line};
use crate::generate::{self, PictureOptions};
use crate::models::{Autoencoder, Config, Generator, GeneratorConfig};
use crate::pixels;
use crate::train::{
    Contest, Event, Generation, GeneratorTrainConfig, LabelledPictures, Reconstruction, Rhythm,
    Session, Start, StepReport, Task, TrainConfig,
};
use crate::weights::Storage;

/// Trains an autoencoder or a generator from random weights, one step at a time.
#[wasm_bindgen]
pub struct Trainer {
    training: Training,
    limits: Limits,
    /// Declared last, so that it is dropped after the training.
    device: Lent,
}

// One at a time; boxing would save nothing.
#[allow(clippy::large_enum_variant)]
enum Training {
    Autoencoder(Session<Reconstruction>),
    Generator(Session<Generation>),
    Gan(Session<Contest>),
}

#[wasm_bindgen]
impl Trainer {
    /// Starts on small square pictures that lie row by row in `sheet`, as many as there are
    /// `classes`, with a config as `tesserae train` takes it; an autoencoder ignores the classes.
    pub fn begin(
        engine: &Engine,
        #[wasm_bindgen(unchecked_param_type = "object")] config: JsValue,
        sheet: &Picture,
        side: u32,
        classes: Vec<u32>,
    ) -> std::result::Result<Trainer, JsValue> {
        let json = json(&config);
        let mut pictures = sheet.inner().tiles(side)?;
        if pictures.len() < classes.len() {
            let (all, some) = (classes.len(), pictures.len());
            let told = format!("There are {all} classes, but only {some} pictures");
            return Err(Error::Argument(told).into());
        }
        pictures.truncate(classes.len());
        let classes = classes.into_iter().map(|class| class as usize).collect();
        Ok(Self {
            training: training(&json, pictures, classes, engine.device())?,
            limits: engine.limits(),
            device: Lent(engine.device().clone()),
        })
    }

    /// Number of completed steps.
    #[wasm_bindgen(getter)]
    pub fn done(&self) -> usize {
        match &self.training {
            Training::Autoencoder(session) => session.done(),
            Training::Generator(session) => session.done(),
            Training::Gan(session) => session.done(),
        }
    }

    /// Runs the next step. After the code `loss_not_finite` it is over.
    #[wasm_bindgen(unchecked_return_type = "TuneStep")]
    pub async fn step(&mut self) -> std::result::Result<JsValue, JsValue> {
        clock::breathe().await;
        let report = match &mut self.training {
            Training::Autoencoder(session) => next(session).await,
            Training::Generator(session) => next(session).await,
            Training::Gan(session) => next(session).await,
        };
        object(&Step::from(report?))
    }

    /// Codebook usage over the pictures since the last call, of an autoencoder.
    #[wasm_bindgen(unchecked_return_type = "Usage")]
    pub async fn usage(&mut self) -> std::result::Result<JsValue, JsValue> {
        match &mut self.training {
            Training::Autoencoder(session) => object(&session.task_mut().take_usage().await?),
            _ => Err(Error::NoCodebook.into()),
        }
    }

    /// What an autoencoder, as it is now, makes of a picture.
    pub async fn rebuild(&self, picture: &Picture) -> std::result::Result<Picture, JsValue> {
        let Training::Autoencoder(session) = &self.training else {
            return Err(Error::Argument("A generator rebuilds no pictures".to_owned()).into());
        };
        let (task, device) = (session.task(), &self.device.0);
        let coder = Coder::new(task.model(), task.config().model.clone(), device);
        let mut watch = async |_, _, _| true;
        let rebuilt = coder.within(self.limits);
        let rebuilt = rebuilt.reconstruct_with(picture.inner(), None, &mut watch);
        Ok(Picture::new(rebuilt.await?))
    }

    /// Pictures that a generator makes as it is now.
    pub async fn sample(
        &self,
        #[wasm_bindgen(unchecked_param_type = "PictureOptions")] options: JsValue,
    ) -> std::result::Result<Vec<Picture>, JsValue> {
        let options: PictureOptions = parsed(&options)?;
        let (generator, config) = match &self.training {
            Training::Generator(session) => {
                let task = session.task();
                (task.generator(), &task.config().model)
            }
            Training::Gan(session) => {
                let task = session.task();
                (task.generator(), &task.config().model)
            }
            Training::Autoencoder(_) => {
                let told = "An autoencoder makes no pictures of its own";
                return Err(Error::Argument(told.to_owned()).into());
            }
        };
        let sampler = generate::PictureSampler::new(generator, config, options, &self.device.0);
        let mut sampler = sampler?;
        while sampler.done() < sampler.steps() {
            clock::breathe().await;
            sampler.step();
        }
        let pictures = sampler.pictures().await?;
        Ok(pictures.into_iter().map(Picture::new).collect())
    }

    /// The model so far as an f16 weight file.
    pub async fn weights(&self, name: Option<String>) -> std::result::Result<Vec<u8>, JsValue> {
        let name = name.as_deref();
        let artifacts = match &self.training {
            Training::Autoencoder(session) => session.artifacts(name, Storage::F16).await?,
            Training::Generator(session) => session.artifacts(name, Storage::F16).await?,
            Training::Gan(session) => session.artifacts(name, Storage::F16).await?,
        };
        let first = artifacts.into_iter().next();
        let first = first.ok_or_else(|| Error::Internal("a training without weights".into()))?;
        Ok(first.bytes)
    }
}

async fn next<T: Task>(session: &mut Session<T>) -> Result<StepReport> {
    match session.next().await? {
        Some(Event::Step(report)) => Ok(report),
        _ => Err(Error::Argument(
            "All steps of this training are done".to_owned(),
        )),
    }
}

/// A training of the kind that its config says.
fn training(
    json: &str,
    pictures: Vec<pixels::Picture>,
    classes: Vec<usize>,
    device: &Device,
) -> Result<Training> {
    let value: Value = serde_json::from_str(json).map_err(|e| Error::ConfigInvalid(one_line(e)))?;
    let kind = value["model"]["kind"].as_str().unwrap_or_default();
    let rhythm = Rhythm::default();
    if !GeneratorConfig::kinds().contains(&kind) {
        let config = TrainConfig::from_json(json)?;
        device.seed(config.seed);
        let network = Autoencoder::new(&config.model, device)?;
        let start = Start::default();
        let session = Session::train(&config, network, start, pictures, device, rhythm)?;
        return Ok(Training::Autoencoder(session));
    }
    let config = GeneratorTrainConfig::from_json(json)?;
    device.seed(config.seed);
    let generator = Generator::new(&config.model, device)?;
    let pictures = pictures.into_iter().zip(classes);
    let pictures = LabelledPictures::new(pictures, &config.model)?;
    Ok(match config.discriminator {
        Some(_) => {
            let session = Session::train_gan(&config, generator, pictures, device, rhythm)?;
            Training::Gan(session)
        }
        None => {
            let session = Session::train_generator(&config, generator, pictures, device, rhythm)?;
            Training::Generator(session)
        }
    })
}
