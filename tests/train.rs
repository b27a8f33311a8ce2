//! Training sessions of models small enough to test: they learn, are reproducible by seed, resume
//! from a checkpoint and keep their codebooks in use.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::{Mutex, MutexGuard};

use burn::tensor::{Device, Int, Tensor};
use pollster::block_on;
use serde_json::json;
use support::{WeightFile, code, codec, decode, encode, painted};
use tesserae::nn::{Discriminator, DiscriminatorConfig, FeatureNetwork, Lpips};
use tesserae::pixels::metrics::psnr;
use tesserae::quantize::EmaCodebook;
use tesserae::train::{
    AdversaryConfig, CodebookUpdate, Event, Parts, PixelLoss, Reconstruction, Rhythm, Start, State,
    StepReport, TrainConfig,
};
use tesserae::weights::{self, About, Storage};
use tesserae::{Autoencoder, AutoencoderConfig};

type Session = tesserae::train::Session<Reconstruction>;

const STEPS: usize = 60;
const QUANTIZE_AFTER: usize = 20;

fn config(preset: &str) -> TrainConfig {
    let model = AutoencoderConfig::preset(preset)
        .unwrap()
        .to_json()
        .unwrap();
    TrainConfig::from_json(&format!(
        r#"{{"model": {model}, "data": {{"crop": 16}}, "batch": 4, "steps": {STEPS},
             "optimizer": {{"learning_rate": 0.005, "warmup": 5}},
             "codebook": {{"quantize_after": {QUANTIZE_AFTER}, "kmeans_batches": 4,
                           "restart_every": 10}},
             "seed": 3}}"#
    ))
    .unwrap()
}

/// With every optional part of a training step.
fn adversarial(preset: &str) -> TrainConfig {
    let mut config = config(preset);
    config.adversary = Some(AdversaryConfig {
        discriminator: DiscriminatorConfig {
            in_channels: 3,
            ndf: 4,
            n_layers: 1,
        },
        optimizer: config.optimizer.clone(),
        start: 2,
        weight: 0.8,
        feature_matching: 0.5,
    });
    config.loss.pixel = PixelLoss::Absolute;
    config.loss.gradient = 0.5;
    config.loss.texture = 0.5;
    config.optimizer.average = Some(0.9);
    config.optimizer.clip = Some(1.0);
    config.optimizer.weight_decay = 0.01;
    config.accumulate = 2;
    config
}

/// Random weights from the config's seed.
fn fresh(config: &TrainConfig) -> Autoencoder {
    let _drawing = drawing(config);
    let device = Device::flex();
    let model = Autoencoder::new(&config.model, &device).unwrap();
    weights::load(file(&model, config), &device)
        .unwrap()
        .autoencoder()
        .unwrap()
        .network
}

/// The same for the discriminator, if the config has one.
fn fresh_discriminator(config: &TrainConfig) -> Option<Discriminator> {
    let adversary = config.adversary.as_ref()?;
    let _drawing = drawing(config);
    let device = Device::flex();
    let drawn = Discriminator::new(&adversary.discriminator, &device).unwrap();
    let bytes =
        pollster::block_on(weights::save_discriminator(&drawn, None, Storage::F32)).unwrap();
    let file = weights::Container::open(std::rc::Rc::new(bytes)).unwrap();
    Some(weights::load_discriminator(&file, &device).unwrap())
}

/// The same for LPIPS.
fn fresh_lpips(config: &TrainConfig) -> Lpips {
    let _drawing = drawing(config);
    let device = Device::flex();
    let lpips = Lpips::new(&device);
    let picture = Tensor::zeros([1, 3, 16, 16], &device);
    let _ = lpips.forward(picture.clone(), picture).into_data();
    lpips
}

/// While held, no other test initialises weights: the seed is shared by the whole process, and
/// weights are initialised lazily.
fn drawing(config: &TrainConfig) -> MutexGuard<'static, ()> {
    static DRAWING: Mutex<()> = Mutex::new(());
    let guard = DRAWING.lock().unwrap();
    Device::flex().seed(config.seed);
    guard
}

fn file(model: &Autoencoder, config: &TrainConfig) -> Vec<u8> {
    pollster::block_on(weights::save(
        model,
        &config.model,
        About::default(),
        Storage::F32,
    ))
    .unwrap()
}

