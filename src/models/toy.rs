//! A model kind for tests only: shows that a new kind takes just its own file and one line in a
//! list. Its embedding table is not square and its layers are a transformer's, not an
//! autoencoder's.

use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor};
use serde::{Deserialize, Serialize};

use super::{Kind, Part};
use crate::error::Result;
use crate::fields::within;

/// Predicts the next word from the current one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToyConfig {
    /// Number of words.
    pub words: usize,
    /// Width of a word's embedding.
    pub width: usize,
}

#[derive(Module, Debug)]
pub struct Toy {
    table: Embedding,
    score: Linear,
}

impl Toy {
    /// Logits `[batch, words]` of the word that follows each of `words`, `[batch]`.
    pub fn forward(&self, words: Tensor<1, Int>) -> Tensor<2> {
        let vectors = self.table.forward(words.unsqueeze());
        self.score.forward(vectors).squeeze_dim(0)
    }
}

impl Kind for ToyConfig {
    const NAME: &'static str = "toy";
    type Network = Toy;

    fn example() -> Self {
        Self { words: 5, width: 3 }
    }

    fn presets() -> Vec<(&'static str, Self)> {
        vec![("toy", Self::example())]
    }

    fn validate(&self) -> Result<()> {
        within("words", self.words, 100)?;
        within("width", self.width, 100)
    }

    fn network(&self, device: &Device) -> Result<Toy> {
        Ok(Toy {
            table: EmbeddingConfig::new(self.words, self.width).init(device),
            score: LinearConfig::new(self.width, self.words).init(device),
        })
    }

    fn part(tensor: &str) -> Option<Part> {
        tensor.starts_with("score").then_some(Part::Decoder)
    }
}
