use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::source::source;
use super::{Engine, Latents, Picture, Tokens, clock, object};
use crate::codec::{Codec, Phase, Posterior};
use crate::models::{AutoencoderConfig, LatentScale};
use crate::tokens::Grid;
use crate::weights::{CheckedWeights, Container, Family, Survey, build};

/// A weight file whose values have all been checked, before the model is built. An earlier model
/// can be freed in between, so the two never have to be in memory at once.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Weights {
    checked: CheckedWeights,
}

#[wasm_bindgen]
impl Weights {
    /// Checks a file as [`Model::load`] does, and that the model fits on the engine's device.
    pub fn check(
        engine: &Engine,
        #[wasm_bindgen(unchecked_param_type = "Blob | Uint8Array")] weights: JsValue,
        config: Option<String>,
    ) -> Result<Weights, JsValue> {
        let survey = Survey::of(Container::open(source(weights)?)?, config.as_deref())?;
        engine.limits().admit_file(&survey)?;
        let checked = CheckedWeights::of_survey(survey)?;
        Ok(Weights { checked })
    }

    /// Builds the model on the engine's device.
    pub async fn load(&self, engine: &Engine) -> Result<Model, JsValue> {
        let loaded = build(&self.checked, engine.device())?.autoencoder()?;
        let codec = Codec::new(loaded, engine.device()).within(engine.limits());
        engine.device().memory_cleanup();
        Ok(Model {
            codec,
            family: self.checked.family,
            assumed: self.checked.assumed.clone(),
            prefix: self.checked.prefix.clone(),
        })
    }
}

/// A model with its weights on an [`Engine`]'s device.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Model {
    codec: Codec,
    family: Family,
    assumed: Vec<&'static str>,
    prefix: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ModelFacts<'a> {
    kind: &'static str,
    family: String,
    assumed: &'a [&'static str],
    prefix: &'a str,
    name: Option<&'a str>,
    config: &'a AutoencoderConfig,
    parameters: usize,
    factor: usize,
    grids: Vec<usize>,
    codebook_size: usize,
    bits_per_token: u32,
    codebook_hash: String,
    encoder_hash: String,
    decoder_hash: String,
    latent_scale: Option<Scale>,
    max_pixels: u64,
}

#[derive(Serialize)]
struct Scale {
    scale: f32,
    shift: f32,
}

#[derive(Serialize)]
struct Nearest {
    rows: usize,
    columns: usize,
    count: usize,
    codes: Vec<u32>,
    distances: Vec<f32>,
}

#[wasm_bindgen]
impl Model {
    /// Checks a safetensors file of any known family and loads it. A file (a `Blob`) is read in
    /// pieces and never as a whole, which only works in a worker. `config` is the text of the
    /// accompanying config.json, if any, for what cannot be inferred from the shapes.
    pub async fn load(
        engine: &Engine,
        #[wasm_bindgen(unchecked_param_type = "Blob | Uint8Array")] weights: JsValue,
        config: Option<String>,
    ) -> Result<Model, JsValue> {
        Weights::check(engine, weights, config)?.load(engine).await
    }

    /// Facts about the model.
    #[wasm_bindgen(getter, unchecked_return_type = "ModelFacts")]
    pub fn facts(&self) -> Result<JsValue, JsValue> {
        let config = self.codec.config();
        let hashes = self.codec.hashes();
        object(&ModelFacts {
            kind: config.kind(),
            family: self.family.to_string(),
            assumed: &self.assumed,
            prefix: &self.prefix,
            name: self.codec.name(),
            config,
            parameters: self.codec.parameters(),
            factor: config.factor(),
            grids: config.grids(),
            codebook_size: config.codes(),
            bits_per_token: crate::tokens::bits_for(config.codes() as u32),
            codebook_hash: hashes.codebook.to_string(),
            encoder_hash: hashes.encoder.to_string(),
            decoder_hash: hashes.decoder.to_string(),
            latent_scale: self
                .codec
                .latent_scale()
                .map(|LatentScale { scale, shift }| Scale { scale, shift }),
            max_pixels: self.codec.max_pixels(),
        })
    }

    /// Checks whether a picture of this size fits; fails with the code `image_too_large` if not.
    pub fn admit(&self, width: u32, height: u32) -> Result<(), JsValue> {
        Ok(self.codec.admit(width, height)?)
    }

    /// Encodes a picture to tokens.
    pub async fn encode(
        &self,
        picture: &Picture,
        #[wasm_bindgen(unchecked_optional_param_type = "Progress")] progress: Option<Function>,
    ) -> Result<Tokens, JsValue> {
        let mut watch = watch(progress);
        Ok(Tokens::new(
            self.codec.encode_with(picture.inner(), &mut watch).await?,
        ))
    }

    /// Encodes something between two pictures of the same size, `a` at a `share` of 0 and `b` at 1, by
    /// interpolating their latents.
    #[wasm_bindgen(js_name = encodeBetween)]
    pub async fn encode_between(
        &self,
        a: &Picture,
        b: &Picture,
        share: f32,
        #[wasm_bindgen(unchecked_optional_param_type = "Progress")] progress: Option<Function>,
    ) -> Result<Tokens, JsValue> {
        let mut watch = watch(progress);
        let (a, b) = (a.inner(), b.inner());
        let tokens = self.codec.encode_between_with(a, b, share, &mut watch);
        Ok(Tokens::new(tokens.await?))
    }

