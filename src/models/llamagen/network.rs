use burn::module::Module;
use burn::nn::{RmsNorm, RmsNormConfig};
use burn::tensor::{Device, Int, Tensor};

use super::LlamaGenConfig;
use crate::models::{Predict, Predictor, Raster};
use crate::nn::transformer::{
    Cache, KeyValues, Linear, Rotary, SwiGlu, Table, attention, merge_heads, rotate, split_heads,
};

const EPSILON: f64 = 1e-5;

/// A causal transformer over the class, then the tokens row by row. Names are LlamaGen's.
///
/// Source: Sun et al. 2024, <https://arxiv.org/abs/2406.06525>; FoundationVision/LlamaGen
/// `autoregressive/models/gpt.py`.
#[derive(Module, Debug)]
pub struct LlamaGen {
    cls_embedding: Classes,
    tok_embeddings: Table,
    layers: Vec<Layer>,
    norm: RmsNorm,
    output: Linear,
    columns: usize,
    head_width: usize,
}

/// The classes' vectors, and one for no class.
#[derive(Module, Debug)]
pub struct Classes {
    embedding_table: Table,
}

/// Attention and a gated feed-forward layer.
#[derive(Module, Debug)]
pub struct Layer {
    attention_norm: RmsNorm,
    attention: Attention,
    ffn_norm: RmsNorm,
    feed_forward: SwiGlu,
}

/// Causal attention with rotary positions; one matrix for queries, keys and values.
#[derive(Module, Debug)]
pub struct Attention {
    wqkv: Linear,
    wo: Linear,
    heads: usize,
}

fn norm(width: usize, device: &Device) -> RmsNorm {
    RmsNormConfig::new(width).with_epsilon(EPSILON).init(device)
}

impl LlamaGen {
    /// Builds with random weights.
    pub fn new(config: &LlamaGenConfig, device: &Device) -> Self {
        let width = config.width;
        let layer = |_| Layer {
            attention_norm: norm(width, device),
            attention: Attention {
                wqkv: Linear::new(width, 3 * width, device),
                wo: Linear::new(width, width, device),
                heads: config.heads,
            },
            ffn_norm: norm(width, device),
            feed_forward: SwiGlu::new(width, config.hidden, device),
        };
        Self {
            cls_embedding: Classes {
                embedding_table: Table::new(config.classes + 1, width, device),
            },
            tok_embeddings: Table::new(config.codes, width, device),
            layers: (0..config.layers).map(layer).collect(),
            norm: norm(width, device),
            output: Linear::new(width, config.codes, device),
            columns: config.columns,
            head_width: width / config.heads.max(1),
        }
    }
}

impl Raster for LlamaGen {
    fn embed_classes(&self, classes: Tensor<1, Int>) -> Tensor<3> {
        let table = &self.cls_embedding.embedding_table;
        table.rows(classes).unsqueeze_dim(1)
    }

    fn embed_tokens(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        self.tok_embeddings.forward(tokens)
    }

    fn next(&self, x: Tensor<3>, cache: &mut Cache) -> Tensor<3> {
        let count = x.dims()[1];
        let rotary = Rotary {
            conditions: 1,
            columns: self.columns,
            width: self.head_width,
        };
        let table = rotary.table(cache.advance(count), count, &x.device());
        let layers = self.layers.iter().enumerate();
        let x = layers.fold(x, |x, (i, layer)| layer.forward(x, &table, cache.layer(i)));
        self.output.forward(self.norm.forward(x))
    }
}

impl Predict for LlamaGen {
    fn predictor(&self) -> Predictor<'_> {
        Predictor::Raster(self)
    }
}

impl Layer {
    fn forward(&self, x: Tensor<3>, table: &[Tensor<5>; 2], before: &mut KeyValues) -> Tensor<3> {
        let h = self.attention_norm.forward(x.clone());
        let x = x + self.attention.forward(h, table, before);
        let h = self.ffn_norm.forward(x.clone());
        x + self.feed_forward.forward(h)
    }
}

impl Attention {
    fn forward(&self, x: Tensor<3>, table: &[Tensor<5>; 2], before: &mut KeyValues) -> Tensor<3> {
        let width = x.dims()[2];
        let all = self.wqkv.forward(x);
        let [q, k, v] =
            [0, 1, 2].map(|i| split_heads(all.clone().narrow(2, i * width, width), self.heads));
        let [k, v] = before.extend(rotate(k, table), v);
        let h = attention(rotate(q, table), k, v, true);
        self.wo.forward(merge_heads(h))
    }
}
