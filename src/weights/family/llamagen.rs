//! LlamaGen's and Janus's tokenizers.

use super::rename::Dialect;

/// LlamaGen's VQ-16 and VQ-8, and Janus, which reuses them.
///
/// Source: LlamaGen `tokenizer/tokenizer_image/vq_model.py`.
pub const LLAMAGEN: Dialect = Dialect {
    decoder_levels: Some("decoder.conv_blocks."),
    parts: &[
        ("encoder.conv_blocks", "encoder.down"),
        ("decoder.conv_blocks", "decoder.up"),
        ("res", "block"),
        ("mid.0", "mid.block_1"),
        ("mid.1", "mid.attn_1"),
        ("mid.2", "mid.block_2"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

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
}