    /// One grid of this model's tokens, row-major, as those of a picture that it fills.
    pub fn tokens(&self, rows: u32, columns: u32, indices: Vec<u32>) -> Result<Tokens, JsValue> {
        let grid = Grid {
            rows,
            columns,
            indices,
        };
        Ok(Tokens::new(self.codec.tokens(grid)?))
    }

    /// Decodes tokens to a picture.
    pub async fn decode(
        &self,
        tokens: &Tokens,
        #[wasm_bindgen(unchecked_optional_param_type = "Progress")] progress: Option<Function>,
    ) -> Result<Picture, JsValue> {
        let mut watch = watch(progress);
        Ok(Picture::new(
            self.codec.decode_with(tokens.inner(), &mut watch).await?,
        ))
    }

    /// Decodes tokens with a decoder between this model's, at a `share` of 0, and `other`'s, at 1:
    /// two trainings of one decoder for the same codebook.
    #[wasm_bindgen(js_name = decodeBetween)]
    pub async fn decode_between(
        &self,
        other: &Model,
        share: f32,
        tokens: &Tokens,
        #[wasm_bindgen(unchecked_optional_param_type = "Progress")] progress: Option<Function>,
    ) -> Result<Picture, JsValue> {
        let mut watch = watch(progress);
        let tokens = tokens.inner();
        let picture = self
            .codec
            .decode_between_with(&other.codec, share, tokens, &mut watch);
        Ok(Picture::new(picture.await?))
    }

    /// Encodes a picture to latents with a model that has no codebook: the posterior means, or,
    /// given the seed `sample`, a random sample.
    #[wasm_bindgen(js_name = encodeLatents)]
    pub async fn encode_latents(
        &self,
        picture: &Picture,
        sample: Option<u32>,
        #[wasm_bindgen(unchecked_optional_param_type = "Progress")] progress: Option<Function>,
    ) -> Result<Latents, JsValue> {
        let mut watch = watch(progress);
        let posterior = sample.map_or(Posterior::Mean, |seed| Posterior::Sample(seed.into()));
        let picture = picture.inner();
        let latents = self
            .codec
            .encode_latents_with(picture, posterior, &mut watch);
        Ok(Latents::new(latents.await?))
    }

    /// Decodes latents to a picture.
    #[wasm_bindgen(js_name = decodeLatents)]
    pub async fn decode_latents(
        &self,
        latents: &Latents,
        #[wasm_bindgen(unchecked_optional_param_type = "Progress")] progress: Option<Function>,
    ) -> Result<Picture, JsValue> {
        let mut watch = watch(progress);
        let latents = latents.inner();
        let picture = self.codec.decode_latents_with(latents, &mut watch);
        Ok(Picture::new(picture.await?))
    }

    /// Reconstructs a picture: through tokens, or, without a codebook, through the mean of the
    /// posterior or a sample of it with the seed `sample`.
    pub async fn reconstruct(
        &self,
        picture: &Picture,
        sample: Option<u32>,
        #[wasm_bindgen(unchecked_optional_param_type = "Progress")] progress: Option<Function>,
    ) -> Result<Picture, JsValue> {
        let mut watch = watch(progress);
        let sample = sample.map(u64::from);
        let rebuilt = self
            .codec
            .reconstruct_with(picture.inner(), sample, &mut watch);
        Ok(Picture::new(rebuilt.await?))
    }

    /// A warning if these tokens were made for a different decoder.
    pub fn warning(&self, tokens: &Tokens) -> Option<String> {
        self.codec.warning(tokens.inner()).map(str::to_owned)
    }

    /// The `count` codes nearest to each latent of a picture of up to 4,096 tokens.
    #[wasm_bindgen(unchecked_return_type = "Nearest")]
    pub async fn nearest(&self, picture: &Picture, count: usize) -> Result<JsValue, JsValue> {
        let nearest = self.codec.nearest(picture.inner(), count).await?;
        object(&Nearest {
            rows: nearest.rows,
            columns: nearest.columns,
            count: nearest.count,
            codes: nearest.codes,
            distances: nearest.distances,
        })
    }

    /// An RGB colour (three bytes) for each code of a grid; similar codes get similar colours.
    pub async fn palette(&self, grid: usize) -> Result<Vec<u8>, JsValue> {
        Ok(self.codec.palette(grid).await?)
    }
}

impl Model {
    pub(super) fn codec(&self) -> &Codec {
        &self.codec
    }
}

/// Reports progress to JavaScript, after yielding to its event loop so that a cancel can arrive.
fn watch(progress: Option<Function>) -> impl AsyncFnMut(Phase, usize, usize) -> bool {
    async move |stage, done, total| {
        clock::breathe().await;
        let Some(progress) = &progress else {
            return true;
        };
        let stage = match stage {
            Phase::Encode => "encode",
            Phase::Decode => "decode",
        };
        // A callback that throws cancels the work, as one that returns false does.
        progress
            .call3(
                &JsValue::NULL,
                &stage.into(),
                &(done as f64).into(),
                &(total as f64).into(),
            )
            .is_ok_and(|answer| answer != JsValue::FALSE)
    }
}
