//! The shipped models: their entries in the index, and their quality on photos.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod support;

use burn::tensor::Device;
use pollster::block_on;
use sha2::{Digest, Sha256};
use support::{codec, decode, encode, part, root, sample, undivided};
use tesserae::generate::{PictureOptions, PictureSampler, SampleOptions, Sampler, bits};
use tesserae::pixels::metrics::{gradient_energy, psnr, ssim};
use tesserae::weights::{self, Container, Manifest, ManifestEntry};
use tesserae::{Picture, Tokens};

fn manifest() -> Manifest {
    let json = std::fs::read_to_string(root().join("www/models/index.json")).unwrap();
    Manifest::from_json(&json).unwrap()
}

fn weights(entry: &ManifestEntry) -> Vec<u8> {
    std::fs::read(root().join("www/models").join(&entry.file)).unwrap()
}

#[test]
fn the_index_and_the_files_agree() {
    let manifest = manifest();
    assert!(!manifest.models.is_empty());
    for entry in &manifest.models {
        let bytes = weights(entry);
        let name = &entry.name;
        assert_eq!(bytes.len() as u64, entry.bytes, "{name}");
        let digest: String = Sha256::digest(&bytes)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(digest, entry.sha256, "{name}");
        let folder = root().join("www/models");
        let card = std::fs::read_to_string(folder.join(&entry.card)).unwrap();
        assert!(card.contains(&entry.sha256), "{}", entry.card);
        if entry.stage == "prior" {
            agrees_with_its_file(entry, bytes, &manifest);
            continue;
        }
        if entry.stage == "generator" {
            makes_pictures_of_its_classes(entry, bytes);
            continue;
        }
        let codec = codec(bytes);
        let config = entry.config.autoencoder().unwrap();
        assert_eq!(codec.config(), config, "{name}");
        assert_eq!(codec.config().kind(), entry.kind, "{name}");
        assert_eq!(codec.name(), Some(name.as_str()));
        let codebook = (!config.grids().is_empty()).then(|| codec.hashes().codebook);
        assert_eq!(entry.codebook, codebook, "{name}");
        if let Some(discriminator) = &entry.discriminator {
            let bytes = std::fs::read(folder.join(&discriminator.file)).unwrap();
            assert_eq!(bytes.len() as u64, discriminator.bytes, "{name}");
            assert!(bytes.len() <= 6_000_000, "{name}");
            let file = Container::open(std::rc::Rc::new(bytes)).unwrap();
            weights::load_discriminator(&file, &Device::flex()).unwrap();
        }
    }
    assert_eq!(
        manifest.entry("nothing").unwrap_err().code(),
        "model_unknown"
    );
}

/// A generator takes the settings that its entry says, and its pictures of two classes differ.
fn makes_pictures_of_its_classes(entry: &ManifestEntry, bytes: Vec<u8>) {
    let name = &entry.name;
    let loaded = weights::load(bytes, &Device::flex()).unwrap();
    assert_eq!(loaded.name.as_ref(), Some(name));
    assert_eq!(loaded.config, entry.config, "{name}");
    let generator = loaded.generator().unwrap();
    assert_eq!(generator.config.classes(), entry.classes.len(), "{name}");
    let sampling = entry.sampling.unwrap();
    let made = |class| {
        let options = PictureOptions {
            class: Some(class),
            steps: sampling.steps.min(4),
            guidance: sampling.guidance,
            temperature: sampling.temperature,
            ..PictureOptions::default()
        };
        let network = generator.network.clone();
        let sampler = PictureSampler::new(network, &generator.config, options, &Device::flex());
        let mut sampler = sampler.unwrap();
        while sampler.done() < sampler.steps() {
            sampler.step();
        }
        block_on(sampler.pictures()).unwrap().remove(0)
    };
    assert!(psnr(&made(0), &made(1)).unwrap() < 20.0, "{name}");
}

/// A prior names the shipped model whose tokens it predicts.
fn agrees_with_its_file(entry: &ManifestEntry, bytes: Vec<u8>, manifest: &Manifest) {
    let name = &entry.name;
    let prior = weights::load(bytes, &Device::flex()).unwrap();
    assert_eq!(prior.name.as_ref(), Some(name));
    assert_eq!(prior.config, entry.config, "{name}");
    let corpus = prior.corpus.unwrap();
    assert_eq!(corpus.classes, entry.classes, "{name}");
    let [need] = &entry.needs[..] else {
        panic!("{name} needs {:?}", entry.needs);
    };
    assert_eq!(
        (&need.name, need.hash),
        (&corpus.tokenizer, corpus.codebook)
    );
    assert_eq!(
        manifest.entry(&need.name).unwrap().codebook,
        Some(need.hash)
    );
    assert_eq!(entry.codebook, None, "{name}");
}

