//! Generators through the package's API, and on both devices.

use burn::tensor::Device;
use tesserae::generate::{Origin, PictureOptions, PictureSampler};
use tesserae::models::Generator;
use tesserae::web::{self, Engine, GeneratorWeights, Trainer};
use tesserae::weights::{About, Storage, save};
use tesserae::{GeneratorConfig, Picture};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{array, code_of, number, webgpu};

const TINY: [&str; 3] = ["vae-tiny", "gan-tiny", "diffusion-tiny"];

fn json(text: &str) -> JsValue {
    js_sys::JSON::parse(text).unwrap()
}

/// A generator with random weights: those of an untrained one make nothing but grey.
fn generator(preset: &str) -> (Generator, GeneratorConfig) {
    let device = Device::flex();
    device.seed(3);
    let config = GeneratorConfig::preset(preset).unwrap();
    (Generator::new(&config, &device).unwrap(), config)
}

async fn file(preset: &str) -> Vec<u8> {
    let (generator, config) = generator(preset);
    let about = About {
        name: Some(preset),
        ..About::default()
    };
    save(&generator, &config, about, Storage::F32)
        .await
        .unwrap()
}

fn gradient() -> Vec<u8> {
    (0..64).flat_map(|pixel| [4 * pixel as u8; 3]).collect()
}

/// Pictures by seeds, and one of a picture, on one device.
async fn made(weights: &[u8], device: &Device) -> Vec<Picture> {
    let loaded = tesserae::weights::load(weights.to_vec(), device).unwrap();
    let generator = loaded.generator().unwrap();
    let start = Picture::from_rgb(8, 8, gradient()).unwrap();
    let mut pictures = Vec::new();
    for (origin, count) in [(Origin::Seed, 3), (Origin::Picture(start), 1)] {
        let options = PictureOptions {
            class: Some(2),
            count,
            seed: 11,
            steps: 4,
            ..PictureOptions::default()
        };
        let network = generator.network.clone();
        let sampler = PictureSampler::begin(network, &generator.config, options, origin, device);
        let mut sampler = sampler.unwrap();
        while sampler.done() < sampler.steps() {
            sampler.step();
        }
        pictures.extend(sampler.pictures().await.unwrap());
    }
    pictures
}

#[wasm_bindgen_test]
async fn both_devices_make_the_same_pictures() {
    for preset in TINY {
        let weights = file(preset).await;
        let cpu = made(&weights, &Device::flex()).await;
        let gpu = made(&weights, &webgpu().await.device).await;
        for (cpu, gpu) in cpu.iter().zip(&gpu) {
            let pairs = cpu.rgb().iter().zip(gpu.rgb());
            let most = pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(most <= 2, "{preset}: off by {most}");
        }
    }
}

