use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use serde::{Deserialize, Serialize};

use super::cost::conv as conv_macs;
use super::resample::double;
use super::transformer::{Linear, Table};
use super::{AttnBlock, Conv2d, GroupNorm, Norm, Normalise, conv};
use crate::error::{Error, Result};
use crate::fields::{MAX_CODES, MAX_LAYERS, MAX_LEVELS, MAX_WIDTH, within};
use crate::kernels::silu;

/// diffusers' ε of the group normalisations.
const EPSILON: f64 = 1e-5;
/// Times from 0 to 1 are embedded as steps of this many.
const STEPS: f32 = 1000.0;
/// The longest period of the times' embedding, in steps.
const PERIOD: f32 = 10_000.0;

/// Configuration of a [`UNet`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UNetConfig {
    /// Channels of input and output.
    pub channels: usize,
    /// Number of classes; 0 for an unconditional network.
    #[serde(default)]
    pub classes: usize,
    /// Channels of the outermost level.
    pub width: usize,
    /// Channels of each level, outermost first, in multiples of `width`; each level after the first
    /// has half the sides.
    pub multipliers: Vec<usize>,
    /// Residual blocks of each level on the way down; on the way up there is one more.
    pub blocks: usize,
    /// Whether the innermost level attends over all of its positions.
    #[serde(default)]
    pub attention: bool,
    /// Groups of the group normalisations.
    pub groups: usize,
}

impl UNetConfig {
    fn widths(&self) -> Vec<usize> {
        self.multipliers.iter().map(|m| m * self.width).collect()
    }

    /// Checks that a network can be built for pictures of this side.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] names the field.
    pub fn validate(&self, side: usize) -> Result<()> {
        let invalid = |message: String| Err(Error::ConfigInvalid(message));
        within("channels", self.channels, MAX_WIDTH)?;
        within("classes", self.classes.saturating_add(1), MAX_CODES)?;
        within("width", self.width, MAX_WIDTH)?;
        within("multipliers", self.multipliers.len(), MAX_LEVELS)?;
        within("blocks", self.blocks, MAX_LAYERS)?;
        within("groups", self.groups, self.width)?;
        for multiplier in &self.multipliers {
            within("multipliers", *multiplier, MAX_WIDTH / self.width)?;
        }
        if !self.width.is_multiple_of(self.groups) {
            let (width, groups) = (self.width, self.groups);
            return invalid(format!(
                "`width` is {width}, not a multiple of `groups`, {groups}"
            ));
        }
        if !self.width.is_multiple_of(2) {
            return invalid(format!("`width` is {}, which is odd", self.width));
        }
        let halvings = self.multipliers.len() - 1;
        if !side.is_multiple_of(1 << halvings) {
            return invalid(format!(
                "a side of {side} cannot be halved {halvings} times"
            ));
        }
        Ok(())
    }
}

/// A U-Net that sees a time and a class. Names and layers are those of diffusers' `UNet2DModel`,
/// except that its one attention is `mid_block.attention` here, with this crate's names.
///
/// Source: Ho et al. 2020, <https://arxiv.org/abs/2006.11239>; diffusers `unets/unet_2d.py`.
#[derive(Module, Debug)]
pub struct UNet {
    conv_in: Conv2d,
    time_embedding: TimeEmbedding,
    class_embedding: Table,
    down_blocks: Vec<DownBlock>,
    mid_block: MidBlock,
    up_blocks: Vec<UpBlock>,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
    width: usize,
}

/// Two linear layers after the sines and cosines of a time.
#[derive(Module, Debug)]
pub struct TimeEmbedding {
    linear_1: Linear,
    linear_2: Linear,
}

/// Residual blocks, then half the sides, except on the innermost level.
#[derive(Module, Debug)]
pub struct DownBlock {
    resnets: Vec<TimedBlock>,
    downsamplers: Vec<Resampler>,
}

/// Two residual blocks, with attention between them if the config says so.
#[derive(Module, Debug)]
pub struct MidBlock {
    resnets: Vec<TimedBlock>,
    attention: Option<AttnBlock>,
}

/// Residual blocks over what the way down left, then twice the sides, except on the outermost level.
#[derive(Module, Debug)]
pub struct UpBlock {
    resnets: Vec<TimedBlock>,
    upsamplers: Vec<Resampler>,
}

