//! Checkpoints from other projects: each family compared with its own implementation, and invalid
//! ones.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod common;
mod support;

use burn::tensor::Device;
use common::families::{family_tests, old_name};
use common::{Golden, golden, native_tests};
use support::{WeightFile, code};
use tesserae::weights::{CheckedWeights, Loaded, build};
use tesserae::{AutoencoderConfig, Result};

family_tests!(native_tests);

/// A checkpoint to modify, and its accompanying config.json.
fn file(golden: &Golden) -> (WeightFile, Option<String>) {
    let bytes = golden.checkpoint(str::to_owned);
    (WeightFile::of(&bytes), golden.json("config.json"))
}

fn load(file: &WeightFile, config: Option<&str>) -> Result<Loaded> {
    build(&CheckedWeights::of(file.bytes(), config)?, &Device::flex())?.autoencoder()
}

/// Fails unless loading fails with this code and a message that contains `named`.
fn refused(file: &WeightFile, config: Option<&str>, expected: &str, named: &str) {
    let error = load(file, config).unwrap_err();
    assert_eq!(error.code(), expected, "{error}");
    assert!(
        error.to_string().contains(named),
        "`{named}` is not in: {error}"
    );
}

#[test]
fn names_of_no_family_are_unknown() {
    let bert = golden!("checkpoint_taming").checkpoint(|name| format!("bert_{name}"));
    refused(
        &WeightFile::of(&bert),
        None,
        "weights_unknown",
        "any supported model",
    );
    // Only tensors that are not part of the model.
    let (mut rest, _) = file(&golden!("checkpoint_taming"));
    rest.tensors.retain(|name, _| name.starts_with("loss."));
    refused(&rest, None, "weights_unknown", "any supported model");
}

#[test]
fn a_model_without_a_codebook_is_told_apart() {
    for golden in [
        golden!("checkpoint_taming"),
        golden!("checkpoint_diffusers"),
    ] {
        let (mut kl, config) = file(&golden);
        kl.tensors.retain(|name, _| !name.starts_with("quantize."));
        refused(&kl, config.as_deref(), "no_codebook", "no codebook");
    }
}

#[test]
fn only_twice_the_channels_make_a_gaussian() {
    let (mut vq, config) = file(&golden!("checkpoint_kl_no_quant"));
    load(&vq, config.as_deref()).unwrap();
    for name in ["encoder.conv_out.weight", "encoder.conv_out.bias"] {
        let tensor = vq.get(name);
        tensor.shape[0] /= 2;
        tensor.data.truncate(tensor.data.len() / 2);
    }
    refused(&vq, config.as_deref(), "no_codebook", "no codebook");
}

#[test]
fn one_tensor_under_two_names_is_refused() {
    let (mut both, config) = file(&golden!("checkpoint_diffusers"));
    let name = "decoder.mid_block.attentions.0.to_q.weight";
    let tensor = both.get(name).clone();
    assert_ne!(old_name(name), name);
    both.tensors.insert(old_name(name), tensor);
    refused(&both, config.as_deref(), "weights_mismatch", "both");
}

#[test]
fn a_config_file_that_is_no_config_is_told() {
    let (weights, _) = file(&golden!("checkpoint_diffusers"));
    for text in [
        "",
        "not JSON",
        "{\"norm_num_groups\": 4",
        "[\"VQModel\"]",
        "null",
        "4",
        "{\"norm_num_groups\": \"four\"}",
        "{\"norm_num_groups\": -4}",
        "{\"norm_num_groups\": 4, \"norm_eps\": 0}",
        "{\"norm_num_groups\": 4, \"sample_size\": 65537}",
        "{\"norm_num_groups\": 4, \"input\": [1, 0]}",
    ] {
        assert_eq!(code(load(&weights, Some(text))), "config_invalid", "{text}");
    }
}

#[test]
fn groups_that_do_not_divide_the_widths_are_refused() {
    let (weights, _) = file(&golden!("checkpoint_diffusers"));
    // The published 32 if nothing else is given, and the config file's own value.
    for config in [None, Some("{}"), Some("{\"norm_num_groups\": 3}")] {
        refused(&weights, config, "config_invalid", "norm_groups");
    }
}

#[test]
fn a_config_file_moves_no_attention() {
    let golden = golden!("checkpoint_diffusers");
    let (weights, _) = file(&golden);
    let placed = |config: &str| {
        let AutoencoderConfig::VqGan(config) = load(&weights, Some(config)).unwrap().config else {
            panic!("not a VQ-GAN");
        };
        let attends = (0..3)
            .map(|level| config.network.attends(level))
            .collect::<Vec<_>>();
        (config.network.resolution, attends)
    };
    let last = vec![false, false, true];
    // The last value cannot be halved twice, so it is ignored.
    for (config, resolution) in [
        ("{\"norm_num_groups\": 4}", 256),
        ("{\"norm_num_groups\": 4, \"sample_size\": 48}", 48),
        ("{\"norm_num_groups\": 4, \"sample_size\": 4}", 4),
        ("{\"norm_num_groups\": 4, \"sample_size\": 3}", 256),
    ] {
        assert_eq!(placed(config), (resolution, last.clone()), "{config}");
    }
}

