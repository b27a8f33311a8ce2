//! MAGE's tokenizer: MaskGIT's layers under taming-transformers' names.

use std::collections::BTreeMap;

use super::rename::Dialect;

/// MAGE's VQ-GAN, ported from MaskGIT's, mapped to open-muse's names for the same layers.
///
/// Source: mage `taming/models/vqgan.py`, `taming/modules/diffusionmodules/model.py`.
pub const MAGE: Dialect = Dialect {
    decoder_levels: None,
    parts: &[
        ("mid.block_1", "mid.0"),
        ("mid.block_2", "mid.1"),
        ("upsample.conv", "upsample_conv"),
    ],
};

/// Whether these are MAGE's: taming-transformers' names, but no block has a convolution bias and
/// the middle has no attention.
pub fn is_mage(names: &BTreeMap<String, String>) -> bool {
    let any = |part: &str| names.keys().any(|name| name.contains(part));
    any(".mid.block_1.conv1.weight")
        && !any(".conv1.bias")
        && !any(".attn_1.")
        && !any("quant_conv.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_names_become_open_muses() {
        for (theirs, ours) in [
            (
                "encoder.mid.block_2.conv1.weight",
                "encoder.mid.1.conv1.weight",
            ),
            ("decoder.mid.block_1.norm1.bias", "decoder.mid.0.norm1.bias"),
            (
                "decoder.up.2.upsample.conv.bias",
                "decoder.up.2.upsample_conv.bias",
            ),
            (
                "decoder.up.0.block.1.conv1.weight",
                "decoder.up.0.block.1.conv1.weight",
            ),
        ] {
            assert_eq!(MAGE.rename(theirs, 3), ours);
        }
    }

    #[test]
    fn what_has_biases_or_attends_is_taming_transformers() {
        let has = |more: &[&str]| {
            let names = ["encoder.mid.block_1.conv1.weight"];
            let names = names.iter().chain(more);
            is_mage(&names.map(|n| ((*n).to_owned(), String::new())).collect())
        };
        assert!(has(&[]));
        assert!(!has(&["decoder.up.0.block.0.conv1.bias"]));
        assert!(!has(&["encoder.mid.attn_1.q.weight"]));
        assert!(!has(&["quant_conv.weight"]));
    }
}
