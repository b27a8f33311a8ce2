//! The trainer on a model small enough to watch: it learns, repeats by seed and revives codes.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Mutex;

use burn::tensor::{Device, Int, Tensor};
use pollster::block_on;
use support::{code, codec, decode, encode, painted};
use tesserae::pixels::metrics::psnr;
use tesserae::quantize::EmaCodebook;
use tesserae::train::{CropSampler, StepReport, TrainConfig, Trainer};
use tesserae::weights::{self, Storage};
use tesserae::{Autoencoder, ModelConfig};

const STEPS: usize = 60;
const QUANTIZE_AFTER: usize = 20;

fn config(preset: &str) -> TrainConfig {
    let model = ModelConfig::preset(preset).unwrap().to_json().unwrap();
    TrainConfig::from_json(&format!(
        r#"{{"model": {model}, "crop": 16, "batch": 4, "steps": {STEPS}, "learning_rate": 0.005,
             "warmup": 5, "quantize_after": {QUANTIZE_AFTER}, "kmeans_batches": 4,
             "restart_every": 10, "seed": 3}}"#
    ))
    .unwrap()
}

/// Random weights by the config's seed.
fn fresh(config: &TrainConfig) -> Autoencoder {
    // The seed belongs to the whole process, and weights are drawn when they are first used.
    static DRAWING: Mutex<()> = Mutex::new(());
    let _drawing = DRAWING.lock().unwrap();
    let device = Device::flex();
    device.seed(config.seed);
    let model = Autoencoder::new(&config.model, &device).unwrap();
    let bytes = weights::save(&model, &config.model, None, Storage::F32).unwrap();
    weights::load(bytes, &device).unwrap().model
}

fn crops(config: &TrainConfig) -> CropSampler {
    let range = config.model.input_range();
    CropSampler::new([painted(96, 80)], config.crop, range, config.seed).unwrap()
}

/// All steps, and the weight file at their end.
fn trained(config: &TrainConfig) -> (Vec<StepReport>, Trainer, Vec<u8>) {
    let mut crops = crops(config);
    let mut trainer = Trainer::new(config.clone(), fresh(config), false, &Device::flex()).unwrap();
    let mut reports = Vec::new();
    while !trainer.finished() {
        reports.push(block_on(trainer.step(&mut crops)).unwrap());
    }
    let bytes = weights::save(&trainer.model(), &config.model, None, Storage::F32).unwrap();
    (reports, trainer, bytes)
}

fn mean(reports: &[StepReport]) -> f32 {
    reports.iter().map(|r| r.mse).sum::<f32>() / reports.len() as f32
}

#[test]
fn the_loss_falls_and_the_codebook_comes_alive() {
    for preset in ["vqgan-tiny", "vqvae-tiny"] {
        let config = config(preset);
        let (reports, mut trainer, bytes) = trained(&config);
        assert_eq!(reports.len(), STEPS);
        assert!(reports.iter().zip(1..).all(|(r, step)| r.step == step));

        let (first, last) = (mean(&reports[..5]), mean(&reports[STEPS - 10..]));
        assert!(
            last < 0.7 * first,
            "{preset}: from {first} to no less than {last}"
        );
        // Without quantization there is nothing to commit to.
        let (free, quantized) = reports.split_at(QUANTIZE_AFTER);
        assert!(free.iter().all(|r| r.commitment == 0.0), "{preset}");
        assert!(quantized.iter().all(|r| r.commitment > 0.0), "{preset}");
        let usage = trainer.take_usage();
        assert!(
            usage.used > 8 && usage.perplexity > 4.0,
            "{preset}: {usage:?}"
        );
        assert_eq!(trainer.take_usage().used, 0, "usage is since the last call");

        // What was learned is in the weights: other crops, the whole way through the codec.
        let picture = painted(64, 64);
        let quality = |weights: Vec<u8>| {
            let codec = codec(weights);
            psnr(&picture, &decode(&codec, &encode(&codec, &picture))).unwrap()
        };
        let start = weights::save(&fresh(&config), &config.model, None, Storage::F32).unwrap();
        let (before, after) = (quality(start), quality(bytes));
        assert!(after > before + 2.0, "{preset}: {before} dB to {after} dB");
    }
}

#[test]
fn equal_seeds_give_equal_weights() {
    let short = |seed| TrainConfig {
        steps: 12,
        quantize_after: 4,
        restart_every: 3,
        seed,
        ..config("vqgan-tiny")
    };
    let run = |seed| trained(&short(seed)).2;
    let first = run(3);
    assert!(run(3) == first, "two runs with one seed differ");
    assert!(run(4) != first, "the seed changes nothing");
}

