use wasm_bindgen::prelude::*;

use super::{Engine, Generator, Picture, clock, parsed};
use crate::error::Error;
use crate::generate::{self, Origin, PictureOptions};

/// Makes the pictures of a generator, step by step.
#[wasm_bindgen]
#[derive(Debug)]
pub struct PictureSampler {
    inner: generate::PictureSampler,
}

#[wasm_bindgen]
impl PictureSampler {
    /// Begins with noise by the options' seed, or with `noise`, the numbers of each picture after the
    /// other, or with `start`, a picture, which is freed; omitted options take their defaults.
    pub fn begin(
        engine: &Engine,
        generator: &Generator,
        #[wasm_bindgen(unchecked_param_type = "PictureOptions")] options: JsValue,
        noise: Option<Vec<f32>>,
        start: Option<Picture>,
    ) -> Result<PictureSampler, JsValue> {
        let options: PictureOptions = parsed(&options)?;
        let origin = match (noise, start) {
            (None, None) => Origin::Seed,
            (Some(values), None) => Origin::Noise(values),
            (None, Some(picture)) => Origin::Picture(picture.into_inner()),
            (Some(_), Some(_)) => {
                let told = "Either noise or a picture is given to start from, not both";
                return Err(Error::Argument(told.to_owned()).into());
            }
        };
        let loaded = generator.loaded();
        let (network, device) = (loaded.network.clone(), engine.device());
        let sampler =
            generate::PictureSampler::begin(network, &loaded.config, options, origin, device)?;
        Ok(Self { inner: sampler })
    }

    /// Number of steps.
    #[wasm_bindgen(getter)]
    pub fn steps(&self) -> usize {
        self.inner.steps()
    }

    /// Steps done so far.
    #[wasm_bindgen(getter)]
    pub fn done(&self) -> usize {
        self.inner.done()
    }

    /// Takes the next step, for all pictures.
    pub async fn step(&mut self) {
        clock::breathe().await;
        self.inner.step();
    }

    /// The pictures so far; of a generator that takes one step, only after it.
    pub async fn pictures(&self) -> Result<Vec<Picture>, JsValue> {
        let pictures = self.inner.pictures().await?;
        Ok(pictures.into_iter().map(Picture::new).collect())
    }
}
