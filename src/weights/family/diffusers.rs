//! diffusers' autoencoders.

use super::rename::Dialect;

/// diffusers `VQModel`. The older attention names are from before diffusers 0.18.
///
/// Source: diffusers `models/autoencoders/vae.py`, `scripts/convert_amused.py`.
pub const DIFFUSERS: Dialect = Dialect {
    decoder_levels: Some("decoder.up_blocks."),
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
}