/// What a prior draws for a class is likelier under that class than under any other: 19 of 20
/// digits at least.
#[test]
fn digits_are_drawn_of_the_class_that_was_asked_for() {
    for name in ["digits-maskgit", "digits-ar"] {
        let device = Device::flex();
        let file = weights(manifest().entry(name).unwrap());
        let prior = weights::load(file, &device).unwrap().prior().unwrap();
        let mut right = 0;
        for class in 0..10 {
            let options = SampleOptions {
                class: Some(class),
                count: 2,
                guidance: 2.5,
                ..SampleOptions::default()
            };
            let network = prior.network.clone();
            let mut sampler = Sampler::new(network, &prior.config, options, None, &device).unwrap();
            while sampler.done() < sampler.steps() {
                block_on(sampler.step()).unwrap();
            }
            for grid in sampler.grids().unwrap() {
                let under = |class| {
                    let grids = [(grid.indices.clone(), class)];
                    block_on(bits(&prior.network, &prior.config, &grids, &device)).unwrap()
                };
                let likeliest = (0..10).min_by(|a, b| under(*a).total_cmp(&under(*b)));
                right += usize::from(likeliest == Some(class));
            }
        }
        assert!(right >= 19, "{name}: {right} of 20");
    }
}

#[test]
fn every_model_is_small_enough_for_a_phone() {
    let sizes = manifest().models.into_iter().map(|entry| {
        let discriminator = entry.discriminator.map_or(0, |file| file.bytes);
        entry.bytes + discriminator
    });
    let all: u64 = sizes.sum();
    assert!(all <= 36_000_000, "{all} bytes");
    for entry in manifest().models {
        let name = &entry.name;
        assert!(entry.bytes <= 8_000_000, "{name}: {} bytes", entry.bytes);
        let Ok(config) = entry.config.autoencoder() else {
            continue;
        };
        let macs = config.macs(256, 256).unwrap();
        let most = match config.factor() {
            8 => 12_000_000_000,
            _ => 20_000_000_000,
        };
        assert!(macs <= most, "{name}: {macs} multiply-accumulates");
    }
}

const PHOTOS: [&str; 3] = ["astronaut.png", "chelsea.png", "coffee.png"];

/// Means over the three photos of PSNR, SSIM and gradient energy relative to the original; and the
/// tokens of each.
fn quality(name: &str, side: u32) -> ([f64; 3], Vec<Tokens>) {
    let codec = codec(weights(manifest().entry(name).unwrap()));
    let (mut means, mut all) = ([0.0; 3], Vec::new());
    for name in PHOTOS {
        let picture = sample(name);
        let tokens = encode(&codec, &picture);
        assert_eq!(
            (tokens.grids[0].rows, tokens.grids[0].columns),
            (side, side)
        );
        let rebuilt = decode(&codec, &tokens);
        let measured = [
            psnr(&picture, &rebuilt).unwrap(),
            ssim(&picture, &rebuilt).unwrap(),
            gradient_energy(&rebuilt) / gradient_energy(&picture),
        ];
        for (mean, value) in means.iter_mut().zip(measured) {
            *mean += value / PHOTOS.len() as f64;
        }
        all.push(tokens);
    }
    (means, all)
}

#[test]
fn both_stages_of_photos_f8_rebuild_photos_that_they_never_saw() {
    let ([psnr, ssim, soft], tokens) = quality("photos-f8-vqvae", 32);
    assert!(psnr >= 24.8 && ssim >= 0.71, "{psnr} dB, {ssim}");
    let ([psnr, ssim, sharp], same) = quality("photos-f8", 32);
    assert!(psnr >= 23.5 && ssim >= 0.66, "{psnr} dB, {ssim}");
    // The second stage keeps most of the original's texture, the first less than half.
    assert!(
        soft < 0.4 && (0.65..=1.1).contains(&sharp),
        "{sharp} and {soft}"
    );
    // One picture, one set of tokens, two decoders.
    for (a, b) in tokens.iter().zip(&same) {
        assert_eq!(a.grids, b.grids);
        assert_eq!(a.codebook_hash, b.codebook_hash);
        assert_ne!(a.decoder_hash, b.decoder_hash);
    }
}