fn start(config: &TrainConfig, model: Autoencoder, start: Start) -> tesserae::Result<Session> {
    let (pictures, rhythm) = (vec![painted(96, 80)], Rhythm::default());
    Session::train(config, model, start, pictures, &Device::flex(), rhythm)
}

/// A training of `model`, whose codebook is already in use if it is `trained`.
fn session(config: &TrainConfig, model: Autoencoder, trained: bool) -> Session {
    let weights = Start {
        trained,
        discriminator: fresh_discriminator(config),
        ..Start::default()
    };
    start(config, model, weights).unwrap()
}

/// The error of a training that cannot start.
fn refused(config: &TrainConfig, model: Autoencoder) -> tesserae::Error {
    start(config, model, Start::default()).err().unwrap()
}

fn run(session: &mut Session, steps: usize) -> Vec<StepReport> {
    let mut step = || match block_on(session.next()).unwrap() {
        Some(Event::Step(report)) => report,
        other => panic!("{other:?}, and a step is due"),
    };
    (0..steps).map(|_| step()).collect()
}

/// Runs all steps, and returns the final weight file.
fn trained(config: &TrainConfig) -> (Vec<StepReport>, Session, Vec<u8>) {
    let mut session = session(config, fresh(config), false);
    let reports = run(&mut session, config.steps);
    assert!(session.finished());
    assert_eq!(block_on(session.next()).unwrap(), None);
    let bytes = file(&session.task().model(), config);
    (reports, session, bytes)
}

fn usage(session: &mut Session) -> tesserae::tokens::Usage {
    block_on(session.task_mut().take_usage()).unwrap()
}

fn mean(reports: &[StepReport], name: &str) -> f32 {
    let values = reports.iter().map(|report| report.loss(name).unwrap());
    values.sum::<f32>() / reports.len() as f32
}

/// Reconstruction quality on pictures other than the crops, through the whole codec.
fn quality(weights: Vec<u8>) -> f64 {
    let (codec, picture) = (codec(weights), painted(64, 64));
    psnr(&picture, &decode(&codec, &encode(&codec, &picture))).unwrap()
}

#[test]
fn the_loss_falls_and_the_codebook_comes_alive() {
    for preset in ["vqgan-tiny", "vqvae-tiny", "vqvae2-tiny"] {
        let config = config(preset);
        let (reports, mut session, bytes) = trained(&config);
        assert!(reports.iter().zip(1..).all(|(r, step)| r.step == step));

        let (first, last) = (
            mean(&reports[..5], "mse"),
            mean(&reports[STEPS - 10..], "mse"),
        );
        assert!(
            last < 0.8 * first,
            "{preset}: from {first} to no less than {last}"
        );
        // Without quantization there is nothing to commit to.
        let (free, quantized) = reports.split_at(QUANTIZE_AFTER);
        assert!(
            free.iter().all(|r| r.loss("commitment").is_none()),
            "{preset}"
        );
        assert!(mean(quantized, "commitment") > 0.0, "{preset}");
        let used = usage(&mut session);
        assert!(used.used > 8 && used.perplexity > 4.0, "{preset}: {used:?}");
        assert_eq!(usage(&mut session).used, 0, "usage is since the last call");

        // What was learned is in the weights.
        let (before, after) = (quality(file(&fresh(&config), &config)), quality(bytes));
        assert!(after > before + 2.0, "{preset}: {before} dB to {after} dB");
    }
}

#[test]
fn the_same_session_trains_a_vqgan_against_its_discriminator() {
    let config = adversarial("vqgan-tiny");
    let (reports, _, bytes) = trained(&config);
    let (before, after) = reports.split_at(2);
    assert!(before.iter().all(|r| r.loss("generator").is_none()));
    for report in after {
        let term = |name| report.loss(name).unwrap();
        assert!(term("adaptive_weight") > 0.0 && term("feature_matching") > 0.0);
    }
    let (first, last) = (
        mean(&reports[..5], "l1"),
        mean(&reports[STEPS - 10..], "l1"),
    );
    assert!(last < 0.8 * first, "from {first} to no less than {last}");
    let (before, after) = (quality(file(&fresh(&config), &config)), quality(bytes));
    assert!(after > before + 2.0, "{before} dB to {after} dB");
}