#[test]
fn a_trained_model_goes_on_with_its_codebook() {
    let config = config("vqgan-tiny");
    let (reports, _, bytes) = trained(&config);
    let model = weights::load(bytes, &Device::flex()).unwrap().model;
    let mut crops = crops(&config);
    let mut trainer = Trainer::new(config, model, true, &Device::flex()).unwrap();
    let report = block_on(trainer.step(&mut crops)).unwrap();
    assert_eq!(report.step, 1);
    assert!(report.commitment > 0.0, "no warm-up without quantization");
    assert!(trainer.take_usage().used > 4);
    let first = mean(&reports[..5]);
    assert!(report.mse < 0.7 * first, "{} after {first}", report.mse);
}

#[test]
fn a_dead_code_restarts_and_the_others_stay() {
    let device = Device::flex();
    let floats = |t: Tensor<2>| -> Vec<f32> { t.into_data().iter().collect() };
    let codebook = Tensor::<2>::from_floats([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], &device);
    let mut ema = EmaCodebook::new(codebook, 0.5);

    // Codes 0 and 2 are never chosen; their averages fade, code 1 moves to its latents.
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
    // K-means on 64 latents fills a quarter of 256 codes; the rest are copies, which nothing chooses.
    let used = |dead_below| {
        let mut config = TrainConfig {
            dead_below,
            kmeans_batches: 1,
            ema_decay: 0.8,
            ..config("vqgan-tiny")
        };
        if let ModelConfig::VqGan(model) = &mut config.model {
            model.n_embed = 256;
        }
        let mut crops = crops(&config);
        let model = fresh(&config);
        let mut trainer = Trainer::new(config, model, false, &Device::flex()).unwrap();
        for step in 0..STEPS {
            if step == STEPS - 5 {
                trainer.take_usage();
            }
            block_on(trainer.step(&mut crops)).unwrap();
        }
        trainer.take_usage().used
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
    let ModelConfig::VqGan(mut model) = good.model.clone() else {
        panic!("a preset of another kind");
    };
    model.quantizer = tesserae::config::QuantizerKind::Gumbel;
    let gumbel = TrainConfig {
        model: ModelConfig::VqGan(model),
        ..good.clone()
    };
    let network = fresh(&gumbel);
    assert_eq!(
        code(Trainer::new(gumbel, network, false, &device)),
        "config_invalid"
    );
    // No codebook, and two of them.
    for preset in ["kl-tiny", "vqvae2-tiny"] {
        let model = ModelConfig::preset(preset).unwrap();
        let network = Autoencoder::new(&model, &device).unwrap();
        let other = TrainConfig {
            model,
            ..good.clone()
        };
        let error = Trainer::new(other, network, false, &device).err().unwrap();
        assert_eq!(error.code(), "config_invalid");
        let kind = preset.trim_end_matches("-tiny");
        assert!(error.to_string().contains(&format!("`{kind}`")), "{error}");
    }
    // A config that could be trained, with a model that cannot.
    let kl = ModelConfig::preset("kl-tiny").unwrap();
    let network = Autoencoder::new(&kl, &device).unwrap();
    assert_eq!(
        code(Trainer::new(good.clone(), network, false, &device)),
        "config_invalid"
    );
    let rate = TrainConfig {
        learning_rate: f64::NAN,
        ..good.clone()
    };
    let network = fresh(&good);
    assert_eq!(
        code(Trainer::new(rate, network, false, &device)),
        "config_invalid"
    );
}

#[test]
fn a_loss_that_is_no_number_ends_the_training() {
    let wild = TrainConfig {
        learning_rate: 1e30,
        ..config("vqvae-tiny")
    };
    let mut crops = crops(&wild);
    let model = fresh(&wild);
    let mut trainer = Trainer::new(wild, model, false, &Device::flex()).unwrap();
    let error = (0..10)
        .find_map(|_| block_on(trainer.step(&mut crops)).err())
        .unwrap();
    assert!(error.to_string().contains("learning rate"), "{error}");
}

#[test]
fn a_codebook_on_the_sphere_follows_latents_on_the_sphere() {
    let mut config = config("vqgan-tiny");
    if let ModelConfig::VqGan(model) = &mut config.model {
        model.quantizer = tesserae::config::QuantizerKind::Cosine;
    }
    let (_, mut trainer, _) = trained(&config);
    assert!(trainer.take_usage().used > 1);
    let model = trainer.model();
    let stored = model.vector_quantizer().unwrap().embedding.weight.val();
    let lengths = stored.square().sum_dim(1).sqrt().into_data();
    // Means of unit vectors that lie near each other.
    for length in lengths.iter::<f32>() {
        assert!((0.5..1.01).contains(&length), "{length}");
    }
}
