use super::llamagen::{LlamaGen, LlamaGenConfig};
use super::maskgit::{MaskGit, MaskGitConfig};
use super::mingpt::{MinGpt, MinGptConfig};
use super::{Predict, Vocabulary};

super::kind::one_of! {
    /// The config of any prior over tokens; the common interface is [`Vocabulary`].
    config PriorConfig is Vocabulary,
    /// Any prior over tokens; the common interface is [`Predict`].
    network Prior is Predict,
    /// Halton-MaskGIT's transformer (Besnier et al. 2025, <https://arxiv.org/abs/2503.17076>).
    MaskGit(MaskGitConfig => MaskGit),
    /// LlamaGen's transformer (Sun et al. 2024, <https://arxiv.org/abs/2406.06525>).
    LlamaGen(LlamaGenConfig => LlamaGen),
    /// taming-transformers' minGPT (Esser et al. 2021, <https://arxiv.org/abs/2012.09841>).
    MinGpt(MinGptConfig => MinGpt),
}