#[test]
fn a_discriminator_learns_to_tell_from_a_generator_that_stands_still() {
    let mut config = adversarial("vqgan-tiny");
    config.optimizer.learning_rate = 1e-12;
    let mut session = session(&config, fresh(&config), false);
    let reports = run(&mut session, 40);
    // A hinge loss of 1 means that it cannot tell them apart.
    let loss = mean(&reports[30..], "discriminator");
    assert!(loss < 0.7, "{loss}");
}

#[test]
fn the_same_session_trains_an_autoencoder_without_a_codebook() {
    let mut config = config("kl-tiny");
    let run = |config: &TrainConfig| trained(config).0;
    let reports = run(&config);
    let (first, last) = (
        mean(&reports[..5], "mse"),
        mean(&reports[STEPS - 10..], "mse"),
    );
    assert!(last < 0.7 * first, "from {first} to no less than {last}");
    // The divergence is a loss term: a larger weight reduces it.
    let free = mean(&reports[STEPS - 10..], "divergence");
    config.loss.divergence = 8.0;
    let bound = mean(&run(&config)[STEPS - 10..], "divergence");
    assert!(bound < 0.5 * free, "{bound} of {free}");
}

#[test]
fn the_decoder_alone_learns_and_pictures_keep_their_tokens() {
    let first = config("vqgan-tiny");
    let bytes = trained(&first).2;
    let model = || {
        weights::load(bytes.clone(), &Device::flex())
            .unwrap()
            .autoencoder()
            .unwrap()
            .network
    };
    let mut config = adversarial("vqgan-tiny");
    config.parts = Parts::Decoder;
    assert_eq!(refused(&config, model()).code(), "config_invalid");
    let mut session = session(&config, model(), true);
    run(&mut session, 5);
    assert!(usage(&mut session).used > 4);

    let after = codec(file(&session.task().model(), &config));
    let before = codec(bytes);
    let picture = painted(64, 64);
    let tokens = [&before, &after].map(|codec| encode(codec, &picture));
    assert_eq!(tokens[0].grids, tokens[1].grids);
    assert_eq!(tokens[0].codebook_hash, tokens[1].codebook_hash);
    assert_ne!(tokens[0].decoder_hash, tokens[1].decoder_hash);
}

#[test]
fn a_codebook_that_learns_by_gradients_moves_and_is_used() {
    let mut config = config("vqvae-tiny");
    config.codebook.update = CodebookUpdate::Gradient;
    config.codebook.quantize_after = 1;
    let mut session = session(&config, fresh(&config), false);
    let codebook = |session: &Session| -> Vec<f32> {
        session
            .task()
            .model()
            .codebook(0)
            .unwrap()
            .into_data()
            .iter()
            .collect()
    };
    let first = mean(&run(&mut session, 3), "mse");
    let before = codebook(&session);
    // None of these steps restarts a code.
    let reports = run(&mut session, 4);
    assert_ne!(codebook(&session), before);
    assert!(mean(&reports, "commitment") > 0.0);
    let reports = run(&mut session, STEPS - 7);
    let last = mean(&reports[STEPS - 17..], "mse");
    assert!(last < 0.85 * first, "from {first} to no less than {last}");
    assert!(usage(&mut session).used > 8);
}

#[test]
fn no_gradient_is_silently_zero() {
    let tiny_with = |changes: serde_json::Value| {
        let tiny = AutoencoderConfig::preset("vqgan-tiny").unwrap();
        let mut json: serde_json::Value = serde_json::from_str(&tiny.to_json().unwrap()).unwrap();
        for (field, value) in changes.as_object().unwrap() {
            json[field] = value.clone();
        }
        AutoencoderConfig::from_json(&json.to_string()).unwrap()
    };
    let mut kinds: Vec<AutoencoderConfig> = ["vqvae-tiny", "vqgan-tiny", "vqvae2-tiny", "kl-tiny"]
        .iter()
        .map(|preset| AutoencoderConfig::preset(preset).unwrap())
        .collect();
    kinds.push(tiny_with(json!({"decoder_norm": "spatial", "ch": 32})));
    kinds.push(tiny_with(
        json!({"layers": "maskgit", "mid_attention": false}),
    ));
    for model in kinds {
        let mut config = config("vqgan-tiny");
        config.model = model;
        config.codebook.update = CodebookUpdate::Gradient;
        let before = fresh(&config);
        let mut session = session(&config, before.clone(), true);
        run(&mut session, 1);
        let [old, new] =
            [before, session.task().model()].map(|m| WeightFile::of(&file(&m, &config)));
        for (name, tensor) in &old.tensors {
            assert_ne!(
                tensor.values(),
                new.tensors[name].values(),
                "`{name}` of {:?} stays",
                config.model
            );
        }
    }
}

