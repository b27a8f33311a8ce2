use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::source::source;
use super::{Engine, Picture, clock, object};
use crate::generate::latent_of;
use crate::models::{GeneratorConfig, Method};
use crate::weights::{CheckedWeights, Container, Family, Loaded, Survey, build};

/// A generator's weight file whose values have all been checked, before the generator is built.
#[wasm_bindgen]
#[derive(Debug)]
pub struct GeneratorWeights {
    checked: CheckedWeights,
}

#[wasm_bindgen]
impl GeneratorWeights {
    /// Checks a safetensors file, and that the generator fits on the engine's device; `weights` and
    /// `config` as for `Weights.check`.
    pub fn check(
        engine: &Engine,
        #[wasm_bindgen(unchecked_param_type = "Blob | Uint8Array")] weights: JsValue,
        config: Option<String>,
    ) -> Result<GeneratorWeights, JsValue> {
        let survey = Survey::of(Container::open(source(weights)?)?, config.as_deref())?;
        engine.limits().admit_generator_file(&survey)?;
        let checked = CheckedWeights::of_survey(survey)?;
        Ok(GeneratorWeights { checked })
    }

    /// Builds the generator on the engine's device.
    pub fn load(&self, engine: &Engine) -> Result<Generator, JsValue> {
        let loaded = build(&self.checked, engine.device())?.generator()?;
        engine.device().memory_cleanup();
        Ok(Generator {
            loaded,
            family: self.checked.family,
            assumed: self.checked.assumed.clone(),
        })
    }
}

/// A generator, with its weights on an [`Engine`]'s device.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Generator {
    loaded: Loaded<GeneratorConfig>,
    family: Family,
    assumed: Vec<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GeneratorFacts<'a> {
    kind: &'static str,
    family: String,
    assumed: &'a [&'static str],
    name: Option<&'a str>,
    config: &'a GeneratorConfig,
    parameters: usize,
    width: usize,
    height: usize,
    channels: usize,
    classes: usize,
    noise: usize,
    in_steps: bool,
    encodes: bool,
    pass_macs: u64,
}

#[wasm_bindgen]
impl Generator {
    /// Facts about the generator.
    #[wasm_bindgen(getter, unchecked_return_type = "GeneratorFacts")]
    pub fn facts(&self) -> Result<JsValue, JsValue> {
        let Loaded {
            config, network, ..
        } = &self.loaded;
        let [channels, height, width] = config.shape();
        object(&GeneratorFacts {
            kind: config.kind(),
            family: self.family.to_string(),
            assumed: &self.assumed,
            name: self.loaded.name.as_deref(),
            config,
            parameters: self.loaded.parameters,
            width,
            height,
            channels,
            classes: config.classes(),
            noise: config.noise().iter().product(),
            in_steps: matches!(network.method(), Method::Denoise(_)),
            encodes: network.encoder().is_some(),
            pass_macs: config.pass_macs(),
        })
    }

    /// The latent from which the generator comes closest to a picture, by its encoder or, without one,
    /// by a search; as `PictureSampler.begin` takes it as `noise`. `watch` is called between the steps
    /// of the search; returning false cancels it.
    pub async fn latent(
        &self,
        engine: &Engine,
        picture: &Picture,
        class: Option<usize>,
        #[wasm_bindgen(unchecked_optional_param_type = "() => boolean | void")] watch: Option<
            Function,
        >,
    ) -> Result<Vec<f32>, JsValue> {
        let Loaded {
            config, network, ..
        } = &self.loaded;
        let (picture, device) = (picture.inner(), engine.device());
        let mut on = async || {
            clock::breathe().await;
            let told = watch.as_ref().map(|watch| watch.call0(&JsValue::NULL));
            told != Some(Ok(JsValue::FALSE))
        };
        let latent = latent_of(network, config, picture, class, device, &mut on);
        Ok(latent.await?)
    }
}

impl Generator {
    pub(super) fn loaded(&self) -> &Loaded<GeneratorConfig> {
        &self.loaded
    }
}
