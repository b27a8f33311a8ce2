//! Names of families that share taming-transformers' layers, turned into its names.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// How a family names what taming-transformers names otherwise.
pub struct Dialect {
    /// Where the decoder's levels begin, up to their index. They are stored coarsest first, the
    /// other way round than in taming-transformers.
    pub decoder_levels: &'static str,
    /// Parts of a name between dots, and what taming-transformers calls them.
    pub parts: &'static [(&'static str, &'static str)],
}

/// diffusers `VQModel`. The older names of attention are those of files from before diffusers 0.18.
///
/// Source: diffusers `models/autoencoders/vae.py`, `scripts/convert_amused.py`.
pub const DIFFUSERS: Dialect = Dialect {
    decoder_levels: "decoder.up_blocks.",
    parts: &[
        ("mid_block.attentions.0", "mid.attn_1"),
        ("mid_block.resnets.0", "mid.block_1"),
        ("mid_block.resnets.1", "mid.block_2"),
        ("down_blocks", "down"),
        ("up_blocks", "up"),
        ("resnets", "block"),
        ("attentions", "attn"),
        ("downsamplers.0", "downsample"),
        ("upsamplers.0", "upsample"),
        ("conv_shortcut", "nin_shortcut"),
        ("conv_norm_out", "norm_out"),
        ("group_norm", "norm"),
        ("spatial_norm", "norm"),
        ("to_q", "q"),
        ("to_k", "k"),
        ("to_v", "v"),
        ("to_out.0", "proj_out"),
        ("query", "q"),
        ("key", "k"),
        ("value", "v"),
        ("proj_attn", "proj_out"),
    ],
};

/// LlamaGen's VQ-16 and VQ-8, and Janus, which took them over.
///
/// Source: LlamaGen `tokenizer/tokenizer_image/vq_model.py`.
pub const LLAMAGEN: Dialect = Dialect {
    decoder_levels: "decoder.conv_blocks.",
    parts: &[
        ("encoder.conv_blocks", "encoder.down"),
        ("decoder.conv_blocks", "decoder.up"),
        ("res", "block"),
        ("mid.0", "mid.block_1"),
        ("mid.1", "mid.attn_1"),
        ("mid.2", "mid.block_2"),
    ],
};

impl Dialect {
    /// Gives tensors taming-transformers' names; the values stay the file's names.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] when two tensors would have one name.
    pub fn to_taming(&self, names: BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
        let levels = names
            .keys()
            .filter_map(|name| self.decoder_level(name))
            .max()
            .map_or(0, |last| last.saturating_add(1));
        rename_all(names, |name| self.rename(name, levels))
    }

    fn decoder_level(&self, name: &str) -> Option<usize> {
        let rest = name.strip_prefix(self.decoder_levels)?;
        rest.split('.').next()?.parse().ok()
    }

    fn rename(&self, name: &str, levels: usize) -> String {
        let mut name = name.to_owned();
        if let Some(level) = self.decoder_level(&name) {
            let rest = name.splitn(4, '.').nth(3).unwrap_or_default();
            let level = levels.saturating_sub(1).saturating_sub(level);
            name = format!("{}{level}.{rest}", self.decoder_levels);
        }
        let mut dotted = format!(".{name}.");
        for (theirs, ours) in self.parts {
            dotted = dotted.replace(&format!(".{theirs}."), &format!(".{ours}."));
        }
        dotted.trim_matches('.').to_owned()
    }
}

/// Gives each tensor the name that `rename` makes of its own; the values stay the file's names.
///
/// # Errors
/// [`Error::WeightsMismatch`] when two tensors would have one name.
pub fn rename_all(
    names: BTreeMap<String, String>,
    rename: impl Fn(&str) -> String,
) -> Result<BTreeMap<String, String>> {
    let mut renamed = BTreeMap::new();
    for (name, theirs) in names {
        let ours = rename(&name);
        if let Some(other) = renamed.insert(ours.clone(), theirs) {
            return Err(Error::WeightsMismatch(format!(
                "`{name}` and `{other}` are both `{ours}`"
            )));
        }
    }
    Ok(renamed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diffusers_names_are_those_of_the_published_table() {
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
                "decoder.mid_block.attentions.0.spatial_norm.conv_y.bias",
                "decoder.mid.attn_1.norm.conv_y.bias",
            ),
            (
                "decoder.up_blocks.0.resnets.1.norm2.norm_layer.weight",
                "decoder.up.3.block.1.norm2.norm_layer.weight",
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
            assert_eq!(DIFFUSERS.rename(theirs, 4), ours);
        }
    }

    #[test]
    fn llamagen_names_are_those_of_its_source() {
        for (theirs, ours) in [
            (
                "encoder.conv_blocks.4.res.1.nin_shortcut.weight",
                "encoder.down.4.block.1.nin_shortcut.weight",
            ),
            (
                "encoder.conv_blocks.0.downsample.conv.bias",
                "encoder.down.0.downsample.conv.bias",
            ),
            (
                "decoder.conv_blocks.0.attn.2.proj_out.weight",
                "decoder.up.4.attn.2.proj_out.weight",
            ),
            (
                "decoder.mid.0.conv1.weight",
                "decoder.mid.block_1.conv1.weight",
            ),
            ("encoder.mid.1.q.bias", "encoder.mid.attn_1.q.bias"),
            ("encoder.mid.2.norm2.bias", "encoder.mid.block_2.norm2.bias"),
        ] {
            assert_eq!(LLAMAGEN.rename(theirs, 5), ours);
        }
    }

    #[test]
    fn two_names_of_one_tensor_are_refused() {
        let names = [
            "mid_block.attentions.0.to_q.weight",
            "mid_block.attentions.0.query.weight",
        ]
        .map(|name| (format!("encoder.{name}"), name.to_owned()));
        let error = DIFFUSERS
            .to_taming(names.into_iter().collect())
            .unwrap_err();
        assert_eq!(error.code(), "weights_mismatch");
    }
}
