//! Fine-tuning on the command line: what improves, what stays unchanged, and how it fails.
#![cfg(not(target_arch = "wasm32"))]
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;
use support::program::{failed, failed_last, json, run, text};
use support::{TINY, WeightFile};
use tempfile::{TempDir, tempdir};

/// Tunes the tiny model on a photo of 64×64 pixels.
fn tune(folder: &TempDir, options: &str) -> Value {
    let command = "tune SAMPLES/coffee.png --model TINY --size 64 --square --json";
    json(&run(
        folder,
        &format!("{command} --out tuned.safetensors {options}"),
    ))
}

fn gain(told: &Value) -> f64 {
    told["psnr_after"].as_f64().unwrap() - told["psnr_before"].as_f64().unwrap()
}

/// Which parts of the tiny model changed in the tuned one, by the first part of their names.
fn moved(folder: &TempDir) -> BTreeMap<String, bool> {
    let tuned = fs::read(folder.path().join("tuned.safetensors")).unwrap();
    let (old, new) = (WeightFile::of(TINY), WeightFile::of(&tuned));
    let mut moved = BTreeMap::new();
    for (name, tensor) in &old.tensors {
        let part = name.split('.').next().unwrap().to_owned();
        let differs = tensor.values() != new.tensors[name].values();
        *moved.entry(part).or_default() |= differs;
    }
    moved
}

#[test]
fn the_decoder_gets_better_and_tokens_stay() {
    let folder = tempdir().unwrap();
    let told = tune(&folder, "--steps 25");
    assert!(gain(&told) > 1.0, "{told}");
    let losses = told["losses"].as_array().unwrap();
    assert_eq!(losses.len(), 25);
    let mse = |at: usize| losses[at]["mse"].as_f64().unwrap();
    assert!(mse(24) < 0.8 * mse(0), "{told}");
    assert!(told["steps_per_second"].as_f64().unwrap() > 0.0);
    let moved = moved(&folder);
    assert!(moved["decoder"] && moved["post_quant_conv"], "{moved:?}");
    assert!(
        !moved["encoder"] && !moved["quant_conv"] && !moved["quantize"],
        "{moved:?}"
    );

    let inspected = json(&run(&folder, "inspect tuned.safetensors --json"));
    let record: Value = serde_json::from_str(inspected["tuning"].as_str().unwrap()).unwrap();
    assert_eq!((&record, &record["steps"]), (&told["tuning"], &25.into()));

    // The saved file gives the same results as the tuning reported.
    let shown = json(&run(
        &folder,
        "reconstruct SAMPLES/coffee.png a.png --json --model tuned.safetensors --size 64 --square",
    ));
    let (shown, after) = (shown["psnr"].as_f64(), told["psnr_after"].as_f64());
    assert!((shown.unwrap() - after.unwrap()).abs() < 1e-6);
    for (model, file) in [("TINY", "old.tokens"), ("tuned.safetensors", "new.tokens")] {
        let picture = "encode SAMPLES/astronaut.png";
        json(&run(
            &folder,
            &format!("{picture} {file} --json --model {model} --size 64"),
        ));
    }
    let indices = |file: &str| {
        let bytes = fs::read(folder.path().join(file)).unwrap();
        tesserae::Tokens::from_bytes(&bytes).unwrap().grids
    };
    assert_eq!(indices("old.tokens"), indices("new.tokens"));
}

#[test]
fn equal_runs_give_equal_files() {
    let folder = tempdir().unwrap();
    let file = |options: &str| {
        tune(&folder, options);
        fs::read(folder.path().join("tuned.safetensors")).unwrap()
    };
    let first = file("--steps 3 --crop 32 --batch 2");
    assert!(first == file("--steps 3 --crop 32 --batch 2"));
    assert!(first != file("--steps 3 --crop 32 --batch 2 --seed 1"));
    // The discriminator is randomly initialised as well.
    let first = file("--steps 1 --objective lifelike");
    assert!(first == file("--steps 1 --objective lifelike"));
}

#[test]
fn what_learns_is_what_was_asked_for() {
    let folder = tempdir().unwrap();
    tune(&folder, "--steps 4 --parts codebook");
    let codebook = moved(&folder);
    assert!(codebook["decoder"] && codebook["quantize"], "{codebook:?}");
    assert!(
        !codebook["encoder"] && !codebook["quant_conv"],
        "{codebook:?}"
    );
    tune(&folder, "--steps 4 --parts all");
    assert!(moved(&folder).values().all(|moved| *moved));
}

#[test]
fn a_discriminator_judges_where_the_objective_is_lifelike() {
    let folder = tempdir().unwrap();
    let told = tune(&folder, "--steps 3 --objective lifelike");
    let last = &told["losses"][2];
    for term in [
        "l1",
        "gradient",
        "generator",
        "discriminator",
        "adaptive_weight",
    ] {
        assert!(last[term].is_number(), "{term} in {last}");
    }
}

#[test]
fn a_restoration_mends_what_was_done_to_the_picture() {
    let folder = tempdir().unwrap();
    for damage in ["--noise 60", "--jpeg 5", "--blur 2", "--small 4"] {
        let told = tune(&folder, &format!("--steps 20 --parts all {damage}"));
        assert!(gain(&told) > 0.5, "{damage}: {told}");
    }
}

