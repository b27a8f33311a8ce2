//! Well-formed weight files, with tensors and config that match the model or do not.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod support;

use burn::tensor::Device;
use safetensors::tensor::Dtype;
use support::{Stored, TINY, WeightFile, code, codec, decode, encode, painted};
use tesserae::weights::{self, About, Loaded, Storage};
use tesserae::{Autoencoder, AutoencoderConfig, Error, Result};

fn load(bytes: impl Into<Vec<u8>>) -> Result<Loaded> {
    weights::load(bytes.into(), &Device::flex())?.autoencoder()
}

/// Fails unless loading fails with this code and a message that contains `named`.
fn refused(bytes: Vec<u8>, expected: &str, named: &str) {
    let error = load(bytes).unwrap_err();
    assert_eq!(error.code(), expected, "{error}");
    assert!(
        error.to_string().contains(named),
        "`{named}` is not in: {error}"
    );
}

#[test]
fn the_file_that_the_others_are_made_of_loads() {
    let loaded = load(TINY).unwrap();
    assert_eq!(
        loaded.config,
        AutoencoderConfig::from_json(&WeightFile::tiny().config()).unwrap()
    );
    assert_eq!((loaded.config.codes(), loaded.config.factor()), (32, 4));
    // Parsed and written again, it is the same model.
    let again = load(WeightFile::tiny().bytes()).unwrap();
    assert_eq!(again.hashes, loaded.hashes);
    assert_eq!(again.parameters, loaded.parameters);
}

#[test]
fn a_tensor_missing_added_or_misshapen_is_named() {
    let tiny = WeightFile::tiny();
    for name in [
        "quantize.embedding.weight",
        "encoder.conv_in.bias",
        "decoder.norm_out.weight",
        "decoder.up.0.block.0.nin_shortcut.weight",
        "post_quant_conv.weight",
    ] {
        let mut file = tiny.clone();
        file.tensors.remove(name).unwrap();
        refused(file.bytes(), "weights_mismatch", name);

        let mut file = tiny.clone();
        file.get(name).shape.push(1);
        refused(file.bytes(), "weights_mismatch", name);
    }

    for name in ["encoder.conv_in.weight2", "quantize.x", "another"] {
        let mut file = tiny.clone();
        let bias = file.get("encoder.conv_in.bias").clone();
        file.tensors.insert(name.to_owned(), bias);
        refused(file.bytes(), "weights_mismatch", name);
    }

    // The same number of values, with the axes swapped: a check of the size alone would miss it.
    let mut file = tiny.clone();
    file.get("quantize.embedding.weight").shape.swap(0, 1);
    refused(
        file.bytes(),
        "weights_mismatch",
        "quantize.embedding.weight",
    );
    let empty = WeightFile {
        tensors: Default::default(),
        ..tiny
    };
    assert_eq!(code(load(empty.bytes())), "weights_mismatch");
}

#[test]
fn a_config_that_is_absent_or_wrong_is_told() {
    let tiny = WeightFile::tiny();
    // Without a config it is inferred from the shapes; the published 32 groups do not fit.
    let none = WeightFile {
        metadata: None,
        ..tiny.clone()
    };
    refused(none.bytes(), "config_invalid", "norm_groups");
    let mut unknown = tiny.clone();
    unknown.metadata = None;
    unknown
        .tensors
        .retain(|name, _| name.starts_with("quantize"));
    assert_eq!(code(load(unknown.bytes())), "weights_unknown");

    let with = |from: &str, to: &str| {
        let mut file = tiny.clone();
        let config = file.config();
        assert!(config.contains(from), "{from} is not in {config}");
        file.set_config(config.replace(from, to));
        file.bytes()
    };
    refused(
        with("z_channels", "z_chanels"),
        "config_invalid",
        "z_chanels",
    );
    refused(
        with("\"norm_groups\":2", "\"norm_groups\":3"),
        "config_invalid",
        "norm_groups",
    );
    refused(with("vqgan", "vqgun"), "config_invalid", "vqgun");
    let mut words = tiny.clone();
    words.set_config("a small model");
    assert_eq!(code(load(words.bytes())), "config_invalid");

    // Valid configs of other models; a giant one is rejected before anything is allocated for it.
    refused(
        with("\"ch\":4", "\"ch\":8192"),
        "weights_mismatch",
        "[16384] is expected",
    );
    let embedding = "quantize.embedding.weight";
    refused(
        with("\"n_embed\":32", "\"n_embed\":64"),
        "weights_mismatch",
        embedding,
    );
    assert_eq!(
        code(load(with("[1,2,2]", "[1,2,4]"))),
        "weights_mismatch",
        "a wider model"
    );
    let mut file = tiny;
    let vqvae = AutoencoderConfig::preset("vqvae-tiny").unwrap();
    file.set_config(vqvae.to_json().unwrap());
    assert_eq!(code(load(file.bytes())), "weights_mismatch");
}

#[test]
fn half_and_full_precision_both_load() {
    let device = Device::flex();
    for preset in ["vqgan-tiny", "vqvae-tiny", "vqvae2-tiny"] {
        let config = AutoencoderConfig::preset(preset).unwrap();
        let model = Autoencoder::new(&config, &device).unwrap();
        let save = |storage| {
            pollster::block_on(weights::save(&model, &config, About::default(), storage)).unwrap()
        };
        let (half, full) = (save(Storage::F16), save(Storage::F32));
        let (short, long) = (half.len(), full.len());
        let (half, full) = (load(half).unwrap(), load(full).unwrap());
        assert_eq!(half.parameters, full.parameters);
        // Two bytes fewer per parameter, except for the digits of the header's offsets.
        let saved = 2 * full.parameters;
        assert!(
            (long - short).abs_diff(saved) < 1024,
            "{preset}: {short} and {long} bytes"
        );
        let read = |loaded: &Loaded| -> Vec<f32> {
            let codebook = loaded.network.codebook(0).unwrap();
            codebook.into_data().iter::<f32>().collect()
        };
        for (h, f) in read(&half).into_iter().zip(read(&full)) {
            assert_eq!(h, half::f16::from_f32(f).to_f32(), "{preset}");
        }
    }
}

#[test]
fn the_storage_of_equal_values_changes_neither_hashes_nor_pictures() {
    let mut file = WeightFile::tiny();
    for tensor in file.tensors.values_mut() {
        *tensor = tensor.with(tensor.values());
    }
    assert!(
        file.tensors
            .values()
            .all(|t: &Stored| t.dtype == Dtype::F32)
    );
    let (half, full) = (codec(TINY), codec(file.bytes()));
    assert_eq!(half.hashes(), full.hashes());
    let tokens = encode(&half, &painted(40, 32));
    assert_eq!(encode(&full, &painted(40, 32)), tokens);
    assert_eq!(decode(&full, &tokens), decode(&half, &tokens));

    // The codebook and the decoder have separate hashes.
    file.map("quantize.embedding.weight", |v| v * 1.01);
    let other = codec(file.bytes());
    assert_ne!(other.hashes().codebook, half.hashes().codebook);
    assert_eq!(other.hashes().decoder, half.hashes().decoder);
    assert!(matches!(
        other.check(&tokens),
        Err(Error::TokensOtherCodebook { .. })
    ));
}