#[test]
fn equal_seeds_give_equal_weights() {
    let short = |seed| TrainConfig {
        steps: 12,
        seed,
        codebook: tesserae::train::CodebookConfig {
            quantize_after: 4,
            restart_every: 3,
            ..config("vqgan-tiny").codebook
        },
        ..config("vqgan-tiny")
    };
    let run = |seed| trained(&short(seed)).2;
    let first = run(3);
    assert!(run(3) == first, "two runs with one seed differ");
    assert!(run(4) != first, "the seed changes nothing");
}

#[test]
fn a_checkpoint_goes_on_to_the_bit() {
    let short = |mut config: TrainConfig| {
        config.steps = 12;
        config.codebook.quantize_after = 3;
        config.codebook.restart_every = 4;
        config
    };
    for config in [
        adversarial("vqgan-tiny"),
        config("vqvae2-tiny"),
        config("kl-tiny"),
    ]
    .map(short)
    {
        let kind = config.model.kind();
        let mut whole = session(&config, fresh(&config), false);
        // One interruption before the codebook is initialised, one after.
        for done in [2, 5] {
            let steps = done - whole.done();
            run(&mut whole, steps);
            let checkpoint = block_on(whole.checkpoint()).unwrap();
            let mut other = session(
                &config,
                fresh(&TrainConfig {
                    seed: 99,
                    ..config.clone()
                }),
                false,
            );
            other.resume(&checkpoint).unwrap();
            assert_eq!(other.done(), done);
            let mut same = session(&config, fresh(&config), false);
            same.resume(&checkpoint).unwrap();
            let steps = config.steps - done;
            let (a, b) = (run(&mut other, steps), run(&mut same, steps));
            assert_eq!(a, b, "{kind}");
            let mut unbroken = session(&config, fresh(&config), false);
            let c = run(&mut unbroken, config.steps);
            assert_eq!(a, c[done..], "{kind} after {done}");
            let files = [&other, &unbroken].map(|t| file(&t.task().model(), &config));
            assert!(files[0] == files[1], "{kind} after {done}");
        }
    }
}

#[test]
fn a_checkpoint_of_another_training_is_refused_and_changes_nothing() {
    let config = config("vqgan-tiny");
    let mut session = session(&config, fresh(&config), false);
    run(&mut session, 2);
    let mut checkpoint = block_on(session.checkpoint()).unwrap();
    // One with a missing part, which is found after others have been read.
    let mut state = State::from_bytes(&checkpoint).unwrap();
    state.put_note("codebooks", "7".to_owned());
    let state = state.to_bytes().unwrap();
    let before = file(&session.task().model(), &config);
    assert_eq!(code(session.resume(&state)), "weights_mismatch");
    assert!(file(&session.task().model(), &config) == before);
    let other = TrainConfig {
        batch: 5,
        ..config.clone()
    };
    let mut other = self::session(&other, fresh(&config), false);
    assert_eq!(code(other.resume(&checkpoint)), "weights_mismatch");
    checkpoint.truncate(checkpoint.len() - 1);
    assert_eq!(code(session.resume(&checkpoint)), "weights_corrupt");
    assert_eq!(code(session.resume(b"no checkpoint")), "weights_corrupt");
    assert_eq!((session.done(), other.done()), (2, 0));
    run(&mut session, 1);
}