#[test]
fn photos_f4_is_nearer_to_photos_that_it_never_saw() {
    let ([psnr, ssim, gradients], tokens) = quality("photos-f4", 64);
    assert!(psnr >= 26.7 && ssim >= 0.83, "{psnr} dB, {ssim}");
    assert!((0.8..=1.1).contains(&gradients), "{gradients}");
    // Its first stage decodes the same tokens.
    let ([psnr, ssim, _], same) = quality("photos-f4-vqvae", 64);
    assert!(psnr >= 27.5 && ssim >= 0.86, "{psnr} dB, {ssim}");
    for (a, b) in tokens.iter().zip(&same) {
        assert_eq!(a.grids, b.grids);
        assert_eq!(a.codebook_hash, b.codebook_hash);
    }
}

#[test]
fn photos_f8_takes_odd_sizes() {
    let manifest = manifest();
    let codec = codec(weights(manifest.entry("photos-f8").unwrap()));
    let photo = sample("rocket.jpg");
    for (width, height) in [(1, 1), (3, 5), (33, 70)] {
        let picture = part(&photo, 280, 120, width, height);
        let rebuilt = decode(&codec, &encode(&codec, &picture));
        assert_eq!((rebuilt.width(), rebuilt.height()), (width, height));
    }
}

#[test]
fn photos_f8_shows_no_seam_between_windows() {
    // Two windows of 512 pixels, the second starting at column 128. Group normalisation and
    // attention see a window instead of the whole picture, so windows differ slightly; blending
    // must hide it.
    let manifest = manifest();
    let codec = codec(weights(manifest.entry("photos-f8").unwrap()));
    let photo = part(&sample("rocket.jpg"), 0, 300, 640, 64);
    let tokens = encode(&codec, &photo);
    let (grids, whole) = undivided(&codec, &photo);
    let indices = &grids[0].indices;
    let same = tokens.grids[0].indices.iter().zip(indices);
    let same = same.filter(|(a, b)| a == b).count();
    assert!(
        2 * same > indices.len(),
        "{same} of {} tokens are the same",
        indices.len()
    );
    let [windows, one] =
        [decode(&codec, &tokens), whole.clone()].map(|p| psnr(&photo, &p).unwrap());
    assert!(
        windows > one - 1.0,
        "{windows} dB in windows, {one} dB in one"
    );

    // The same tokens both ways: measured 40 dB, and steps between columns that differ by 0.4.
    let tiled = decode(&codec, &Tokens { grids, ..tokens });
    let near = psnr(&tiled, &whole).unwrap();
    assert!(near > 34.0, "{near} dB between windows and the whole");
    let step = |picture: &Picture, x: usize| {
        let rows = picture.rgb().chunks_exact(3 * 640);
        let pairs = rows.flat_map(|row| row[3 * x..3 * x + 3].iter().zip(&row[3 * x + 3..]));
        let sum: u32 = pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        f64::from(sum) / (3.0 * 64.0)
    };
    for edge in [128, 176, 464, 512] {
        for x in edge - 4..edge + 4 {
            let (tiled, whole) = (step(&tiled, x), step(&whole, x));
            assert!(
                tiled < whole + 1.5,
                "column {x}: a step of {tiled}, {whole} without windows"
            );
        }
    }
}

fn art(name: &str) -> Picture {
    Picture::decode(&std::fs::read(root().join("www/art").join(name)).unwrap()).unwrap()
}

#[test]
fn the_landing_page_shows_what_the_default_model_makes() {
    // Generated by `./build.sh art`.
    let manifest = manifest();
    let codec = codec(weights(&manifest.models[0]));
    let photo = sample("chelsea.png");
    let tokens = encode(&codec, &photo);
    let rebuilt = decode(&codec, &tokens);

    // High-quality JPEG and WebP; the reconstruction itself is 26.1 dB from the photo.
    let near = psnr(&art("photo.jpg"), &photo).unwrap();
    assert!(near > 34.0, "photo.jpg: {near} dB");
    let near = psnr(&art("rebuilt.webp"), &rebuilt).unwrap();
    assert!(near > 34.0, "rebuilt.webp: {near} dB");

    let palette = block_on(codec.palette(0)).unwrap();
    let (grid, shown) = (&tokens.grids[0], art("tokens.png"));
    let (width, side) = (shown.width(), shown.width() / grid.columns);
    assert_eq!(
        (side * grid.columns, side * grid.rows),
        (width, shown.height())
    );
    for (i, pixel) in shown.rgb().chunks_exact(3).enumerate() {
        let (x, y) = (i as u32 % width, i as u32 / width);
        let code = grid.indices[(y / side * grid.columns + x / side) as usize] as usize;
        assert_eq!(
            pixel,
            &palette[3 * code..3 * code + 3],
            "tokens.png at {x}, {y}"
        );
    }
}
