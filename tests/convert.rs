//! `tesserae convert`: another project's checkpoint, before and after.
#![cfg(not(target_arch = "wasm32"))]
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use common::golden;
use tempfile::tempdir;
use tesserae::Picture;
use tesserae::pixels::metrics::psnr;

/// Runs `tesserae` in `folder`; returns standard output, or standard error if it fails.
fn run(folder: &Path, arguments: &str) -> Result<String, String> {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("tesserae");
    let words = arguments.split_whitespace();
    let output = command.current_dir(folder).args(words).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    match output.status.success() {
        true => Ok(text(output.stdout)),
        false => Err(text(output.stderr)),
    }
}

#[test]
fn a_converted_checkpoint_computes_what_it_did() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    let golden = golden!("checkpoint_diffusers");
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    write("theirs.safetensors", &golden.checkpoint(str::to_owned));
    write(
        "config.json",
        golden.json("config.json").unwrap().as_bytes(),
    );
    let photo = concat!(env!("CARGO_MANIFEST_DIR"), "/www/samples/coffee.png");
    write("photo.png", &fs::read(photo).unwrap());

    let hint = "--config config.json";
    let told = run(
        folder,
        &format!("convert theirs.safetensors f32.safetensors {hint} --dtype f32 --json"),
    );
    let told: serde_json::Value = serde_json::from_str(&told.unwrap()).unwrap();
    assert_eq!(told["family"], "diffusers");
    assert_eq!(told["assumed"], serde_json::json!(["norm_eps", "input"]));
    run(
        folder,
        &format!("convert theirs.safetensors f16.safetensors {hint} --name mine"),
    )
    .unwrap();
    let size = |name: &str| fs::metadata(folder.join(name)).unwrap().len() as f64;
    let ratio = size("f16.safetensors") / size("f32.safetensors");
    assert!((0.45..0.6).contains(&ratio), "{ratio}");

    let rebuilt = |arguments: &str| {
        let words = format!("reconstruct photo.png out.png --size 48 --model {arguments}");
        run(folder, &words).unwrap();
        Picture::decode(&fs::read(folder.join("out.png")).unwrap()).unwrap()
    };
    let before = rebuilt(&format!("theirs.safetensors {hint}"));
    // No config is needed any more: it is in the file.
    assert!(rebuilt("f32.safetensors") == before);
    // Half precision may change a few codes of a model with random weights.
    let halved = psnr(&rebuilt("f16.safetensors"), &before).unwrap();
    assert!(halved > 30.0, "{halved} dB");
    let inspected = run(folder, "inspect f16.safetensors").unwrap();
    assert!(inspected.starts_with("mine\n"), "{inspected}");
}

#[test]
fn a_failure_leaves_no_file() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("page.safetensors"), "<!doctype html>").unwrap();
    let told = run(folder, "convert page.safetensors out.safetensors").unwrap_err();
    assert!(told.trim_end().ends_with("[weights_corrupt]"), "{told}");
    assert!(!folder.join("out.safetensors").exists());
}
