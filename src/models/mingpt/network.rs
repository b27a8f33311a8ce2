use burn::module::{Module, Param};
use burn::nn::{Initializer, LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Int, Tensor};

use super::MinGptConfig;
use crate::models::{Predict, Predictor, Raster};
use crate::nn::transformer::{
    Cache, FeedForward, KeyValues, Linear, Table, attention, merge_heads, split_heads,
};

/// A causal transformer over the condition, then the tokens row by row. Names are
/// taming-transformers', except that its `mlp.0` and `mlp.2` are `mlp.up` and `mlp.down` here.
///
/// Source: taming-transformers `modules/transformer/mingpt.py`.
#[derive(Module, Debug)]
pub struct MinGpt {
    tok_emb: Table,
    /// `[1, block, width]`.
    pos_emb: Param<Tensor<3>>,
    blocks: Vec<Block>,
    ln_f: LayerNorm,
    head: Linear,
}

/// Attention and a feed-forward layer.
#[derive(Module, Debug)]
pub struct Block {
    ln1: LayerNorm,
    attn: Attention,
    ln2: LayerNorm,
    mlp: FeedForward,
}

/// Causal attention.
#[derive(Module, Debug)]
pub struct Attention {
    key: Linear,
    query: Linear,
    value: Linear,
    proj: Linear,
    heads: usize,
}

impl MinGpt {
    /// Builds with random weights.
    pub fn new(config: &MinGptConfig, device: &Device) -> Self {
        let width = config.width;
        let norm = || LayerNormConfig::new(width).init(device);
        let projection = || Linear::with_bias(width, width, device);
        let block = |_| Block {
            ln1: norm(),
            attn: Attention {
                key: projection(),
                query: projection(),
                value: projection(),
                proj: projection(),
                heads: config.heads,
            },
            ln2: norm(),
            mlp: FeedForward::new(width, 4 * width, device),
        };
        Self {
            tok_emb: Table::new(config.codes, width, device),
            pos_emb: Initializer::Zeros.init([1, config.block, width], device),
            blocks: (0..config.layers).map(block).collect(),
            ln_f: norm(),
            head: Linear::new(width, config.codes, device),
        }
    }
}

impl Raster for MinGpt {
    fn embed_classes(&self, classes: Tensor<1, Int>) -> Tensor<3> {
        self.embed_tokens(classes.unsqueeze_dim(1))
    }

    fn embed_tokens(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        self.tok_emb.forward(tokens)
    }

    fn next(&self, x: Tensor<3>, cache: &mut Cache) -> Tensor<3> {
        let count = x.dims()[1];
        let positions = self.pos_emb.val().narrow(1, cache.advance(count), count);
        let blocks = self.blocks.iter().enumerate();
        let x = blocks.fold(x + positions, |x, (i, block)| {
            block.forward(x, cache.layer(i))
        });
        self.head.forward(self.ln_f.forward(x))
    }
}

impl Predict for MinGpt {
    fn predictor(&self) -> Predictor<'_> {
        Predictor::Raster(self)
    }
}

impl Block {
    fn forward(&self, x: Tensor<3>, before: &mut KeyValues) -> Tensor<3> {
        let h = self.ln1.forward(x.clone());
        let x = x + self.attn.forward(h, before);
        let h = self.ln2.forward(x.clone());
        x + self.mlp.forward(h)
    }
}

impl Attention {
    fn forward(&self, x: Tensor<3>, before: &mut KeyValues) -> Tensor<3> {
        let split = |x| split_heads(x, self.heads);
        let q = split(self.query.forward(x.clone()));
        let k = split(self.key.forward(x.clone()));
        let v = split(self.value.forward(x));
        let [k, v] = before.extend(k, v);
        self.proj.forward(merge_heads(attention(q, k, v, true)))
    }
}
