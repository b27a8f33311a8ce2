//! Generators of pictures: the U-Net compared with diffusers', training, sampling, and what is
//! refused.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod common;

use burn::tensor::Device;
use common::generators::generator_tests;
use common::native_tests;
use pollster::block_on;
use serde_json::json;
use tesserae::generate::{PictureOptions, PictureSampler};
use tesserae::models::diffusion::{Path, Target};
use tesserae::models::{DiffusionConfig, Generator};
use tesserae::train::{
    Contest, CriticConfig, Event, Generation, GeneratorTrainConfig, LabelledPictures,
    OptimizerConfig, Rhythm, Session, Task,
};
use tesserae::weights::{Storage, load};
use tesserae::{Error, GeneratorConfig, Picture, Result};

generator_tests!(native_tests);

const TINY: [&str; 3] = ["vae-tiny", "gan-tiny", "diffusion-tiny"];

/// Pictures of 8×8 whose class is the quarter that is white.
fn quarters() -> Vec<(Picture, usize)> {
    let picture = |class: usize| {
        let white = |x: usize, y: usize| (x / 4, y / 4) == (class % 2, class / 2);
        let pixel = |i: usize| if white(i % 8, i / 8) { 255 } else { 0 };
        let rgb = (0..64).flat_map(|i| [pixel(i); 3]).collect();
        (Picture::from_rgb(8, 8, rgb).unwrap(), class)
    };
    (0..4).map(picture).collect()
}

