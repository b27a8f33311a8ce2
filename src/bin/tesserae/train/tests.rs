//! A training whose device starts to compute wrong results.

use std::fs;

use clap::Parser;
use serde_json::json;
use tesserae::train::State;
use tesserae::{AutoencoderConfig, Picture};

use super::args::RHYTHM;
use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

#[test]
fn a_training_stops_with_its_last_checkpoint_when_the_device_computes_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let values = (0..16 * 16 * 3).map(|i| (i * 37 % 251) as u8).collect();
    let picture = Picture::from_rgb(16, 16, values).unwrap();
    fs::write(path("picture.png"), picture.png().unwrap()).unwrap();
    let model = AutoencoderConfig::preset("vqvae-tiny")
        .unwrap()
        .to_json()
        .unwrap();
    let model: Value = serde_json::from_str(&model).unwrap();
    // The last step is saved as well, one step after the last checkpoint.
    let config = json!({"model": model, "data": {"crop": 8}, "batch": 1,
        "steps": RHYTHM.save + 1,
        "optimizer": {"learning_rate": 0.001}});
    fs::write(path("config.json"), config.to_string()).unwrap();
    let (config, out) = (path("config.json"), path("out.safetensors"));
    let data = folder.path().display().to_string();
    let line = ["train", &config, "--data", &data, "--out", &out];

    let mut checks = 0;
    let open = |_: &DeviceArgs| {
        Ok(Opened::tested_by(move || {
            checks += 1;
            match checks {
                1 => Ok(()),
                _ => Err(Error::SelfTestFailed("its result is off by 3".to_owned())),
            }
        }))
    };
    let args = Line::parse_from(line).args;
    let error = pollster::block_on(args.run_on(open, false)).unwrap_err();
    assert_eq!(error.code(), "self_test_failed", "{error}");
    assert!(error.to_string().contains("--resume"), "{error}");
    let checkpoint = fs::read(path("out.checkpoint")).unwrap();
    let state = State::from_bytes(&checkpoint).unwrap();
    assert_eq!(state.note("step").unwrap(), RHYTHM.save.to_string());
}