/// Each of these determines the config, or belongs to an optional part.
const TELLING: [(&str, &[&str]); 8] = [
    (
        "taming",
        &[
            "encoder.conv_in.weight",
            "encoder.conv_out.weight",
            "encoder.down.0.block.0.conv1.weight",
            "encoder.down.2.block.0.conv1.weight",
            "encoder.mid.attn_1.q.weight",
            "decoder.conv_out.weight",
            "decoder.up.1.upsample.conv.bias",
            "post_quant_conv.bias",
        ],
    ),
    ("gumbel", &["quantize.proj.weight", "quantize.embed.weight"]),
    (
        "diffusers",
        &[
            "encoder.down_blocks.0.resnets.0.conv1.weight",
            "encoder.down_blocks.1.resnets.0.conv_shortcut.weight",
            "encoder.down_blocks.2.attentions.0.to_q.weight",
            "decoder.up_blocks.0.attentions.1.to_out.0.bias",
            "decoder.mid_block.attentions.0.group_norm.weight",
            "decoder.conv_norm_out.bias",
        ],
    ),
    (
        "movq",
        &[
            "decoder.conv_norm_out.conv_y.weight",
            "decoder.conv_norm_out.norm_layer.bias",
            "decoder.mid_block.attentions.0.spatial_norm.conv_b.weight",
            "decoder.up_blocks.1.resnets.0.norm2.conv_y.bias",
        ],
    ),
    (
        "maskgit",
        &[
            "encoder.conv_in.weight",
            "encoder.conv_out.weight",
            "encoder.down.1.block.0.nin_shortcut.weight",
            "encoder.mid.0.conv1.weight",
            "decoder.mid.0.norm2.bias",
            "decoder.up.1.upsample_conv.weight",
        ],
    ),
    (
        "kl",
        &[
            "encoder.conv_out.weight",
            "decoder.conv_in.weight",
            "quant_conv.bias",
            "post_quant_conv.weight",
            "encoder.mid_block.attentions.0.to_v.weight",
        ],
    ),
    ("kl_no_quant", &["encoder.conv_out.bias"]),
    (
        "vqvae2",
        &[
            "enc_b.blocks.0.weight",
            "enc_b.blocks.4.weight",
            "enc_b.blocks.5.conv.1.weight",
            "enc_b.blocks.6.conv.3.weight",
            "enc_t.blocks.2.weight",
            "dec_t.blocks.4.bias",
            "dec.blocks.6.weight",
            "quantize_conv_t.weight",
            "quantize_t.embed",
            "quantize_b.embed",
            "upsample_t.bias",
        ],
    ),
];

#[test]
fn a_tensor_that_is_missing_or_misshapen_is_a_mismatch() {
    for (name, tensors) in TELLING {
        let golden = match name {
            "taming" => golden!("checkpoint_taming"),
            "gumbel" => golden!("checkpoint_gumbel"),
            "movq" => golden!("checkpoint_movq"),
            "maskgit" => golden!("checkpoint_maskgit"),
            "kl" => golden!("checkpoint_kl_diffusers"),
            "kl_no_quant" => golden!("checkpoint_kl_no_quant"),
            "vqvae2" => golden!("checkpoint_vqvae2"),
            _ => golden!("checkpoint_diffusers"),
        };
        let (whole, config) = file(&golden);
        load(&whole, config.as_deref()).unwrap();
        for tensor in tensors {
            let mut missing = whole.clone();
            missing.tensors.remove(*tensor).unwrap();
            let result = load(&missing, config.as_deref());
            assert_eq!(code(result), "weights_mismatch", "without {tensor}");

            let mut misshapen = whole.clone();
            let shape = &mut misshapen.get(tensor).shape;
            *shape = vec![shape.iter().product()];
            if shape.len() == whole.tensors[*tensor].shape.len() {
                shape.push(1);
            }
            let result = load(&misshapen, config.as_deref());
            assert_eq!(code(result), "weights_mismatch", "flat {tensor}");
        }
    }
}

#[test]
fn a_norm_of_another_latent_is_a_mismatch() {
    let (mut weights, config) = file(&golden!("checkpoint_movq"));
    let name = "decoder.up_blocks.0.resnets.1.norm1.conv_y.weight";
    let norm = weights.get(name);
    norm.shape = vec![32, 3, 1, 1];
    norm.data.truncate(32 * 3 * 2);
    let ours = "decoder.up_blocks.0.resnets.1.norm1.conv_y.weight";
    refused(&weights, config.as_deref(), "weights_mismatch", ours);
}

#[test]
fn plain_and_spatial_norms_are_not_mixed() {
    let (mut weights, config) = file(&golden!("checkpoint_movq"));
    let start = "decoder.conv_norm_out.";
    for part in ["weight", "bias"] {
        let theirs = format!("{start}norm_layer.{part}");
        let tensor = weights.tensors.remove(&theirs).unwrap();
        weights.tensors.insert(format!("{start}{part}"), tensor);
    }
    let mixed =
        |weights: &WeightFile| refused(weights, config.as_deref(), "weights_mismatch", "norm_out");
    mixed(&weights);
    let spatial = ["conv_y", "conv_b"].map(|part| format!("{start}{part}."));
    weights
        .tensors
        .retain(|name, _| !spatial.iter().any(|part| name.starts_with(part)));
    mixed(&weights);
}

#[test]
fn maskgit_without_a_middle_or_with_other_codes_is_a_mismatch() {
    let (whole, config) = file(&golden!("checkpoint_maskgit"));
    let mut shallow = whole.clone();
    shallow.tensors.retain(|name, _| !name.contains(".mid."));
    refused(&shallow, config.as_deref(), "weights_mismatch", ".mid.0.");

    let mut more = whole.clone();
    for side in ["encoder", "decoder"] {
        let tensor = more.get(&format!("{side}.mid.0.conv1.weight")).clone();
        more.tensors
            .insert(format!("{side}.mid.1.conv1.weight"), tensor);
    }
    refused(&more, config.as_deref(), "weights_mismatch", ".mid.1.");

    // The same number of values, so only the widths are wrong.
    let mut narrow = whole;
    narrow.get("quantize.embedding.weight").shape = vec![32, 3];
    refused(&narrow, config.as_deref(), "weights_mismatch", "6 channels");
}
