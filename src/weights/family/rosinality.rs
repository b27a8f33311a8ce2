//! rosinality/vq-vae-2-pytorch, whose layers are named by `nn.Sequential` index.

use std::collections::BTreeMap;

use super::rename::rename_all;
use super::shape::side;
use crate::error::Result;
use crate::models::{AutoencoderConfig, VqVae2Config};

/// Not determined by the shapes; the published code scales images to this range.
pub const ASSUMED: [&str; 1] = ["input"];

/// Renames tensors to this project's names; the map's values stay the file's names.
///
/// Source: rosinality/vq-vae-2-pytorch `vqvae.py`.
pub fn to_ours(names: BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    // All four stacks have as many residual layers as this one, where they come last.
    let last = |name: &String| {
        let (index, _) = name.strip_prefix("enc_b.blocks.")?.split_once(".conv.")?;
        index.parse::<usize>().ok()
    };
    let layers = names.keys().filter_map(last).max();
    let layers = layers.map_or(0, |last| last.saturating_sub(4));
    rename_all(names, |name| {
        rename(name, layers).unwrap_or_else(|| name.to_owned())
    })
}

/// `None` if the name is already right or not part of the model.
fn rename(name: &str, layers: usize) -> Option<String> {
    if let Some(quantizer) = name.strip_suffix(".embed") {
        return Some(format!("{quantizer}.embedding.weight"));
    }
    let (stack, rest) = name.split_once(".blocks.")?;
    let (index, rest) = rest.split_once('.')?;
    let index: usize = index.parse().ok()?;
    // ReLUs take an index too.
    if let Some(rest) = rest.strip_prefix("conv.") {
        let first = match stack {
            "enc_b" => 5,
            "enc_t" => 3,
            "dec_t" | "dec" => 1,
            _ => return None,
        };
        let layer = index.checked_sub(first)?;
        let (part, rest) = rest.split_once('.')?;
        let part = match part {
            "1" => "conv_1",
            "3" => "conv_2",
            _ => return None,
        };
        return Some(format!("{stack}.residual.{layer}.{part}.{rest}"));
    }
    let end = layers.checked_add(4)?;
    let ours = match (stack, index) {
        ("enc_b" | "enc_t", 0) => "down.0",
        ("enc_b", 2) => "down.1",
        ("enc_b", 4) | ("enc_t", 2) => "conv_out",
        ("dec_t" | "dec", 0) => "conv_in",
        ("dec_t" | "dec", at) if at == end - 2 => "up.0",
        ("dec", at) if at == end => "up.1",
        _ => return None,
    };
    Some(format!("{stack}.{ours}.{rest}"))
}

/// Infers a VQ-VAE-2's config from its tensor shapes, by this project's names.
pub fn infer<'a>(shape: impl Fn(&str) -> Option<&'a [usize]>) -> Result<AutoencoderConfig> {
    let conv = |name: &str, axis| side(name, shape(name), 4, axis);
    // It stores the codebook as [D, K].
    let codebook = "quantize_t.embedding.weight";
    let layer = |i: &usize| shape(&format!("enc_b.residual.{i}.conv_1.weight")).is_some();
    Ok(AutoencoderConfig::VqVae2(VqVae2Config {
        in_channels: conv("enc_b.down.0.weight", 1)?,
        hidden: conv("enc_b.conv_out.weight", 0)?,
        residual_hidden: conv("enc_b.residual.0.conv_1.weight", 0)?,
        residual_layers: (0..).take_while(layer).count(),
        embed_dim: conv("quantize_conv_t.weight", 0)?,
        n_embed: side(codebook, shape(codebook), 2, 1)?,
        input: [-1.0, 1.0],
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_names() {
        for (theirs, ours) in [
            ("enc_b.blocks.2.weight", "enc_b.down.1.weight"),
            ("enc_b.blocks.4.bias", "enc_b.conv_out.bias"),
            (
                "enc_b.blocks.6.conv.3.weight",
                "enc_b.residual.1.conv_2.weight",
            ),
            ("enc_t.blocks.2.weight", "enc_t.conv_out.weight"),
            ("enc_t.blocks.3.conv.1.bias", "enc_t.residual.0.conv_1.bias"),
            ("dec_t.blocks.0.weight", "dec_t.conv_in.weight"),
            ("dec_t.blocks.5.weight", "dec_t.up.0.weight"),
            ("dec.blocks.3.conv.1.bias", "dec.residual.2.conv_1.bias"),
            ("dec.blocks.5.weight", "dec.up.0.weight"),
            ("dec.blocks.7.bias", "dec.up.1.bias"),
            ("quantize_b.embed", "quantize_b.embedding.weight"),
        ] {
            assert_eq!(rename(theirs, 3).as_deref(), Some(ours), "{theirs}");
        }
        for name in [
            "upsample_t.weight",
            "enc_b.blocks.1.weight",
            "enc_b.blocks.4.conv.1.weight",
            "dec.blocks.99999999999999999999.weight",
        ] {
            assert_eq!(rename(name, 3), None, "{name}");
        }
        assert_eq!(rename("dec.blocks.0.weight", usize::MAX), None);
    }
}
