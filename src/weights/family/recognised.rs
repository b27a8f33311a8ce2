use std::collections::BTreeMap;
use std::fmt;

use crate::models::ModelConfig;

/// Origin of a weight file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// This project's format, with the config in the header.
    Tesserae,
    /// taming-transformers `VQModel` and `GumbelVQ`, and latent-diffusion's VQ and KL first stages,
    /// which use the same names.
    Taming,
    /// diffusers `VQModel` and `AutoencoderKL`.
    Diffusers,
    /// LlamaGen's and Janus's tokenizers.
    LlamaGen,
    /// open-muse's port of MaskGIT's tokenizer.
    MaskGit,
    /// MAGE's port of MaskGIT's tokenizer.
    Mage,
    /// rosinality's VQ-VAE-2.
    Rosinality,
    /// Halton-MaskGIT's prior.
    Halton,
    /// LlamaGen's class-conditional prior.
    LlamaGenPrior,
    /// The prior of a taming-transformers `Net2NetTransformer`.
    MinGpt,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tesserae => "tesserae",
            Self::Taming => "taming-transformers or latent-diffusion",
            Self::Diffusers => "diffusers",
            Self::LlamaGen => "LlamaGen",
            Self::MaskGit => "open-muse MaskGIT-VQGAN",
            Self::Mage => "MAGE",
            Self::Rosinality => "rosinality's VQ-VAE-2",
            Self::Halton => "Halton-MaskGIT",
            Self::LlamaGenPrior => "LlamaGen's prior",
            Self::MinGpt => "taming-transformers' transformer",
        })
    }
}

/// A recognised weight file: its family and config, and which of its tensors the model uses.
#[derive(Debug)]
pub struct Recognised {
    /// Origin of the file.
    pub family: Family,
    /// Config of the model in the file.
    pub config: ModelConfig,
    /// Config fields that neither the shapes nor the file determine; they are set to the family's
    /// published values.
    pub assumed: Vec<&'static str>,
    /// Maps the model's tensor names to the file's.
    pub names: BTreeMap<String, String>,
    /// Tensors that are not part of the autoencoder: losses, discriminators, averages, the rest of
    /// a larger checkpoint.
    pub aside: Vec<String>,
    /// Common prefix of its tensor names; usually empty. Training scripts wrap models in others,
    /// and larger checkpoints store them next to others.
    pub prefix: String,
    /// Prefixes of other autoencoders in the file, such as the one that this is an EMA of.
    pub others: Vec<String>,
}