#[wasm_bindgen_test]
async fn a_generator_is_loaded_and_makes_pictures_step_by_step() {
    let engine = Engine::open("cpu".into(), None).await.unwrap();
    for preset in TINY {
        let weights = GeneratorWeights::check(&engine, array(&file(preset).await), None).unwrap();
        let generator = weights.load(&engine).unwrap();
        let facts = generator.facts().unwrap();
        assert_eq!(
            (number(&facts, "width"), number(&facts, "classes")),
            (8.0, 4.0)
        );
        let begin = |text: &str, noise: Option<Vec<f32>>| {
            web::PictureSampler::begin(&engine, &generator, json(text), noise, None)
        };
        let mut sampler = begin(r#"{"class": 1, "count": 2, "steps": 3}"#, None).unwrap();
        let steps = if preset == "diffusion-tiny" { 3 } else { 1 };
        assert_eq!(sampler.steps(), steps);
        while sampler.done() < sampler.steps() {
            sampler.step().await;
        }
        let pictures = sampler.pictures().await.unwrap();
        assert_eq!((pictures.len(), pictures[0].width()), (2, 8));

        let given = vec![0.5; number(&facts, "noise") as usize];
        begin("{}", Some(given)).unwrap();
        let start = || web::Picture::from_rgb(8, 8, gradient()).unwrap();
        let from = web::PictureSampler::begin(&engine, &generator, json("{}"), None, Some(start()));
        from.unwrap();
        match generator.latent(&engine, &start(), Some(1), None).await {
            Ok(latent) => assert_eq!(latent.len() as f64, number(&facts, "noise")),
            Err(error) => assert_eq!(
                (preset, code_of(&error)),
                ("diffusion-tiny", "argument".into())
            ),
        }
        for (text, noise) in [
            (r#"{"steps": 0}"#, None),
            (r#"{"class": 4}"#, None),
            (r#"{"stops": 1}"#, None),
            ("{}", Some(vec![0.0])),
        ] {
            let error = begin(text, noise).map(|_| ()).unwrap_err();
            assert_eq!(code_of(&error), "argument", "{text}");
        }
    }
}

/// Four classes of 8×8 in one sheet of two rows; the loss falls, and what is made is read.
#[wasm_bindgen_test]
async fn generators_and_autoencoders_are_trained_on_a_sheet() {
    let engine = Engine::open("cpu".into(), None).await.unwrap();
    let rgb = |x: usize, y: usize| [((x / 8 + 2 * (y / 8)) * 60) as u8; 3];
    let samples = (0..16).flat_map(|y| (0..16).flat_map(move |x| rgb(x, y)));
    let sheet = web::Picture::from_rgb(16, 16, samples.collect()).unwrap();
    let begin = |config: &str| Trainer::begin(&engine, json(config), &sheet, 8, vec![0, 1, 2, 3]);
    let optimizer = r#""optimizer": {"learning_rate": 0.01}, "batch": 8, "steps": 40"#;
    let vae = r#""kind": "vae", "channels": 1, "side": 8, "classes": 4, "width": 4, "hidden": 16, "latent": 2"#;
    let gan = r#""kind": "gan", "channels": 1, "side": 8, "classes": 4, "width": 4, "latent": 4"#;
    let critic = r#""discriminator": {"width": 4, "optimizer": {"learning_rate": 0.01}}"#;
    for (config, term) in [
        (
            format!("{{\"model\": {{{vae}}}, {optimizer}}}"),
            "reconstruction",
        ),
        (
            format!("{{\"model\": {{{gan}}}, {critic}, {optimizer}}}"),
            "generator",
        ),
    ] {
        let mut trainer = begin(&config).unwrap();
        let mut terms = Vec::new();
        while trainer.done() < 40 {
            let step = trainer.step().await.unwrap();
            let losses = js_sys::Reflect::get(&step, &"losses".into()).unwrap();
            terms.push(number(&losses, term));
        }
        assert!(terms.iter().all(|term| term.is_finite()), "{terms:?}");
        if term == "reconstruction" {
            assert!(terms[39] < terms[0], "{terms:?}");
        }
        let made = trainer
            .sample(json(r#"{"class": 2, "count": 3}"#))
            .await
            .unwrap();
        assert_eq!((made.len(), made[0].height()), (3, 8));
        let weights = trainer.weights(Some("mine".into())).await.unwrap();
        GeneratorWeights::check(&engine, array(&weights), None).unwrap();
        let error = trainer.rebuild(&sheet).await.map(|_| ()).unwrap_err();
        assert_eq!(code_of(&error), "argument");
        assert_eq!(code_of(&trainer.step().await.unwrap_err()), "argument");
    }

    let autoencoder = r#"{"model": {"kind": "vqvae", "hidden": 8, "residual_hidden": 4, "residual_layers": 1,
        "downsamplings": 2, "embed_dim": 4, "n_embed": 8}, "data": {"crop": 8}, "batch": 4, "steps": 6,
        "optimizer": {"learning_rate": 0.01}, "codebook": {"quantize_after": 2, "kmeans_batches": 1}}"#;
    let mut trainer = begin(autoencoder).unwrap();
    while trainer.done() < 6 {
        trainer.step().await.unwrap();
    }
    assert!(number(&trainer.usage().await.unwrap(), "used") >= 1.0);
    let rebuilt = trainer.rebuild(&sheet).await.unwrap();
    assert_eq!((rebuilt.width(), rebuilt.height()), (16, 16));
    assert!(trainer.sample(json("{}")).await.is_err());

    for (config, sheet, side) in [("{}", &sheet, 8), (autoencoder, &sheet, 7)] {
        let begun = Trainer::begin(&engine, json(config), sheet, side, vec![0; 4]);
        assert!(begun.is_err(), "{config}, {side}");
    }
    let many = Trainer::begin(&engine, json(autoencoder), &sheet, 8, vec![0; 5]);
    assert_eq!(code_of(&many.map(|_| ()).unwrap_err()), "argument");
}
