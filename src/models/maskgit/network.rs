use burn::module::{Module, Param};
use burn::nn::{Initializer, RmsNorm, RmsNormConfig};
use burn::tensor::{Device, Int, Tensor};

use super::MaskGitConfig;
use crate::models::{Masked, Predict, Predictor};
use crate::nn::transformer::{
    Linear, Modulation, SwiGlu, Table, attention, merge_heads, rms, split_heads,
};

const EPSILON: f64 = 1e-5;

/// A bidirectional transformer that predicts masked tokens.
///
/// Tokens and positions are added; a register, a learned vector without a position, follows them.
/// The class only modulates the layers. Names are Halton-MaskGIT's, except that its `mlp.1` is
/// `modulation.linear` here; the head shares the tokens' vectors.
///
/// Source: Besnier et al. 2025, <https://arxiv.org/abs/2503.17076>; valeoai/Halton-MaskGIT
/// `Network/transformer.py`.
#[derive(Module, Debug)]
pub struct MaskGit {
    cls_emb: Table,
    tok_emb: Table,
    pos_emb: Table,
    reg_tokens: Table,
    transformer: Layers,
    last_norm: LastNorm,
    head: Head,
}

/// The stack of layers.
#[derive(Module, Debug)]
pub struct Layers {
    layers: Vec<Layer>,
}

/// Attention and a gated feed-forward layer, each modulated by the class.
#[derive(Module, Debug)]
pub struct Layer {
    modulation: Modulation,
    ln1: RmsNorm,
    attn: Attention,
    ln2: RmsNorm,
    ff: SwiGlu,
}

/// Attention over all positions, with queries and keys normalised over all heads together.
#[derive(Module, Debug)]
pub struct Attention {
    wq: Linear,
    wk: Linear,
    wv: Linear,
    wo: Linear,
    heads: usize,
}

/// The normalisation before the head, modulated by the class.
#[derive(Module, Debug)]
pub struct LastNorm {
    norm_final: FinalNorm,
    modulation: Modulation,
}

/// Division by the root mean square, then a learned scale and, unlike [`RmsNorm`], a shift.
#[derive(Module, Debug)]
pub struct FinalNorm {
    weight: Param<Tensor<1>>,
    bias: Param<Tensor<1>>,
}

/// What the head has of its own: its weights are the tokens' vectors.
#[derive(Module, Debug)]
pub struct Head {
    bias: Param<Tensor<1>>,
}

impl MaskGit {
    /// Builds with random weights.
    pub fn new(config: &MaskGitConfig, device: &Device) -> Self {
        let (width, tokens) = (config.width, config.rows * config.columns);
        let layer = |_| Layer::new(config, device);
        Self {
            cls_emb: Table::new(config.classes + 1, width, device),
            tok_emb: Table::new(config.codes + 1, width, device),
            pos_emb: Table::new(tokens, width, device),
            reg_tokens: Table::new(1, width, device),
            transformer: Layers {
                layers: (0..config.layers).map(layer).collect(),
            },
            last_norm: LastNorm {
                norm_final: FinalNorm {
                    weight: Initializer::Ones.init([width], device),
                    bias: Initializer::Zeros.init([width], device),
                },
                modulation: Modulation::new(width, 2, device),
            },
            head: Head {
                bias: Initializer::Zeros.init([config.codes + 1], device),
            },
        }
    }
}

impl Masked for MaskGit {
    fn logits(&self, tokens: Tensor<2, Int>, classes: Tensor<1, Int>) -> Tensor<3> {
        let [batch, count] = tokens.dims();
        let condition = self.cls_emb.rows(classes);
        let width = condition.dims()[1];
        let register = self.reg_tokens.all().unsqueeze::<3>();
        let x = self.tok_emb.forward(tokens) + self.pos_emb.all().unsqueeze::<3>();
        let x = Tensor::cat(vec![x, register.expand([batch, 1, width])], 1);
        let layers = self.transformer.layers.iter();
        let x = layers.fold(x, |x, layer| layer.forward(x, condition.clone()));
        let x = self.last_norm.forward(x.narrow(1, 0, count), condition);
        self.tok_emb.products(x) + self.head.bias.val().unsqueeze()
    }
}

impl Predict for MaskGit {
    fn predictor(&self) -> Predictor<'_> {
        Predictor::Masked(self)
    }
}

impl Layer {
    fn new(config: &MaskGitConfig, device: &Device) -> Self {
        let width = config.width;
        let norm = || RmsNormConfig::new(width).with_epsilon(EPSILON).init(device);
        Self {
            modulation: Modulation::new(width, 6, device),
            ln1: norm(),
            attn: Attention::new(config, device),
            ln2: norm(),
            ff: SwiGlu::new(width, config.hidden, device),
        }
    }

    fn forward(&self, x: Tensor<3>, condition: Tensor<2>) -> Tensor<3> {
        let [shift, scale, gate, ff_shift, ff_scale, ff_gate] =
            self.modulation.forward::<6>(condition);
        let h = modulate(self.ln1.forward(x.clone()), shift, scale);
        let x = x + gate * self.attn.forward(h);
        let h = modulate(self.ln2.forward(x.clone()), ff_shift, ff_scale);
        x + ff_gate * self.ff.forward(h)
    }
}

impl LastNorm {
    fn forward(&self, x: Tensor<3>, condition: Tensor<2>) -> Tensor<3> {
        let [shift, scale] = self.modulation.forward::<2>(condition);
        let FinalNorm { weight, bias } = &self.norm_final;
        let x = rms(x, EPSILON) * weight.val().unsqueeze() + bias.val().unsqueeze();
        modulate(x, shift, scale)
    }
}

impl Attention {
    fn new(config: &MaskGitConfig, device: &Device) -> Self {
        let (width, all) = (config.width, config.heads * config.head_width());
        Self {
            wq: Linear::new(width, all, device),
            wk: Linear::new(width, all, device),
            wv: Linear::new(width, all, device),
            wo: Linear::new(all, width, device),
            heads: config.heads,
        }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let split = |x| split_heads(x, self.heads);
        let q = split(rms(self.wq.forward(x.clone()), EPSILON));
        let k = split(rms(self.wk.forward(x.clone()), EPSILON));
        let v = split(self.wv.forward(x));
        self.wo.forward(merge_heads(attention(q, k, v, false)))
    }
}

/// x · (1 + scale) + shift.
fn modulate(x: Tensor<3>, shift: Tensor<3>, scale: Tensor<3>) -> Tensor<3> {
    x * (scale + 1.0) + shift
}
