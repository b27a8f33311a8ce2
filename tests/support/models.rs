//! Small models of each kind, with random weights.

use burn::tensor::Device;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tesserae::models::{VqVae2Config, VqVaeConfig};
use tesserae::weights::{self, About, Storage};
use tesserae::{Autoencoder, AutoencoderConfig, Codec, quantize};

use super::{WeightFile, codec, painted, planes};

/// A model with random weights that are large enough to distinguish inputs.
fn random(config: &AutoencoderConfig) -> WeightFile {
    let model = Autoencoder::new(config, &Device::flex()).unwrap();
    let bytes = pollster::block_on(weights::save(
        &model,
        config,
        About::default(),
        Storage::F32,
    ))
    .unwrap();
    let mut file = WeightFile::of(&bytes);
    // Sampled here, as the device's seed is shared by all tests of the process.
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for tensor in file.tensors.values_mut() {
        let inputs: usize = tensor.shape[1..].iter().product();
        let bound = if tensor.shape.len() == 1 {
            0.1
        } else {
            (inputs as f32).sqrt().recip()
        };
        *tensor = tensor.with(
            tensor
                .values()
                .iter()
                .map(|_| rng.random_range(-bound..bound)),
        );
    }
    file
}

/// A purely convolutional model: its output at a position depends on nothing far away, so windows
/// must agree exactly. Random weights, but with used codes and visible contrast; `last` are its
/// decoders' last layers, and `codebooks` the grids', coarsest first.
fn convolutional(config: &AutoencoderConfig, last: &[&str], codebooks: &[&str]) -> Codec {
    let mut file = random(config);
    for layer in last {
        file.map(layer, |v| 12.0 * v);
    }
    // The codebooks: 64 latents of a picture.
    let mut entries = Vec::new();
    for (grid, codebook) in codebooks.iter().enumerate() {
        let before = codec(file.bytes());
        let x = planes(&before, &painted(128, 128));
        let z = before.model().latents(x.clone(), &entries);
        let rows: Vec<f32> = quantize::flatten(z.clone()).into_data().iter().collect();
        let step = rows.len() / 8 / 64;
        let rows = rows.chunks_exact(8).skip(step / 3).step_by(step).take(64);
        let embedding = file.get(codebook);
        *embedding = embedding.with(rows.flatten().copied());

        let after = codec(file.bytes());
        let indices = after.model().indices(grid, z).unwrap();
        entries.push(after.model().lookup(grid, indices).unwrap());
    }
    codec(file.bytes())
}

pub fn one_grid() -> Codec {
    let config = AutoencoderConfig::VqVae(VqVaeConfig {
        in_channels: 3,
        hidden: 8,
        residual_hidden: 4,
        residual_layers: 1,
        downsamplings: 2,
        embed_dim: 8,
        n_embed: 64,
        input: [-0.5, 0.5],
    });
    convolutional(
        &config,
        &["decoder.up.1.weight"],
        &["quantize.embedding.weight"],
    )
}

pub fn two_grids() -> Codec {
    let config = AutoencoderConfig::VqVae2(VqVae2Config {
        in_channels: 3,
        hidden: 8,
        residual_hidden: 4,
        residual_layers: 1,
        embed_dim: 8,
        n_embed: 64,
        input: [-0.5, 0.5],
    });
    let last = ["dec_t.up.0.weight", "dec.up.1.weight"];
    let codebooks = ["quantize_t.embedding.weight", "quantize_b.embedding.weight"];
    convolutional(&config, &last, &codebooks)
}

pub fn without_codebook() -> Codec {
    codec(random(&AutoencoderConfig::preset("kl-tiny").unwrap()).bytes())
}