#[test]
fn a_trained_model_goes_on_with_its_codebook() {
    let config = config("vqgan-tiny");
    let (reports, _, bytes) = trained(&config);
    let model = weights::load(bytes, &Device::flex())
        .unwrap()
        .autoencoder()
        .unwrap()
        .network;
    let mut session = session(&config, model, true);
    let report = run(&mut session, 1).remove(0);
    assert_eq!(report.step, 1);
    let term = |name| report.loss(name).unwrap();
    assert!(term("commitment") > 0.0, "no warm-up without quantization");
    assert!(usage(&mut session).used > 4);
    let first = mean(&reports[..5], "mse");
    assert!(term("mse") < 0.7 * first, "{} after {first}", term("mse"));
}

#[test]
fn the_average_of_the_weights_is_what_comes_out() {
    let run = |average| {
        let mut config = config("vqvae-tiny");
        config.optimizer.average = average;
        trained(&config).1.task().model()
    };
    let (last, averaged) = (run(None), run(Some(0.999)));
    let values = |model: &Autoencoder| -> Vec<f32> {
        let x = Tensor::<4>::ones([1, 3, 16, 16], &Device::flex()).mul_scalar(0.3);
        model.latents(x, &[]).into_data().iter().collect()
    };
    let start = fresh(&config("vqvae-tiny"));
    let distance = |a: &Autoencoder, b: &Autoencoder| -> f32 {
        let pairs = values(a).into_iter().zip(values(b));
        pairs.map(|(a, b)| (a - b).powi(2)).sum()
    };
    // It lags behind the last weights but has moved away from the start, which is soon forgotten.
    assert!(distance(&averaged, &last) > 0.0);
    assert!(distance(&start, &averaged) > 0.1 * distance(&start, &last));
    // Codebooks are not averaged: the encoder is committed to the latest ones.
    let codebook = |model: &Autoencoder| model.codebook(0).unwrap().into_data();
    codebook(&averaged).assert_eq(&codebook(&last), true);
}

#[test]
fn lpips_is_a_term_like_any_other() {
    let mut config = config("vqgan-tiny");
    config.loss.perceptual = 0.5;
    let start = Start {
        perceptual: Some(fresh_lpips(&config)),
        ..Start::default()
    };
    let mut session = self::start(&config, fresh(&config), start).unwrap();
    let reports = run(&mut session, 12);
    let last = mean(&reports[9..], "perceptual");
    let first = mean(&reports[..3], "perceptual");
    assert!(0.0 < last && last < first, "{first} to {last}");
}

#[test]
fn features_are_a_term_like_any_other_from_the_smallest_crop_on() {
    let device = Device::flex();
    let with_features = |crop, network| {
        let mut config = config("vqgan-tiny");
        config.loss.features = 2.0;
        config.loss.feature_contrast = 0.5;
        config.data.crop = crop;
        config.batch = 2;
        let start = Start {
            features: Some(network),
            ..Start::default()
        };
        self::start(&config, fresh(&config), start)
    };
    let [inception, mobilenet] = FeatureNetwork::all(&device);
    let mut session = with_features(52, inception.clone()).unwrap();
    let reports = run(&mut session, 12);
    for name in ["features", "feature_contrast"] {
        let (first, last) = (mean(&reports[..3], name), mean(&reports[9..], name));
        assert!(0.0 < last && last < first, "{name}: {first} to {last}");
    }
    let error = with_features(52, mobilenet).err().unwrap();
    assert_eq!(error.code(), "config_invalid");
    let error = with_features(48, inception).err().unwrap();
    assert_eq!(error.code(), "config_invalid");
    assert!(error.to_string().contains("at least 50"), "{error}");
}

