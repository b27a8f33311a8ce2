use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// Parts of a diffusers name and the same parts in taming-transformers' names. The older names of
/// attention are those of files from before diffusers 0.18.
const PARTS: [(&str, &str); 19] = [
    ("down_blocks", "down"),
    ("up_blocks", "up"),
    ("resnets", "block"),
    ("attentions", "attn"),
    ("downsamplers.0", "downsample"),
    ("upsamplers.0", "upsample"),
    ("mid_block.resnets.0", "mid.block_1"),
    ("mid_block.attentions.0", "mid.attn_1"),
    ("mid_block.resnets.1", "mid.block_2"),
    ("conv_shortcut", "nin_shortcut"),
    ("conv_norm_out", "norm_out"),
    ("group_norm", "norm"),
    ("to_q", "q"),
    ("to_k", "k"),
    ("to_v", "v"),
    ("to_out.0", "proj_out"),
    ("query", "q"),
    ("key", "k"),
    ("value", "v"),
];
/// The older name of attention's output.
const PROJ_ATTN: (&str, &str) = ("proj_attn", "proj_out");

/// Gives the tensors of a diffusers `VQModel` the names of taming-transformers, whose layers it
/// shares; only `decoder.up` is stored the other way round.
///
/// Source: diffusers `models/autoencoders/vae.py` and `scripts/convert_vq_diffusion_to_diffusers.py`.
pub fn to_taming(names: BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    let levels = names
        .keys()
        .filter_map(|name| index_after(name, "decoder.up_blocks."))
        .max()
        .map_or(0, |last| last + 1);
    let mut renamed = BTreeMap::new();
    for (name, theirs) in names {
        let ours = rename(&name, levels);
        if let Some(other) = renamed.insert(ours.clone(), theirs) {
            return Err(Error::WeightsMismatch(format!(
                "`{name}` and `{other}` are both `{ours}`"
            )));
        }
    }
    Ok(renamed)
}

fn index_after(name: &str, start: &str) -> Option<usize> {
    name.strip_prefix(start)?.split('.').next()?.parse().ok()
}

fn rename(name: &str, levels: usize) -> String {
    let mut name = name.to_owned();
    if let Some(level) = index_after(&name, "decoder.up_blocks.") {
        let rest = name.splitn(4, '.').nth(3).unwrap_or_default().to_owned();
        // The first block of diffusers is the coarsest, the first level of taming the finest.
        let level = levels.saturating_sub(1).saturating_sub(level);
        name = format!("decoder.up_blocks.{level}.{rest}");
    }
    // The middle's parts are longer than those that they begin with, so they go first.
    let mut parts: Vec<_> = PARTS.iter().chain([&PROJ_ATTN]).collect();
    parts.sort_by_key(|(theirs, _)| std::cmp::Reverse(theirs.len()));
    let mut dotted = format!(".{name}.");
    for (theirs, ours) in parts {
        dotted = dotted.replace(&format!(".{theirs}."), &format!(".{ours}."));
    }
    dotted.trim_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_published_table() {
        for (theirs, ours) in [
            ("encoder.conv_in.weight", "encoder.conv_in.weight"),
            (
                "encoder.down_blocks.1.resnets.0.conv_shortcut.bias",
                "encoder.down.1.block.0.nin_shortcut.bias",
            ),
            (
                "encoder.down_blocks.0.downsamplers.0.conv.weight",
                "encoder.down.0.downsample.conv.weight",
            ),
            (
                "encoder.down_blocks.2.attentions.1.to_out.0.weight",
                "encoder.down.2.attn.1.proj_out.weight",
            ),
            (
                "decoder.up_blocks.0.upsamplers.0.conv.weight",
                "decoder.up.3.upsample.conv.weight",
            ),
            (
                "decoder.up_blocks.3.resnets.2.norm1.weight",
                "decoder.up.0.block.2.norm1.weight",
            ),
            (
                "decoder.mid_block.attentions.0.group_norm.weight",
                "decoder.mid.attn_1.norm.weight",
            ),
            (
                "encoder.mid_block.attentions.0.proj_attn.bias",
                "encoder.mid.attn_1.proj_out.bias",
            ),
            (
                "encoder.mid_block.resnets.1.conv2.bias",
                "encoder.mid.block_2.conv2.bias",
            ),
            ("decoder.conv_norm_out.bias", "decoder.norm_out.bias"),
            ("quantize.embedding.weight", "quantize.embedding.weight"),
        ] {
            assert_eq!(rename(theirs, 4), ours);
        }
    }

    #[test]
    fn two_names_of_one_tensor_are_refused() {
        let names = [
            "mid_block.attentions.0.to_q.weight",
            "mid_block.attentions.0.query.weight",
        ]
        .map(|name| (format!("encoder.{name}"), name.to_owned()));
        let error = to_taming(names.into_iter().collect()).unwrap_err();
        assert_eq!(error.code(), "weights_mismatch");
    }
}
