use std::collections::BTreeMap;

use super::shape::side;
use crate::error::{Error, Result};
use crate::models::{AutoencoderConfig, KlConfig, QuantizerKind, VqGanConfig};
use crate::nn::{DecoderConfig, DecoderNorm, Layers, NetworkConfig};

/// Not determined by the shapes; all published models of these families agree on them.
pub const ASSUMED: [&str; 4] = ["norm_groups", "norm_eps", "resolution", "input"];

/// Nominal image side, which only determines where attention goes.
const RESOLUTION: usize = 256;

/// Infers the config of a VQ-GAN or AutoencoderKL from its tensor names and shapes.
pub fn infer<'a>(
    names: &BTreeMap<String, String>,
    shape: impl Fn(&str) -> Option<&'a [usize]>,
) -> Result<AutoencoderConfig> {
    let side = |name: &str, sides: usize, axis: usize| side(name, shape(name), sides, axis);
    let conv = |name: &str, axis| side(name, 4, axis);
    let has = |name: &str| names.contains_key(name);
    let begins = |start: String| {
        let mut rest = names.range(start.clone()..);
        rest.next()
            .is_some_and(|(name, _)| name.starts_with(&start))
    };
    // Counts levels by any of their tensors, so that a missing tensor is reported by name.
    let count = |part: &str| {
        let numbered = |i: &usize| begins(format!("{part}.{i}."));
        (0..).take_while(numbered).count()
    };

    let first = conv("encoder.conv_in.weight", 0)?;
    let levels = count("encoder.down");
    let width = |level: usize| conv(&format!("encoder.down.{level}.block.0.conv1.weight"), 0);
    let widths = (0..levels).map(width).collect::<Result<Vec<_>>>()?;
    let (ch, ch_mult) = multiples(first, &widths)?;
    let attends = |part: &str| {
        let levels = (0..levels).filter(|level| begins(format!("{part}.{level}.attn.")));
        // Shifting past the last bit means more levels than a model may have.
        let side = |level: usize| RESOLUTION.checked_shr(level as u32).unwrap_or(0);
        levels.map(side).collect::<Vec<_>>()
    };
    let mid_attention = begins("encoder.mid.attn_1.".to_owned());
    let attn_resolutions = attends("encoder.down");
    let from_encoder = conv("encoder.conv_out.weight", 0)?;
    let layers = layers(names);
    let mut network = NetworkConfig {
        ch,
        ch_mult,
        num_res_blocks: count("encoder.down.0.block"),
        attn_resolutions,
        mid_attention,
        resolution: RESOLUTION,
        in_channels: conv("encoder.conv_in.weight", 1)?,
        out_ch: conv("decoder.conv_out.weight", 0)?,
        z_channels: from_encoder,
        norm_groups: 32,
        norm_eps: 1e-6,
        input: match layers {
            Layers::Taming => [-1.0, 1.0],
            Layers::MaskGit => [0.0, 1.0],
        },
        layers,
        decoder_norm: decoder_norm(names),
        stem: (first != ch).then_some(first),
        decoder: None,
    };
    if layers == Layers::Taming {
        // If a width cannot be read, assume the encoder's: the missing tensor is then reported by
        // name.
        let width = |(level, &width): (usize, &usize)| {
            conv(&format!("decoder.up.{level}.block.0.conv1.weight"), 0).unwrap_or(width)
        };
        let own: Vec<usize> = widths.iter().enumerate().map(width).collect();
        let (ch, ch_mult) = match own == widths {
            true => (network.ch, network.ch_mult.clone()),
            false => multiples(own.first().copied().unwrap_or(0), &own)?,
        };
        let decoder = DecoderConfig {
            ch,
            ch_mult,
            attn_resolutions: attends("decoder.up"),
            mid_attention: begins("decoder.mid.attn_1.".to_owned()),
        };
        let mirrors = own == widths
            && decoder.attn_resolutions == network.attn_resolutions
            && decoder.mid_attention == network.mid_attention;
        network.decoder = (!mirrors && count("decoder.up") == levels).then_some(decoder);
    }
    if !begins("quantize.".to_owned()) {
        // A VQ-GAN that lost its codebook has no quantizer either, but its encoder outputs as many
        // channels as its decoder takes. A Gaussian encoder outputs twice as many: means and
        // variances.
        let z = conv("decoder.conv_in.weight", 1)?;
        if Some(from_encoder) != z.checked_mul(2) {
            return Err(Error::NoCodebook);
        }
        network.z_channels = z;
        let quant_conv = begins("quant_conv.".to_owned()) || begins("post_quant_conv.".to_owned());
        let embed_dim = if quant_conv {
            conv("post_quant_conv.weight", 1)?
        } else {
            z
        };
        return Ok(AutoencoderConfig::Kl(KlConfig {
            network,
            embed_dim,
            quant_conv,
            scaling_factor: None,
            shift_factor: None,
        }));
    }
    let quantizer = if has("quantize.proj.weight") || has("quantize.embed.weight") {
        QuantizerKind::Gumbel
    } else {
        QuantizerKind::Vq
    };
    let codebook = match quantizer {
        QuantizerKind::Gumbel => "quantize.embed.weight",
        _ => "quantize.embedding.weight",
    };
    let embed_dim = side(codebook, 2, 1)?;
    if network.layers == Layers::MaskGit && network.z_channels != embed_dim {
        return Err(Error::WeightsMismatch(format!(
            "its latents have {} channels, but its codes {embed_dim}",
            network.z_channels
        )));
    }
    Ok(AutoencoderConfig::VqGan(VqGanConfig {
        network,
        embed_dim,
        n_embed: side(codebook, 2, 0)?,
        quantizer,
    }))
}

/// The widths as multiples of the first one if possible, otherwise of their greatest common
/// divisor.
fn multiples(first: usize, widths: &[usize]) -> Result<(usize, Vec<usize>)> {
    let unit = match widths.iter().all(|width| first != 0 && width % first == 0) {
        true => first,
        false => widths.iter().copied().fold(0, greatest_divisor),
    };
    if first == 0 || unit == 0 {
        return Err(Error::ConfigInvalid(
            "one of its levels has a width of zero".into(),
        ));
    }
    Ok((unit, widths.iter().map(|width| width / unit).collect()))
}

/// Greatest common divisor by Euclid's algorithm; of 0 and a number, that number.
pub fn greatest_divisor(a: usize, b: usize) -> usize {
    match b {
        0 => a,
        b => greatest_divisor(b, a % b),
    }
}

fn layers(names: &BTreeMap<String, String>) -> Layers {
    let alone = |name: &String| name.contains(".mid.0.") || name.contains(".upsample_conv.");
    if names.keys().any(alone) {
        Layers::MaskGit
    } else {
        Layers::Taming
    }
}

fn decoder_norm(names: &BTreeMap<String, String>) -> DecoderNorm {
    let spatial = [".norm_layer.", ".conv_y.", ".conv_b."];
    let is_spatial = |name: &String| {
        name.starts_with("decoder.") && spatial.iter().any(|part| name.contains(part))
    };
    if names.keys().any(is_spatial) {
        DecoderNorm::Spatial
    } else {
        DecoderNorm::Group
    }
}