#[test]
fn a_dead_code_restarts_and_the_others_stay() {
    let device = Device::flex();
    let floats = |t: Tensor<2>| -> Vec<f32> { t.into_data().iter().collect() };
    let codebook = Tensor::<2>::from_floats([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], &device);
    let mut ema = EmaCodebook::new(codebook, 0.5);

    // Codes 0 and 2 are never chosen; their averages decay, and code 1 moves to its latents.
    for _ in 0..12 {
        let z = Tensor::from_floats([[7.0, 8.0], [9.0, 10.0]], &device);
        ema.update(z, Tensor::<1, Int>::from_ints([1, 1], &device));
    }
    let sizes: Vec<f32> = ema.cluster_size.clone().into_data().iter().collect();
    assert!(
        sizes[0] < 0.05 && sizes[2] < 0.05 && sizes[1] > 1.9,
        "{sizes:?}"
    );
    let before = floats(ema.codebook());
    assert!((before[2] - 8.0).abs() < 0.01, "{before:?}");

    let rows = Tensor::<2>::from_floats([[-1.0, -2.0], [20.0, 30.0]], &device);
    ema.restart(Tensor::from_ints([2, 0], &device), rows, 1.0);
    let after = floats(ema.codebook());
    let expected = [20.0, 30.0, before[2], before[3], -1.0, -2.0];
    for (found, expected) in after.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 1e-3 * expected.abs(),
            "{after:?}"
        );
    }
    let sizes: Vec<f32> = ema.cluster_size.into_data().iter().collect();
    assert_eq!((sizes[0], sizes[2]), (1.0, 1.0));
}

#[test]
fn restarts_bring_dead_codes_into_use() {
    // K-means on 64 latents fills a quarter of 256 codes; the rest are duplicates that are never
    // chosen.
    let used = |dead_below| {
        let mut config = config("vqgan-tiny");
        config.codebook.dead_below = dead_below;
        config.codebook.kmeans_batches = 1;
        config.codebook.decay = 0.8;
        if let AutoencoderConfig::VqGan(model) = &mut config.model {
            model.n_embed = 256;
        }
        let mut session = session(&config, fresh(&config), false);
        run(&mut session, STEPS - 5);
        usage(&mut session);
        run(&mut session, 5);
        usage(&mut session).used
    };
    let (without, with) = (used(0.0), used(0.05));
    assert!(
        with > without + 8,
        "{with} codes with restarts, {without} without"
    );
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let good = config("vqgan-tiny");
    let device = Device::flex();
    let AutoencoderConfig::VqGan(mut model) = good.model.clone() else {
        panic!("a preset of another kind");
    };
    model.quantizer = tesserae::models::QuantizerKind::Gumbel;
    let gumbel = TrainConfig {
        model: AutoencoderConfig::VqGan(model),
        ..good.clone()
    };
    assert_eq!(refused(&gumbel, fresh(&gumbel)).code(), "config_invalid");
    // A valid config, with a model that cannot be trained this way.
    let kl = AutoencoderConfig::preset("kl-tiny").unwrap();
    let network = Autoencoder::new(&kl, &device).unwrap();
    assert_eq!(refused(&good, network).code(), "weights_mismatch");
    let mut other = good.clone();
    other.optimizer.learning_rate = f64::NAN;
    assert_eq!(refused(&other, fresh(&good)).code(), "config_invalid");
    let mut other = good.clone();
    other.loss.perceptual = 1.0;
    let error = refused(&other, fresh(&good));
    assert!(error.to_string().contains("LPIPS"), "{error}");
    let mut other = good.clone();
    other.loss.features = 1.0;
    let error = refused(&other, fresh(&good));
    assert!(error.to_string().contains("`features`"), "{error}");
}

#[test]
fn a_loss_that_is_no_number_ends_the_training() {
    let mut wild = config("vqvae-tiny");
    wild.optimizer.learning_rate = 1e30;
    let mut session = session(&wild, fresh(&wild), false);
    let error = (0..10)
        .find_map(|_| block_on(session.next()).err())
        .unwrap();
    assert_eq!(error.code(), "loss_not_finite");
    assert!(error.to_string().contains("learning rate"), "{error}");
}

#[test]
fn a_codebook_on_the_sphere_follows_latents_on_the_sphere() {
    let mut config = config("vqgan-tiny");
    if let AutoencoderConfig::VqGan(model) = &mut config.model {
        model.quantizer = tesserae::models::QuantizerKind::Cosine;
    }
    let (_, mut session, _) = trained(&config);
    assert!(usage(&mut session).used > 1);
    let model = session.task().model();
    let stored = model.vector_quantizers()[0].embedding.weight.val();
    let lengths = stored.square().sum_dim(1).sqrt().into_data();
    // Means of unit vectors that are close to each other.
    for length in lengths.iter::<f32>() {
        assert!((0.5..1.01).contains(&length), "{length}");
    }
}
