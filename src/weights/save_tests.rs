use super::super::load;
use super::*;
use crate::models::Autoencoder;
use crate::models::AutoencoderConfig;
use crate::nn::{DecoderNorm, Layers};
use burn::tensor::{Device, Distribution, Tensor};

/// The decoder's input for `x`: each grid's codebook entries, or the Gaussians' means.
fn latents(model: &Autoencoder, x: &Tensor<4>) -> Vec<Tensor<4>> {
    let mut grids = Vec::new();
    for grid in 0..model.quantizers().len().max(1) {
        let z = model.latents(x.clone(), &grids);
        grids.push(match model.quantizers().is_empty() {
            true => z,
            false => model.lookup(grid, model.indices(grid, z).unwrap()).unwrap(),
        });
    }
    grids
}

#[test]
fn a_saved_model_loads_and_computes_the_same() {
    let device = Device::flex();
    for preset in ["vqgan-tiny", "vqvae-tiny", "kl-tiny", "vqvae2-tiny"] {
        let config = AutoencoderConfig::preset(preset).unwrap();
        let model = Autoencoder::new(&config, &device).unwrap();
        let bytes = pollster::block_on(save(
            &model,
            &config,
            About::named(Some("mine")),
            Storage::F32,
        ))
        .unwrap();
        let loaded = load(bytes, &device).unwrap().autoencoder().unwrap();
        assert_eq!(loaded.name.as_deref(), Some("mine"));
        assert_eq!(loaded.config, config);
        let x = Tensor::<4>::random([1, 3, 16, 16], Distribution::Uniform(-0.5, 0.5), &device);
        let rebuilt = |model: &Autoencoder| {
            let features = model.features(&latents(model, &x)).unwrap();
            model.picture(features).into_data()
        };
        rebuilt(&loaded.network).assert_eq(&rebuilt(&model), true);
    }
}

#[test]
fn int8_keeps_the_codebook_and_each_channel_within_half_a_step() {
    let device = Device::flex();
    for preset in ["vqgan-tiny", "vqvae-tiny"] {
        let config = AutoencoderConfig::preset(preset).unwrap();
        let model = Autoencoder::new(&config, &device).unwrap();
        let file =
            |storage| pollster::block_on(save(&model, &config, About::default(), storage)).unwrap();
        let (full, narrow) = (file(Storage::F32), file(Storage::Int8));
        assert!(narrow.len() * 2 < full.len(), "{preset}");
        let read = |bytes| super::super::CheckedWeights::of(bytes, None).unwrap();
        let (full, narrow) = (read(full), read(narrow));
        assert_eq!(full.hashes.codebook, narrow.hashes.codebook);
        assert_eq!(full.shapes, narrow.shapes);
        for (name, shape) in &full.shapes {
            let (f, n) = (full.values(name).unwrap(), narrow.values(name).unwrap());
            let largest = f.iter().fold(0.0, |a: f32, v| a.max(v.abs()));
            let step = if shape.len() == 4 {
                largest / 127.0
            } else {
                0.0
            };
            for (f, n) in f.iter().zip(&n) {
                assert!(
                    (f - n).abs() <= 0.501 * step,
                    "{preset} {name}: {f} and {n}"
                );
            }
        }
    }
}

#[test]
fn equal_weights_make_equal_files() {
    let device = Device::flex();
    let config = AutoencoderConfig::preset("vqvae-tiny").unwrap();
    let model = Autoencoder::new(&config, &device).unwrap();
    let file = || {
        pollster::block_on(save(
            &model,
            &config,
            About::named(Some("mine")),
            Storage::F16,
        ))
        .unwrap()
    };
    let first = file();
    for _ in 0..8 {
        assert_eq!(file(), first);
    }
}

fn has(config: &AutoencoderConfig, names: &[&str]) {
    let device = Device::flex();
    let model = Autoencoder::new(config, &device).unwrap();
    let bytes = pollster::block_on(save(&model, config, About::default(), Storage::F16)).unwrap();
    let checked = super::super::CheckedWeights::of(bytes.clone(), None).unwrap();
    for name in names {
        assert!(checked.shapes.contains_key(*name), "{name} is missing");
    }
    load(bytes, &device).unwrap();
}

#[test]
fn published_names_are_the_file_names() {
    let names = [
        "encoder.down.0.block.0.norm1.weight",
        "encoder.down.1.block.0.nin_shortcut.bias",
        "encoder.mid.attn_1.proj_out.weight",
        "decoder.up.1.upsample.conv.weight",
        "decoder.up.0.block.1.conv2.bias",
        "decoder.mid.block_1.norm1.weight",
        "quantize.embedding.weight",
        "post_quant_conv.weight",
    ];
    has(&AutoencoderConfig::preset("vqgan-tiny").unwrap(), &names);

    let AutoencoderConfig::VqGan(mut config) = AutoencoderConfig::preset("vqgan-tiny").unwrap()
    else {
        panic!("a preset of another kind");
    };
    config.network.ch = 32;
    config.network.decoder_norm = DecoderNorm::Spatial;
    let names = [
        "encoder.mid.block_1.norm1.weight",
        "decoder.mid.block_1.norm1.norm_layer.weight",
        "decoder.mid.attn_1.norm.conv_y.weight",
        "decoder.up.0.block.1.norm2.conv_b.bias",
        "decoder.norm_out.norm_layer.bias",
    ];
    has(&AutoencoderConfig::VqGan(config.clone()), &names);

    config.network.decoder_norm = DecoderNorm::Group;
    config.network.layers = Layers::MaskGit;
    config.network.mid_attention = false;
    let names = [
        "encoder.mid.0.conv1.weight",
        "decoder.up.1.upsample_conv.bias",
        "decoder.up.0.block.0.nin_shortcut.weight",
    ];
    has(&AutoencoderConfig::VqGan(config), &names);
}

#[test]
fn int8_has_a_scale_for_each_output_channel() {
    for preset in ["vqvae-tiny", "vqvae2-tiny", "vqgan-tiny"] {
        let config = AutoencoderConfig::preset(preset).unwrap();
        let model = Autoencoder::new(&config, &Device::flex()).unwrap();
        let bytes = pollster::block_on(save(&model, &config, About::default(), Storage::Int8));
        let bytes = bytes.unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let mut transposed = 0;
        for (name, scale) in file.iter().filter(|(name, _)| name.ends_with(SCALE)) {
            let weight = file.tensor(name.trim_end_matches(SCALE)).unwrap();
            // PyTorch's transposed convolutions are [in, out, height, width].
            let is_transposed =
                name.contains("up.") && preset != "vqgan-tiny" || name.starts_with("upsample_t");
            transposed += usize::from(is_transposed);
            let axis = usize::from(is_transposed);
            let mut expected = [1; 4];
            expected[axis] = weight.shape()[axis];
            assert_eq!(scale.shape(), expected, "{preset} {name}");
        }
        let known = [("vqvae-tiny", 2), ("vqvae2-tiny", 4), ("vqgan-tiny", 0)];
        assert!(
            known.contains(&(preset, transposed)),
            "{preset}: {transposed}"
        );
    }
}