#[test]
fn pictures_that_are_held_out_are_measured_and_shown() {
    let folder = tempdir().unwrap();
    let held_out = "--held-out SAMPLES/chelsea.png --held-out SAMPLES/astronaut.png";
    let told = tune(
        &folder,
        &format!("--steps 20 --parts all --noise 60 {held_out} --sheet sheet.png"),
    );
    let of = |name: &str| told["held_out"][name].as_f64().unwrap();
    assert_eq!(of("pictures"), 2.0);
    // 20 · log₁₀(255 / 60) = 12.6 dB, minus what is clipped.
    assert!((12.0..15.0).contains(&of("psnr_damaged")), "{told}");
    assert!(of("psnr_after") > of("psnr_before"), "{told}");
    let sheet = image::open(folder.path().join("sheet.png")).unwrap();
    assert_eq!((sheet.width(), sheet.height()), (2 * 64, 4 * 64));

    let told = tune(&folder, &format!("--steps 1 {held_out}"));
    assert!(told["held_out"]["psnr_damaged"].is_null(), "{told}");
    assert!(tune(&folder, "--steps 1")["held_out"].is_null());
    let alone = run(
        &folder,
        "tune SAMPLES/coffee.png --out out.safetensors --sheet s.png",
    );
    assert_eq!(alone.status.code(), Some(2));
}

#[test]
fn what_cannot_be_tuned_is_refused_and_nothing_is_written() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("no.png"), b"no picture").unwrap();
    for (arguments, code, named) in [
        ("tune none.png", "io", "none.png"),
        ("tune no.png", "image_unsupported", "PNG"),
        (
            "tune SAMPLES/coffee.png --size 3",
            "dataset_empty",
            "4 pixels",
        ),
        (
            "tune SAMPLES/coffee.png --steps 0",
            "config_invalid",
            "`steps`",
        ),
        (
            "tune SAMPLES/coffee.png --crop 30",
            "config_invalid",
            "`crop`",
        ),
        (
            "tune SAMPLES/coffee.png --jpeg 0",
            "config_invalid",
            "`jpeg`",
        ),
        (
            "tune SAMPLES/coffee.png --learning-rate NaN",
            "config_invalid",
            "`learning_rate`",
        ),
    ] {
        let output = run(
            &folder,
            &format!("{arguments} --model TINY --out tuned.safetensors"),
        );
        failed(&output, code, named);
        assert!(!folder.path().join("tuned.safetensors").exists());
    }
}

#[test]
fn bad_pictures_are_named_and_the_others_learned_from() {
    let folder = tempdir().unwrap();
    let photos = folder.path().join("photos");
    fs::create_dir(&photos).unwrap();
    fs::write(photos.join("bad-1.png"), "no picture").unwrap();
    fs::write(photos.join("bad-2.jpg"), "no picture").unwrap();
    let words = "tune photos --model TINY --size 64 --steps 1 --out tuned.safetensors";
    let output = run(&folder, words);
    failed_last(&output, "dataset_empty", "photos");
    assert!(!folder.path().join("tuned.safetensors").exists());
    fs::copy(support::sample_path("coffee.png"), photos.join("good.jpe")).unwrap();
    let output = run(&folder, &format!("{words} --json --held-out photos"));
    assert_eq!(json(&output)["held_out"]["pictures"], 1);
    let told = text(&output.stderr);
    for bad in [
        "left out: photos/bad-1.png: ",
        "left out: photos/bad-2.jpg: ",
    ] {
        assert_eq!(told.matches(bad).count(), 2, "`{bad}` in: {told}");
    }
}

#[test]
fn blended_weights_lie_between_or_beyond() {
    let folder = tempdir().unwrap();
    tune(&folder, "--steps 4");
    let read = |name: &str| WeightFile::of(&fs::read(folder.path().join(name)).unwrap());
    let (old, new) = (WeightFile::of(TINY), read("tuned.safetensors"));
    for share in [0.0, 0.5, 1.0, 1.25] {
        let blend = format!("interpolate TINY tuned.safetensors --share {share}");
        json(&run(
            &folder,
            &format!("{blend} --out b.safetensors --dtype f32 --json"),
        ));
        let blended = read("b.safetensors");
        for (name, tensor) in &blended.tensors {
            let ends = old.tensors[name]
                .values()
                .into_iter()
                .zip(new.tensors[name].values());
            for (found, (from, to)) in tensor.values().into_iter().zip(ends) {
                let wanted = from + share * (to - from);
                assert!(
                    (found - wanted).abs() < 1e-6,
                    "{name}: {found}, not {wanted}"
                );
            }
        }
    }
    json(&run(&folder, "init vqvae-tiny other.safetensors --json"));
    let output = run(
        &folder,
        "interpolate TINY other.safetensors --out c.safetensors",
    );
    failed(&output, "weights_mismatch", "different configs");
    let output = run(
        &folder,
        "interpolate TINY TINY --share NaN --out c.safetensors",
    );
    failed(&output, "argument", "NaN");
    assert!(!folder.path().join("c.safetensors").exists());
}