/// The convolution of a change of resolution.
#[derive(Module, Debug)]
pub struct Resampler {
    conv: Conv2d,
}

/// A residual block to which a vector of the time and the class is added.
#[derive(Module, Debug)]
pub struct TimedBlock {
    norm1: GroupNorm,
    conv1: Conv2d,
    time_emb_proj: Linear,
    norm2: GroupNorm,
    conv2: Conv2d,
    /// 1×1; present only if the number of channels changes.
    conv_shortcut: Option<Conv2d>,
}

impl UNet {
    /// Builds with random weights; the config must have been validated.
    pub fn new(config: &UNetConfig, device: &Device) -> Self {
        let (first, embedded) = (config.width, 4 * config.width);
        let widths = config.widths();
        let innermost = widths.last().copied().unwrap_or(first);
        let norm = Norm {
            groups: config.groups,
            eps: EPSILON,
        };
        let block = |from, to| TimedBlock::new(from, to, embedded, norm, device);
        let mut skips = vec![first];
        let mut down_blocks = Vec::with_capacity(widths.len());
        let mut from = first;
        for (level, &width) in widths.iter().enumerate() {
            let mut resnets = Vec::with_capacity(config.blocks);
            for _ in 0..config.blocks {
                resnets.push(block(from, width));
                skips.push(width);
                from = width;
            }
            let mut downsamplers = Vec::new();
            if level + 1 < widths.len() {
                let conv = Conv2d::new([width, width], [3, 3], 2, [(1, 1); 2], device);
                downsamplers.push(Resampler { conv });
                skips.push(width);
            }
            down_blocks.push(DownBlock {
                resnets,
                downsamplers,
            });
        }
        let mut up_blocks = Vec::with_capacity(widths.len());
        for (level, &width) in widths.iter().enumerate().rev() {
            let mut resnets = Vec::with_capacity(config.blocks + 1);
            for _ in 0..=config.blocks {
                let skip = skips.pop().unwrap_or_default();
                resnets.push(block(from + skip, width));
                from = width;
            }
            let mut upsamplers = Vec::new();
            if level > 0 {
                let conv = conv(width, width, 3, device);
                upsamplers.push(Resampler { conv });
            }
            up_blocks.push(UpBlock {
                resnets,
                upsamplers,
            });
        }
        Self {
            conv_in: conv(config.channels, first, 3, device),
            time_embedding: TimeEmbedding {
                linear_1: Linear::uniform(first, embedded, device),
                linear_2: Linear::uniform(embedded, embedded, device),
            },
            class_embedding: Table::normal(config.classes + 1, embedded, device),
            down_blocks,
            mid_block: MidBlock {
                resnets: vec![block(innermost, innermost), block(innermost, innermost)],
                attention: config
                    .attention
                    .then(|| AttnBlock::new(innermost, norm, device)),
            },
            up_blocks,
            conv_norm_out: norm.init(first, device),
            conv_out: conv(first, config.channels, 3, device),
            width: first,
        }
    }

    /// # Shapes
    /// - `x` and output: `[batch, channels, side, side]`
    /// - `times`: `[batch]`, from 0 to 1
    /// - `classes`: `[batch]`
    pub fn forward(&self, x: Tensor<4>, times: Tensor<1>, classes: Tensor<1, Int>) -> Tensor<4> {
        let TimeEmbedding { linear_1, linear_2 } = &self.time_embedding;
        let waves = waves(times.mul_scalar(STEPS), self.width);
        let embedded = linear_2.forward(silu(linear_1.forward(waves)));
        // Every block applies the same activation to it.
        let embedded = silu(embedded + self.class_embedding.rows(classes));
        let mut h = self.conv_in.forward(x);
        let mut skips = vec![h.clone()];
        for level in &self.down_blocks {
            for block in &level.resnets {
                h = block.forward(h, embedded.clone());
                skips.push(h.clone());
            }
            for sampler in &level.downsamplers {
                h = sampler.conv.forward(h);
                skips.push(h.clone());
            }
        }
        for (index, block) in self.mid_block.resnets.iter().enumerate() {
            if let (1, Some(attention)) = (index, &self.mid_block.attention) {
                h = attention.forward(h);
            }
            h = block.forward(h, embedded.clone());
        }
        for level in &self.up_blocks {
            for block in &level.resnets {
                let joined = skips.pop().into_iter();
                h = Tensor::cat([h].into_iter().chain(joined).collect(), 1);
                h = block.forward(h, embedded.clone());
            }
            for sampler in &level.upsamplers {
                h = sampler.conv.forward(double(h));
            }
        }
        self.conv_out.forward(silu(self.conv_norm_out.forward(h)))
    }
}

