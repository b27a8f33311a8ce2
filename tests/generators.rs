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
use tesserae::generate::{Origin, PictureOptions, PictureSampler, Route, Walk, latent_of};
use tesserae::models::diffusion::{Path, Target};
use tesserae::models::{DiffusionConfig, Generator};
use tesserae::random::noise;
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
        beta: 1.0,
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
    let cases: [(PictureOptions, &str); 9] = [
        (
            PictureOptions {
                strength: 1.5,
                ..usual()
            },
            "The strength is 1.5",
        ),
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

/// A picture of the size that all presets make, brighter towards the bottom.
fn drawing() -> Picture {
    let rgb = (0..64).flat_map(|pixel| [4 * pixel as u8; 3]).collect();
    Picture::from_rgb(8, 8, rgb).unwrap()
}

fn begun(
    preset: &str,
    options: PictureOptions,
    origin: Origin,
) -> Result<(PictureSampler, Generator, GeneratorConfig)> {
    let device = Device::flex();
    device.seed(5);
    let config = GeneratorConfig::preset(preset)?;
    let generator = Generator::new(&config, &device)?;
    let sampler = PictureSampler::begin(generator.clone(), &config, options, origin, &device)?;
    Ok((sampler, generator, config))
}

fn finished(mut sampler: PictureSampler) -> Vec<Picture> {
    while sampler.done() < sampler.steps() {
        sampler.step();
    }
    block_on(sampler.pictures()).unwrap()
}

#[test]
fn a_walk_leads_from_one_seed_to_another() {
    for preset in TINY {
        for route in [Route::Straight, Route::Spherical] {
            let options = |seed, count, walk| PictureOptions {
                seed,
                count,
                steps: 3,
                walk,
                ..PictureOptions::default()
            };
            let walk = Some(Walk { to: 8, route });
            let (sampler, generator, config) =
                begun(preset, options(3, 5, walk), Origin::Seed).unwrap();
            let pictures = finished(sampler);
            let alone = |seed| sample(generator.clone(), &config, options(seed, 1, None));
            assert_eq!(pictures[..1], alone(3), "{preset}");
            assert_eq!(pictures[4..], alone(8), "{preset}");
            assert_ne!(pictures[1], pictures[2], "{preset}");
        }
    }
}

#[test]
fn noise_can_be_given_and_must_fit() {
    for preset in TINY {
        let options = PictureOptions {
            count: 2,
            steps: 3,
            ..PictureOptions::default()
        };
        let config = GeneratorConfig::preset(preset).unwrap();
        let length = config.noise().iter().product();
        let values = [0, 1].map(|seed| noise(seed, length)).concat();
        let (sampler, generator, config) =
            begun(preset, options.clone(), Origin::Noise(values.clone())).unwrap();
        let seeded = sample(generator, &config, options.clone());
        assert_eq!(finished(sampler), seeded, "{preset}");

        let broken = [f32::NAN].into_iter().chain(values[1..].iter().copied());
        for (values, told) in [
            (values[1..].to_vec(), "numbers are given where 2 ×"),
            (broken.collect(), "A number is not finite"),
        ] {
            let refused = begun(preset, options.clone(), Origin::Noise(values));
            let error = refused.map(|_| ()).unwrap_err();
            assert_eq!(error.code(), "argument");
            assert!(error.to_string().contains(told), "{error}");
        }
    }
}

/// The mean squared difference of two pictures' samples.
fn apart(a: &Picture, b: &Picture) -> f64 {
    let pairs = a.rgb().iter().zip(b.rgb());
    let squares = pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
    squares.sum::<f64>() / a.rgb().len() as f64
}

#[test]
fn a_diffusion_model_keeps_as_much_of_a_picture_as_the_strength_says() {
    let options = |strength| PictureOptions {
        steps: 8,
        strength,
        ..PictureOptions::default()
    };
    let start = || Origin::Picture(drawing());
    let of = |strength| begun("diffusion-tiny", options(strength), start()).unwrap();
    let (unchanged, ..) = of(0.0);
    assert_eq!(unchanged.steps(), 0);
    assert_eq!(finished(unchanged), [drawing()]);
    let (half, ..) = of(0.5);
    assert_eq!(half.steps(), 4);
    // 7.000 000 000 000 001 in floating point.
    let options = PictureOptions {
        steps: 25,
        ..options(0.28)
    };
    let (some, ..) = begun("diffusion-tiny", options, start()).unwrap();
    assert_eq!(some.steps(), 7);
    let (all, ..) = of(1.0);
    assert_eq!(all.steps(), 8);
    let [half, all] = [half, all].map(|sampler| apart(&finished(sampler)[0], &drawing()));
    assert!(half < all, "{half}, {all}");
}

#[test]
fn the_latent_of_a_picture_is_found() {
    // By the encoder that was trained with it, and by search: the picture is one of the generator's.
    let config = config(GeneratorConfig::preset("vae-tiny").unwrap(), 300);
    let mut session = session(&config);
    run(&mut session);
    let device = Device::flex();
    let trained = session.task().generator();
    let gan = GeneratorConfig::preset("gan-tiny").unwrap();
    device.seed(4);
    let untrained = Generator::new(&gan, &device).unwrap();
    for (generator, config) in [(trained, config.model), (untrained, gan)] {
        let options = PictureOptions {
            class: Some(2),
            count: 4,
            seed: 30,
            ..PictureOptions::default()
        };
        let made = sample(generator.clone(), &config, options.clone());
        let several = Origin::Picture(made[0].clone());
        let network = generator.clone();
        let refused = PictureSampler::begin(network, &config, options.clone(), several, &device);
        let error = refused.map(|_| ()).unwrap_err();
        assert!(
            error.to_string().contains("one picture of a picture"),
            "{error}"
        );
        let options = PictureOptions {
            count: 1,
            // Only of what is drawn.
            temperature: 0.1,
            ..options
        };
        let mut watched = 0;
        let mut watch = async || {
            watched += 1;
            true
        };
        let class = options.class;
        let latent = latent_of(&generator, &config, &made[0], class, &device, &mut watch);
        let latent = Origin::Noise(block_on(latent).unwrap());
        assert_eq!(watched > 0, generator.encoder().is_none());
        let mut stop = async || false;
        let stopped = latent_of(&generator, &config, &made[0], class, &device, &mut stop);
        assert_eq!(block_on(stopped).is_err(), generator.encoder().is_none());
        let start = Origin::Picture(made[0].clone());
        let [found, again] = [start, latent].map(|origin| {
            let options = options.clone();
            let network = generator.clone();
            let sampler = PictureSampler::begin(network, &config, options, origin, &device);
            finished(sampler.unwrap())
        });
        assert_eq!(found, again);
        let others = made[1..].iter().map(|other| apart(other, &made[0]));
        let nearest = others.fold(f64::INFINITY, f64::min);
        let off = apart(&found[0], &made[0]);
        assert!(off < 0.5 * nearest, "{config:?}: {off} of {nearest}");
    }
}

#[test]
fn a_picture_of_another_size_is_no_start() {
    let picture = Picture::from_rgb(2, 1, vec![0; 6]).unwrap();
    for preset in TINY {
        let start = Origin::Picture(picture.clone());
        let refused = begun(preset, PictureOptions::default(), start);
        let error = refused.map(|_| ()).unwrap_err();
        assert_eq!(error.code(), "weights_mismatch");
        assert!(error.to_string().contains("2×1 pixels"), "{error}");
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

/// With a heavy weight the latent says nothing, and all pictures of a class are the same.
#[test]
fn a_vae_with_a_heavy_divergence_ignores_its_latent() {
    let spread = |beta| {
        let model = GeneratorConfig::preset("vae-tiny").unwrap();
        let config = GeneratorTrainConfig {
            beta,
            ..config(model, 300)
        };
        let mut session = session(&config);
        run(&mut session);
        let options = PictureOptions {
            count: 8,
            ..PictureOptions::default()
        };
        let made = sample(session.task().generator(), &config.model, options);
        made[1..]
            .iter()
            .map(|other| apart(other, &made[0]))
            .sum::<f64>()
    };
    let (usual, heavy) = (spread(1.0), spread(100.0));
    assert!(heavy < 0.1 * usual, "{heavy} of {usual}");
}
