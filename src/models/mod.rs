//! The models, assembled from layers and quantizers. Each kind has a folder with its config, its
//! network and its compute cost, and is registered with one line: in `autoencoder.rs` for
//! autoencoders, in `prior.rs` for priors over tokens, otherwise here.

mod autoencode;
mod autoencoder;
pub mod diffusion;
pub mod gan;
mod generate;
mod generator;
mod geometry;
mod kind;
pub mod kl;
pub mod llamagen;
pub mod maskgit;
pub mod mingpt;
mod predict;
mod prior;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod toy;
pub mod vae;
mod vocabulary;
pub mod vqgan;
pub mod vqvae;
pub mod vqvae2;

pub use autoencode::{Autoencode, Pass, Quantizer};
pub use autoencoder::{Autoencoder, AutoencoderConfig};
pub use gan::{Gan, GanConfig};
pub(crate) use generate::makes_pictures;
pub use generate::{Decode, Denoise, Encode, Generate, Generated, Method};
pub use generator::{Generator, GeneratorConfig};
pub use geometry::{Geometry, LatentScale};
pub use kind::{Config, Kind, Part};

pub use diffusion::{Diffusion, DiffusionConfig};
pub use kl::{Kl, KlConfig};
pub use llamagen::{LlamaGen, LlamaGenConfig};
pub use maskgit::{MaskGit, MaskGitConfig};
pub use mingpt::{MinGpt, MinGptConfig};
pub use predict::{Masked, Predict, Predictor, Raster};
pub use prior::{Prior, PriorConfig};
pub use vae::{Vae, VaeConfig};
pub use vocabulary::{Order, Vocabulary};
pub use vqgan::{QuantizerKind, VqGan, VqGanConfig};
pub use vqvae::{VqVae, VqVaeConfig};
pub use vqvae2::{VqVae2, VqVae2Config};

use crate::error::{Error, Result};

kind::one_of! {
    /// The config of any model in this crate, shared as JSON by the command line, weight files and
    /// JavaScript: a flat object whose field `kind` selects the type.
    ///
    /// # Examples
    /// ```
    /// # use tesserae::ModelConfig;
    /// # fn main() -> tesserae::Result<()> {
    /// let json = ModelConfig::preset("photos-f8")?.to_json()?;
    /// let config = ModelConfig::from_json(&json)?;
    /// assert_eq!((config.kind(), config.autoencoder()?.factor()), ("vqgan", 8));
    /// let error = ModelConfig::from_json(r#"{"kind": "vqvae", "hiden": 128}"#).unwrap_err();
    /// assert!(error.to_string().contains("unknown field `hiden`"));
    /// # Ok(())
    /// # }
    /// ```
    config ModelConfig,
    /// Any model in this crate.
    network Model,
    /// Image to latents and back.
    Autoencoder(AutoencoderConfig => Autoencoder),
    /// How likely tokens are.
    Prior(PriorConfig => Prior),
    /// Noise to picture.
    Generator(GeneratorConfig => Generator),
    /// For tests that every kind goes through.
    #[cfg(test)]
    Toy(toy::ToyConfig => toy::Toy),
}

impl ModelConfig {
    /// The config of an autoencoder.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] for a model of another kind.
    pub fn autoencoder(&self) -> Result<&AutoencoderConfig> {
        match self {
            Self::Autoencoder(config) => Ok(config),
            other => Err(no_autoencoder(other.kind())),
        }
    }

    /// The config of a generator.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] for a model of another kind.
    pub fn generator(&self) -> Result<&GeneratorConfig> {
        match self {
            Self::Generator(config) => Ok(config),
            other => Err(no_generator(other.kind())),
        }
    }

    /// The config of a prior.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] for a model of another kind.
    pub fn prior(&self) -> Result<&PriorConfig> {
        match self {
            Self::Prior(config) => Ok(config),
            other => Err(no_prior(other.kind())),
        }
    }
}

impl From<GeneratorConfig> for ModelConfig {
    fn from(config: GeneratorConfig) -> Self {
        Self::Generator(config)
    }
}

impl From<PriorConfig> for ModelConfig {
    fn from(config: PriorConfig) -> Self {
        Self::Prior(config)
    }
}

impl From<AutoencoderConfig> for ModelConfig {
    fn from(config: AutoencoderConfig) -> Self {
        Self::Autoencoder(config)
    }
}

/// The error when a generator is required.
pub(crate) fn no_generator(kind: &str) -> Error {
    Error::WeightsMismatch(format!(
        "a generator of pictures is needed, but this is a `{kind}`"
    ))
}

/// The error when an autoencoder is required.
pub(crate) fn no_autoencoder(kind: &str) -> Error {
    Error::WeightsMismatch(format!("an autoencoder is needed, but this is a `{kind}`"))
}

/// The error when a prior is required.
pub(crate) fn no_prior(kind: &str) -> Error {
    Error::WeightsMismatch(format!(
        "a prior over tokens is needed, but this is a `{kind}`"
    ))
}