impl TimedBlock {
    fn new(from: usize, to: usize, embedded: usize, norm: Norm, device: &Device) -> Self {
        Self {
            norm1: norm.init(from, device),
            conv1: conv(from, to, 3, device),
            time_emb_proj: Linear::uniform(embedded, to, device),
            norm2: norm.init(to, device),
            conv2: conv(to, to, 3, device),
            conv_shortcut: (from != to).then(|| conv(from, to, 1, device)),
        }
    }

    fn forward(&self, x: Tensor<4>, embedded: Tensor<2>) -> Tensor<4> {
        let h = self.conv1.forward(silu(self.norm1.forward(x.clone())));
        let shift = self.time_emb_proj.forward(embedded);
        let h = h + shift.unsqueeze_dims(&[2, 3]);
        let h = self.conv2.forward(silu(self.norm2.forward(h)));
        match &self.conv_shortcut {
            Some(shortcut) => shortcut.forward(x) + h,
            None => x + h,
        }
    }
}

/// Cosines, then sines, of `steps`, `[batch]`, with `width` / 2 periods from 2π up: `[batch, width]`.
///
/// Source: Vaswani et al. 2017, <https://arxiv.org/abs/1706.03762>, section 3.5; diffusers
/// `get_timestep_embedding` with `flip_sin_to_cos` and no shift.
fn waves(steps: Tensor<1>, width: usize) -> Tensor<2> {
    let half = width / 2;
    let periods: Vec<f32> = (0..half)
        .map(|i| (-PERIOD.ln() * i as f32 / half as f32).exp())
        .collect();
    let periods = Tensor::<1>::from_floats(periods.as_slice(), &steps.device());
    let angles = steps.unsqueeze_dim::<2>(1) * periods.unsqueeze();
    Tensor::cat(vec![angles.clone().cos(), angles.sin()], 1)
}

/// Multiply-accumulates of one pass over a picture of this side.
pub fn unet_macs(config: &UNetConfig, side: usize) -> u64 {
    let (first, embedded) = (config.width, 4 * config.width);
    let widths = config.widths();
    let innermost = widths.last().copied().unwrap_or(first);
    let at = |level: usize| ((side >> level) as u64).pow(2);
    let linear = |from: usize, to: usize| (from * to) as u64;
    let block = |positions, from: usize, to: usize| {
        let shortcut = match from == to {
            true => 0,
            false => conv_macs(positions, from, to, 1),
        };
        conv_macs(positions, from, to, 3)
            + conv_macs(positions, to, to, 3)
            + linear(embedded, to)
            + shortcut
    };
    let mut sum = conv_macs(at(0), config.channels, first, 3)
        + conv_macs(at(0), first, config.channels, 3)
        + linear(first, embedded)
        + linear(embedded, embedded);
    let (mut skips, mut from) = (vec![first], first);
    for (level, &width) in widths.iter().enumerate() {
        for _ in 0..config.blocks {
            sum += block(at(level), from, width);
            skips.push(width);
            from = width;
        }
        if level + 1 < widths.len() {
            sum += conv_macs(at(level + 1), width, width, 3);
            skips.push(width);
        }
    }
    let inside = at(widths.len().saturating_sub(1));
    sum += 2 * block(inside, innermost, innermost);
    if config.attention {
        let products = 2 * inside * inside * innermost as u64;
        sum += 4 * conv_macs(inside, innermost, innermost, 1) + products;
    }
    for (level, &width) in widths.iter().enumerate().rev() {
        for _ in 0..=config.blocks {
            sum += block(at(level), from + skips.pop().unwrap_or_default(), width);
            from = width;
        }
        if level > 0 {
            sum += conv_macs(at(level - 1), width, width, 3);
        }
    }
    sum
}
