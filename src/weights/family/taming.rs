use std::collections::BTreeMap;

use crate::config::{QuantizerKind, VqGanConfig};
use crate::error::{Error, Result};

/// What shapes cannot tell; every published model of these families agrees on it.
pub const ASSUMED: [&str; 4] = ["norm_groups", "norm_eps", "resolution", "input"];

/// The config of a VQ-GAN from the names and shapes of its tensors.
pub fn infer<'a>(
    names: &BTreeMap<String, String>,
    shape: impl Fn(&str) -> Option<&'a [usize]>,
) -> Result<VqGanConfig> {
    let side = |name: &str, axis: usize| {
        shape(name)
            .and_then(|shape| shape.get(axis).copied())
            .ok_or_else(|| Error::WeightsMismatch(format!("`{name}` is missing or misshapen")))
    };
    let has = |name: &str| names.contains_key(name);
    let count = |pattern: &dyn Fn(usize) -> String| (0..).take_while(|&i| has(&pattern(i))).count();

    let ch = side("encoder.conv_in.weight", 0)?;
    let levels = count(&|i| format!("encoder.down.{i}.block.0.conv1.weight"));
    let resolution = 256;
    let mut ch_mult = Vec::with_capacity(levels);
    let mut attn_resolutions = Vec::new();
    for level in 0..levels {
        let width = side(&format!("encoder.down.{level}.block.0.conv1.weight"), 0)?;
        if ch == 0 || width % ch != 0 {
            return Err(Error::ConfigInvalid(format!(
                "level {level} is {width} wide, which is no multiple of the first width {ch}"
            )));
        }
        ch_mult.push(width / ch);
        if has(&format!("encoder.down.{level}.attn.0.q.weight")) {
            attn_resolutions.push(resolution >> level);
        }
    }
    let quantizer = if has("quantize.proj.weight") {
        QuantizerKind::Gumbel
    } else {
        QuantizerKind::Vq
    };
    let codebook = match quantizer {
        QuantizerKind::Gumbel => "quantize.embed.weight",
        _ => "quantize.embedding.weight",
    };
    if !has(codebook) {
        return Err(Error::NoCodebook);
    }
    Ok(VqGanConfig {
        ch,
        ch_mult,
        num_res_blocks: count(&|j| format!("encoder.down.0.block.{j}.conv1.weight")),
        attn_resolutions,
        mid_attention: has("encoder.mid.attn_1.q.weight"),
        resolution,
        in_channels: side("encoder.conv_in.weight", 1)?,
        out_ch: side("decoder.conv_out.weight", 0)?,
        z_channels: side("encoder.conv_out.weight", 0)?,
        embed_dim: side(codebook, 1)?,
        n_embed: side(codebook, 0)?,
        norm_groups: 32,
        norm_eps: 1e-6,
        quantizer,
        input: [-1.0, 1.0],
    })
}