fn config(model: GeneratorConfig, steps: usize) -> GeneratorTrainConfig {
    let optimizer: OptimizerConfig =
        serde_json::from_str(r#"{"learning_rate": 0.01, "average": 0.9}"#).unwrap();
    GeneratorTrainConfig {
        model,
        batch: 16,
        steps,
        optimizer,
        label_drop: 0.1,
        shift: 0,
        free_bits: 0.0,
        discriminator: None,
        seed: 5,
    }
}

/// A GAN's, whose two learning rates differ.
fn contest(steps: usize) -> GeneratorTrainConfig {
    let optimizer = |rate: f64| -> OptimizerConfig {
        let json = json!({"learning_rate": rate, "warmup": 1, "beta_1": 0.0, "average": 0.95});
        serde_json::from_value(json).unwrap()
    };
    GeneratorTrainConfig {
        optimizer: optimizer(2e-3),
        discriminator: Some(CriticConfig {
            width: 8,
            optimizer: optimizer(4e-3),
        }),
        ..config(GeneratorConfig::preset("gan-tiny").unwrap(), steps)
    }
}

fn game(config: &GeneratorTrainConfig) -> Session<Contest> {
    let device = Device::flex();
    device.seed(config.seed);
    let generator = Generator::new(&config.model, &device).unwrap();
    let pictures = LabelledPictures::new(quarters(), &config.model).unwrap();
    Session::train_gan(config, generator, pictures, &device, Rhythm::default()).unwrap()
}

fn session(config: &GeneratorTrainConfig) -> Session<Generation> {
    let device = Device::flex();
    device.seed(config.seed);
    let generator = Generator::new(&config.model, &device).unwrap();
    let pictures = LabelledPictures::new(quarters(), &config.model).unwrap();
    Session::train_generator(config, generator, pictures, &device, Rhythm::default()).unwrap()
}

fn run(session: &mut Session<impl Task>) -> Vec<Event> {
    std::iter::from_fn(|| block_on(session.next()).unwrap()).collect()
}

fn sample(generator: Generator, config: &GeneratorConfig, options: PictureOptions) -> Vec<Picture> {
    let mut sampler = PictureSampler::new(generator, config, options, &Device::flex()).unwrap();
    while sampler.done() < sampler.steps() {
        sampler.step();
    }
    block_on(sampler.pictures()).unwrap()
}

/// The quarter whose pixels are brightest.
fn brightest(picture: &Picture) -> usize {
    let sum = |class: usize| {
        let inside = |i: &usize| (i % 8 / 4, i / 8 / 4) == (class % 2, class / 2);
        let pixels = (0..64).filter(inside);
        pixels.map(|i| u32::from(picture.rgb()[3 * i])).sum::<u32>()
    };
    (0..4).max_by_key(|class| sum(*class)).unwrap()
}

/// How many of `count` pictures a class show that class.
fn right(generator: &Generator, config: &GeneratorConfig, more: &PictureOptions) -> usize {
    let shown = |class| {
        let options = PictureOptions {
            class: Some(class),
            count: 16,
            ..more.clone()
        };
        let pictures = sample(generator.clone(), config, options);
        let shown = pictures
            .iter()
            .filter(|picture| brightest(picture) == class);
        shown.count()
    };
    (0..4).map(shown).sum()
}

#[test]
fn a_vae_learns_to_draw_what_it_is_asked() {
    let model = GeneratorConfig::preset("vae-tiny").unwrap();
    let mut session = session(&config(model.clone(), 300));
    let before = right(
        &session.task().generator(),
        &model,
        &PictureOptions::default(),
    );
    run(&mut session);
    let generator = session.task().generator();
    let after = right(&generator, &model, &PictureOptions::default());
    assert!(before < 32, "{before} of 64");
    assert!(after >= 60, "{after} of 64");
}

#[test]
fn a_gan_learns_to_draw_what_it_is_asked() {
    let config = contest(400);
    let mut session = game(&config);
    run(&mut session);
    let generator = session.task().generator();
    let right = right(&generator, &config.model, &PictureOptions::default());
    assert!(right >= 56, "{right} of 64");
}

#[test]
fn a_gan_without_a_discriminator_and_another_model_with_one_are_refused() {
    let gan = GeneratorTrainConfig {
        discriminator: None,
        ..contest(1)
    };
    let vae = GeneratorTrainConfig {
        model: GeneratorConfig::preset("vae-tiny").unwrap(),
        ..contest(1)
    };
    for config in [gan, vae] {
        let error = config.validate().unwrap_err();
        assert_eq!(error.code(), "config_invalid");
        assert!(error.to_string().contains("`discriminator`"), "{error}");
    }
}

#[test]
fn every_kind_of_diffusion_learns_to_draw_what_it_is_asked() {
    let GeneratorConfig::Diffusion(tiny) = GeneratorConfig::preset("diffusion-tiny").unwrap()
    else {
        panic!("another kind");
    };
    for (path, target) in [
        (Path::Cosine, Target::Velocity),
        (Path::Linear, Target::Noise),
        (Path::Straight, Target::Flow),
    ] {
        let model = GeneratorConfig::Diffusion(DiffusionConfig {
            path,
            target,
            ..tiny.clone()
        });
        let mut session = session(&config(model.clone(), 300));
        run(&mut session);
        let generator = session.task().generator();
        for eta in [0.0, 1.0] {
            let options = PictureOptions {
                steps: 20,
                eta,
                guidance: 2.0,
                ..PictureOptions::default()
            };
            let right = right(&generator, &model, &options);
            assert!(right >= 52, "{path:?}, {target:?}, {eta}: {right} of 64");
        }
    }
}

#[test]
fn a_training_goes_on_from_its_checkpoint_to_the_bit() {
    for preset in ["vae-tiny", "diffusion-tiny"] {
        let config = config(GeneratorConfig::preset(preset).unwrap(), 4);
        goes_on(|| session(&config), &config.model);
    }
    let config = contest(4);
    goes_on(|| game(&config), &config.model);
}

fn goes_on<T: Task>(start: impl Fn() -> Session<T>, model: &GeneratorConfig) {
    let mut whole = start();
    block_on(whole.next()).unwrap();
    block_on(whole.next()).unwrap();
    let checkpoint = block_on(whole.checkpoint()).unwrap();
    let mut rest = start();
    rest.resume(&checkpoint).unwrap();
    assert_eq!(run(&mut rest), run(&mut whole), "{model:?}");
    let files =
        |session: &Session<T>| block_on(session.artifacts(Some("mine"), Storage::F16)).unwrap();
    assert_eq!(files(&rest), files(&whole), "{model:?}");
    let loaded = load(files(&rest).remove(0).bytes, &Device::flex()).unwrap();
    assert_eq!(loaded.name.as_deref(), Some("mine"));
    assert_eq!(&loaded.generator().unwrap().config, model);
}

#[test]
fn a_seed_gives_the_same_picture_alone_and_among_others() {
    for preset in TINY {
        let config = GeneratorConfig::preset(preset).unwrap();
        let generator = Generator::new(&config, &Device::flex()).unwrap();
        let of = |seed, count, eta| {
            let options = PictureOptions {
                seed,
                count,
                eta,
                steps: 3,
                ..PictureOptions::default()
            };
            sample(generator.clone(), &config, options)
        };
        for eta in [0.0, 1.0] {
            let all = of(7, 3, eta);
            assert_eq!(all[2..], of(9, 1, eta), "{preset}");
            assert_ne!(all[0], all[1], "{preset}");
        }
    }
}

#[test]
fn bad_options_are_refused_in_a_sentence() {
    let device = Device::flex();
    let refused = |preset: &str, options: PictureOptions| -> String {
        let config = GeneratorConfig::preset(preset).unwrap();
        let generator = Generator::new(&config, &device).unwrap();
        let made: Result<_> = PictureSampler::new(generator, &config, options, &device);
        let error = made.map(|_| ()).unwrap_err();
        assert_eq!(error.code(), "argument");
        error.to_string()
    };
    let usual = PictureOptions::default;
    let cases: [(PictureOptions, &str); 8] = [
        (
            PictureOptions {
                steps: 0,
                ..usual()
            },
            "The number of steps is 0",
        ),
        (
            PictureOptions {
                steps: 10_000,
                ..usual()
            },
            "The number of steps is 10000",
        ),
        (
            PictureOptions {
                class: Some(4),
                ..usual()
            },
            "Class 4 is outside 0 to 3",
        ),
        (
            PictureOptions {
                guidance: 2.0,
                ..usual()
            },
            "Guidance needs a class",
        ),
        (
            PictureOptions {
                class: Some(0),
                guidance: 101.0,
                ..usual()
            },
            "The guidance is 101",
        ),
        (
            PictureOptions {
                eta: f64::NAN,
                ..usual()
            },
            "The share of new noise is NaN",
        ),
        (
            PictureOptions {
                count: 0,
                ..usual()
            },
            "The number of pictures is 0",
        ),
        (
            PictureOptions {
                temperature: -1.0,
                ..usual()
            },
            "The temperature is -1",
        ),
    ];
    for preset in TINY {
        for (options, start) in &cases {
            let told = refused(preset, options.clone());
            assert!(told.starts_with(start), "{told}");
        }
    }
}

#[test]
fn pictures_that_do_not_fit_are_refused() {
    let config = GeneratorConfig::preset("vae-tiny").unwrap();
    let small = Picture::from_rgb(4, 8, vec![0; 96]).unwrap();
    let right = Picture::from_rgb(8, 8, vec![0; 192]).unwrap();
    for (pictures, code) in [
        (vec![(small, 0)], "weights_mismatch"),
        (vec![(right, 4)], "weights_mismatch"),
        (Vec::new(), "dataset_empty"),
    ] {
        let error: Error = LabelledPictures::new(pictures, &config).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
    assert_eq!(config.shape(), [1, 8, 8]);
}

#[test]
fn bad_configs_are_refused_by_their_field() {
    for (json, field) in [
        (
            r#"{"kind": "vae", "channels": 1, "side": 6, "width": 4, "hidden": 4, "latent": 2}"#,
            "side",
        ),
        (
            r#"{"kind": "vae", "channels": 4, "side": 8, "width": 4, "hidden": 4, "latent": 2}"#,
            "channels",
        ),
        (
            r#"{"kind": "gan", "channels": 1, "side": 8, "width": 6, "latent": 2}"#,
            "width",
        ),
        (
            r#"{"kind": "diffusion", "channels": 1, "side": 6, "width": 4, "multipliers": [1, 1, 1], "blocks": 1, "groups": 2}"#,
            "halved 2 times",
        ),
        (
            r#"{"kind": "diffusion", "channels": 1, "side": 8, "width": 6, "multipliers": [1], "blocks": 1, "groups": 4}"#,
            "groups",
        ),
        (
            r#"{"kind": "diffusion", "channels": 1, "side": 8, "width": 4, "multipliers": [], "blocks": 1, "groups": 4}"#,
            "multipliers",
        ),
    ] {
        let error = GeneratorConfig::from_json(json).unwrap_err();
        assert_eq!(error.code(), "config_invalid");
        assert!(error.to_string().contains(field), "{error}");
    }
}
