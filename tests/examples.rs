//! The programs in `examples/` work as documented. Cargo builds them before it runs all tests.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::tempdir;
use tesserae::pixels::metrics::psnr;
use tesserae::{Picture, Tokens};

/// An example's output.
fn run(name: &str, words: &[&str]) -> String {
    let tests = std::env::current_exe().unwrap();
    let folder = tests.ancestors().nth(2).unwrap().join("examples");
    let output = Command::new(folder.join(name))
        .args(words)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap_or_else(|e| panic!("{name} is not there ({e}): cargo build --examples builds it"));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{name}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

fn picture(path: &Path) -> Picture {
    Picture::decode(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_picture_goes_to_tokens_and_back() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("a.png");
    let told = run(
        "round_trip",
        &["www/samples/coffee.png", out.to_str().unwrap()],
    );
    assert!(told.contains("bytes of tokens"), "{told}");
    let photo = fs::read("www/samples/coffee.png").unwrap();
    let photo = Picture::decode_fit(&photo, 512, false).unwrap();
    let quality = psnr(&photo, &picture(&out)).unwrap();
    assert!(quality > 18.0, "{quality}");
    assert!(told.contains(&format!("{quality:.2} dB")), "{told}");
}

#[test]
fn tokens_go_to_a_file_and_come_out_as_a_picture() {
    let folder = tempdir().unwrap();
    let [file, out] = ["a.tokens", "a.png"].map(|name| folder.path().join(name));
    let words = [
        "www/samples/coffee.png",
        file.to_str().unwrap(),
        out.to_str().unwrap(),
    ];
    let told = run("token_file", &words);
    let tokens = Tokens::from_bytes(&fs::read(file).unwrap()).unwrap();
    let rebuilt = picture(&out);
    assert_eq!(
        (rebuilt.width(), rebuilt.height()),
        (tokens.width, tokens.height)
    );
    let grid = &tokens.grids[0];
    let said = format!("{} rows of {} tokens", grid.rows, grid.columns);
    assert!(told.contains(&said), "{told}");
}

#[test]
fn a_folder_tunes_a_model() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("a.safetensors");
    let told = run("tune_on_folder", &["www/samples", out.to_str().unwrap()]);
    assert_eq!(told.lines().count(), 5, "{told}");
    let tuned = fs::read(out).unwrap();
    let device = burn::tensor::Device::flex();
    let tuned = tesserae::weights::load(tuned, &device).unwrap();
    assert_eq!(tuned.name.as_deref(), Some("tuned"));
    assert!(tuned.tuning.unwrap().contains(r#""steps":5"#));
}

#[test]
fn a_digit_is_drawn() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("a.png");
    let told = run("sample_digit", &["7", out.to_str().unwrap()]);
    assert_eq!(told.lines().count(), 8, "{told}");
    assert!(told.contains("49 tokens after step 8"), "{told}");
    let digit = picture(&out);
    assert_eq!((digit.width(), digit.height()), (28, 28));
}
