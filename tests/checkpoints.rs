//! Weight files written by other programs, in `tests/checkpoints`: each either reproduces the
//! reference implementation's output, or fails with a message that says what the file is and what
//! to do.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod support;

use std::path::PathBuf;
use std::rc::Rc;

use burn::tensor::Device;
use serde_json::Value;
use support::{WeightFile, encode, root, try_reconstruct};
use tesserae::codec::Limits;
use tesserae::pixels::metrics::psnr;
use tesserae::weights::{CheckedWeights, Container, Family, Source, Survey, build};
use tesserae::{AutoencoderConfig, Codec, Error, Picture, Result};

fn path(name: &str) -> PathBuf {
    root().join("tests/checkpoints").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

fn picture(name: &str) -> Picture {
    Picture::decode(&bytes(name)).unwrap()
}

/// A config file for what the shapes do not determine.
const GROUPS: Option<&str> = Some(r#"{"norm_groups": 4}"#);
const MASKGIT: Option<&str> = Some(r#"{"norm_groups": 2}"#);

fn check(name: &str, config: Option<&str>) -> Result<CheckedWeights> {
    CheckedWeights::of(bytes(name), config)
}

fn codec(checked: &CheckedWeights) -> Codec {
    let device = Device::flex();
    Codec::new(
        build(checked, &device).unwrap().autoencoder().unwrap(),
        &device,
    )
}

fn rebuilt(codec: &Codec) -> Picture {
    try_reconstruct(codec, &picture("picture-64.png"), None).unwrap()
}

/// Fails unless the file's reconstruction matches the entry `expected` of `expected.json`.
fn gives_as(name: &str, config: Option<&str>, expected: &str) -> CheckedWeights {
    let checked = check(name, config).unwrap();
    let codec = codec(&checked);
    let all: Value = serde_json::from_slice(&bytes("expected.json")).unwrap();
    let wanted = &all[expected];

    let rebuilt = rebuilt(&codec);
    let decibels = psnr(&picture("picture-64.png"), &rebuilt).unwrap();
    let reference = wanted["psnr"].as_f64().unwrap();
    assert!((decibels - reference).abs() < 0.006, "{decibels} dB");

    let tokens = wanted["tokens_first_12"].as_array().unwrap();
    let tokens: Vec<u64> = tokens.iter().map(|token| token.as_u64().unwrap()).collect();
    assert_eq!(codec.config().grids().is_empty(), tokens.is_empty());
    if !tokens.is_empty() {
        let found = encode(&codec, &picture("picture-64.png"));
        let first = found.grids[0].indices.iter().take(12);
        assert_eq!(first.map(|i| u64::from(*i)).collect::<Vec<_>>(), tokens);
    }

    let reference = picture(&format!("{expected}.expected.png"));
    let pairs = || rebuilt.rgb().iter().zip(reference.rgb());
    let far = pairs().filter(|(a, b)| a.abs_diff(**b) > 1).count();
    assert!(far * 1000 <= rebuilt.rgb().len(), "{far} samples differ");
    checked
}

fn gives(name: &str, config: Option<&str>) -> CheckedWeights {
    gives_as(name, config, name)
}

macro_rules! files {
    ($($test:ident: $file:literal, $config:expr;)*) => {$(
        #[test]
        fn $test() {
            gives($file, $config);
        }
    )*};
}

files! {
    taming_transformers_as_they_are: "control-taming.safetensors", GROUPS;
    autoencoder_kl_as_it_is: "control-kl.safetensors", GROUPS;
    a_checkpoint_under_a_stem_of_20_characters: "checkpoint-000001000.pt", GROUPS;
    a_checkpoint_under_a_stem_of_21_characters: "checkpoint-0000010000.pt", GROUPS;
    double_precision: "f64.safetensors", GROUPS;
    widths_that_are_no_multiples_of_the_first: "widths-16-24.safetensors", GROUPS;
}

#[test]
fn names_under_what_training_scripts_wrap_around_a_model() {
    for (name, prefix) in [
        ("prefix-_orig_mod.safetensors", "_orig_mod."),
        ("prefix-vae.safetensors", "vae."),
    ] {
        assert_eq!(gives(name, GROUPS).prefix, prefix);
    }
    // Other prefixes work as well.
    let plain = gives("control-taming.safetensors", GROUPS);
    let file = WeightFile::of(&bytes("control-taming.safetensors"));
    for prefix in [
        "module.",
        "module.module.",
        "model.",
        "model.vqmodel.",
        "vqvae.",
        "tokenizer.",
        "vqmodel.",
        "net.",
        "generator.",
        "first_stage_model.",
        "somebodys.own.name.",
    ] {
        let mut nested = file.clone();
        let tensors = nested.tensors.into_iter();
        nested.tensors = tensors
            .map(|(name, tensor)| (format!("{prefix}{name}"), tensor))
            .collect();
        let checked = CheckedWeights::of(nested.bytes(), GROUPS).unwrap();
        assert_eq!(checked.prefix, prefix);
        assert_eq!(checked.hashes, plain.hashes, "{prefix}");
        assert!(checked.aside.is_empty());
    }
}

#[test]
fn an_autoencoder_beside_its_diffusion_model_and_text_encoder() {
    let checked = gives("comfy-all-in-one.safetensors", GROUPS);
    assert_eq!(checked.prefix, "vae.");
    let beside = [
        "model.diffusion_model.out.2.weight",
        "text_encoders.clip_l.logit_scale",
    ];
    assert_eq!(checked.aside, beside);
}

#[test]
fn what_a_codebook_counts_while_it_is_trained_is_set_aside() {
    let checked = gives("taming-ema-codebook.ckpt", GROUPS);
    let counted = [
        "quantize.embedding.cluster_size",
        "quantize.embedding.embed_avg",
    ];
    assert_eq!(checked.aside, counted);

    let mut file = WeightFile::of(&bytes("control-taming.safetensors"));
    let beside = [
        "lpips.lin0.model.1.weight",
        "quantize.ema_cluster_size",
        "quantize.ema_w.weight",
        "quantize.used",
    ];
    for name in beside {
        let other = file.get("quant_conv.bias").clone();
        file.tensors.insert(name.to_owned(), other);
    }
    let checked = CheckedWeights::of(file.bytes(), GROUPS).unwrap();
    assert_eq!(checked.aside, beside);
    let control = check("control-taming.safetensors", GROUPS).unwrap();
    assert_eq!(checked.hashes, control.hashes);
}

#[test]
fn llamagen_s_moving_average_is_taken_as_its_own_script_does() {
    let checked = gives("llamagen-model-and-ema.pt", GROUPS);
    assert_eq!(checked.family, Family::LlamaGen);
    assert_eq!(checked.taken(), "ema");
    assert_eq!(checked.passed_over(), ["model"]);
}

#[test]
fn flux_2_in_both_of_its_forms() {
    let forms = [
        ("flux2-diffusers.safetensors", Family::Diffusers),
        ("flux2-bfl.safetensors", Family::Taming),
    ];
    for (name, family) in forms {
        let checked = gives(name, GROUPS);
        assert_eq!(checked.family, family);
        assert_eq!(checked.aside.len(), 3, "{:?}", checked.aside);
        assert!(checked.aside.iter().all(|name| name.starts_with("bn.")));
    }
}

#[test]
fn a_decoder_narrower_than_its_encoder() {
    // Like FLUX.2's small decoder: one model's encoder with a decoder of different widths.
    let device = Device::flex();
    let config = |extra: &str| {
        format!(
            r#"{{"kind": "kl", "ch": 8, "ch_mult": [1, 2], "num_res_blocks": 1, "resolution": 256,
                "z_channels": 4, "norm_groups": 2, "embed_dim": 4{extra}}}"#
        )
    };
    let decoder = r#", "decoder": {"ch": 6, "ch_mult": [1, 1], "attn_resolutions": [], "mid_attention": true}"#;
    let config = AutoencoderConfig::from_json(&config(decoder)).unwrap();
    let model = tesserae::Autoencoder::new(&config, &device).unwrap();
    let about = tesserae::weights::About::default();
    let storage = tesserae::weights::Storage::F32;
    let saved =
        pollster::block_on(tesserae::weights::save(&model, &config, about, storage)).unwrap();
    // Its own config is removed, so it must be inferred from the shapes.
    let mut file = WeightFile::of(&saved);
    file.metadata = None;
    let told = CheckedWeights::of(file.bytes(), MASKGIT).unwrap();
    let same = CheckedWeights::of(saved, None).unwrap();
    assert_eq!(told.config, config.clone().into());
    assert_eq!(same.config, config.into());
    assert_eq!(told.hashes, same.hashes);
    assert!(rebuilt(&codec(&told)) == rebuilt(&codec(&same)));
}

#[test]
fn attention_in_the_encoder_s_levels_and_not_in_the_decoder_s() {
    let checked = gives("mar-kl16-like.ckpt", GROUPS);
    let AutoencoderConfig::Kl(config) = checked.config.autoencoder().unwrap() else {
        panic!("not an AutoencoderKL");
    };
    assert!(config.network.attends(1));
    assert!(!config.network.decoding().attends(1));
}

#[test]
fn maskgit_under_mage_s_names() {
    let muse = check("maskgit-open-muse-names.safetensors", MASKGIT).unwrap();
    let mage = check("mage-vqgan-names.safetensors", MASKGIT).unwrap();
    assert_eq!(mage.family, Family::Mage);
    assert_eq!(mage.config, muse.config);
    assert_eq!(mage.hashes, muse.hashes);
    assert!(rebuilt(&codec(&mage)) == rebuilt(&codec(&muse)));
}

#[test]
fn another_activation_is_refused_by_its_name() {
    let config = String::from_utf8(bytes("act-relu.config.json")).unwrap();
    let error = check("act-relu.safetensors", Some(&config)).unwrap_err();
    assert_eq!(error.code(), "config_invalid");
    assert!(error.to_string().contains("`act_fn` is `relu`"), "{error}");
    for name in ["silu", "swish", "SiLU"] {
        let config = config.replace("relu", name);
        check("act-relu.safetensors", Some(&config)).unwrap();
    }
}

#[test]
fn a_moving_average_beside_its_model_in_one_file_is_taken() {
    let file = WeightFile::of(&bytes("control-taming.safetensors"));
    let mut both = file.clone();
    for (name, tensor) in &file.tensors {
        let half = tensor.with(tensor.values().iter().map(|v| v / 2.0));
        both.tensors.insert(format!("ema.{name}"), half);
    }
    let checked = CheckedWeights::of(both.bytes(), GROUPS).unwrap();
    let control = check("control-taming.safetensors", GROUPS).unwrap();
    assert_ne!(checked.hashes, control.hashes);
    assert_eq!(
        (checked.prefix.as_str(), &*checked.others),
        ("ema.", &["".to_owned()][..])
    );
}

#[test]
fn two_models_with_no_telling_which_are_refused() {
    let file = WeightFile::of(&bytes("control-taming.safetensors"));
    let mut two = file.clone();
    two.tensors.clear();
    for (name, tensor) in &file.tensors {
        for start in ["left.", "right."] {
            two.tensors.insert(format!("{start}{name}"), tensor.clone());
        }
    }
    let error = CheckedWeights::of(two.bytes(), GROUPS).unwrap_err();
    assert_eq!(error.code(), "weights_mismatch");
    assert!(
        error.to_string().contains("`left.` and `right.`"),
        "{error}"
    );
}

#[test]
fn what_is_not_weights_at_all_is_called_by_its_name() {
    for (name, words) in [
        ("lfs-pointer.safetensors", "a Git LFS pointer"),
        ("lfs-pointer.safetensors", "(334.6 MB)"),
        ("html-page.safetensors", "a web page"),
        ("vae.gguf", "a GGUF file"),
        ("picture-64.png", "a picture"),
        ("groups-4.json", "a JSON file"),
    ] {
        let error = check(name, None).unwrap_err();
        assert_eq!(error.code(), "weights_corrupt", "{name}");
        let sentence = error.to_string();
        assert!(sentence.contains(words), "{name}: {sentence}");
        assert!(!sentence.contains("damaged"), "{name}: {sentence}");
    }
}

#[test]
fn a_yaml_config_says_what_it_is() {
    let yaml = "model:\n  base_learning_rate: 4.5e-06\n  target: taming.models.vqgan.VQModel\n";
    let error = check("control-taming.safetensors", Some(yaml)).unwrap_err();
    assert_eq!(error.code(), "config_invalid");
    assert!(error.to_string().contains("is YAML"), "{error}");
    let error = CheckedWeights::of(yaml.into(), None).unwrap_err();
    assert!(error.to_string().contains("a YAML file"), "{error}");
}

#[test]
fn a_group_count_that_a_config_would_mend_says_so() {
    let error = check("control-taming.safetensors", None).unwrap_err();
    assert_eq!(error.code(), "config_invalid");
    let sentence = error.to_string();
    for words in ["32 were assumed", "`--config`", r#"{"norm_groups": 8}"#] {
        assert!(sentence.contains(words), "{sentence}");
    }
    // With an explicit value, no assumption is mentioned.
    let config = Some(r#"{"norm_groups": 3}"#);
    let error = check("control-taming.safetensors", config).unwrap_err();
    assert!(!error.to_string().contains("assumed"), "{error}");
}

#[test]
fn control_characters_in_names_of_tensors_are_shown_escaped() {
    let file = Container::open(Rc::new(bytes("esc.pt"))).unwrap();
    let survey = Survey::of(file, GROUPS).unwrap();
    let faults: Vec<String> = survey.faults.iter().map(ToString::to_string).collect();
    let told = faults.join(", ");
    assert!(!told.contains(char::is_control), "{told:?}");
    assert!(told.contains("\\u{1b}"), "{told}");
}

/// A file of which only the header can be read.
#[derive(Debug)]
struct HeaderAlone {
    header: Vec<u8>,
    length: u64,
}

impl Source for HeaderAlone {
    fn len(&self) -> u64 {
        self.length
    }

    fn read(&self, start: u64, length: usize) -> Result<Vec<u8>> {
        let end = (start as usize + length).min(self.header.len());
        // The start of any file is read to detect its type.
        match self.header.get(start as usize..end) {
            Some(bytes) if start == 0 || bytes.len() == length => Ok(bytes.to_vec()),
            _ => Err(Error::Internal("a value was read".to_owned())),
        }
    }
}

#[test]
fn what_does_not_fit_the_device_is_refused_from_the_header() {
    let whole = bytes("control-taming.safetensors");
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap());
    let source = HeaderAlone {
        header: whole[..8 + length as usize].to_vec(),
        length: whole.len() as u64,
    };
    let survey = Survey::of(Container::open(Rc::new(source)).unwrap(), GROUPS).unwrap();
    survey.fits().unwrap();
    let admit = |model| {
        let limits = Limits {
            model,
            ..Limits::PORTABLE
        };
        let config = survey.config.autoencoder().unwrap();
        limits.admit(config, survey.parameters(), survey.largest())
    };
    admit(1 << 20).unwrap();
    assert_eq!(admit(1 << 12).unwrap_err().code(), "model_too_large");
    // Only at this point are the values read.
    let error = CheckedWeights::of_survey(survey).unwrap_err();
    assert_eq!(error.code(), "internal");
}

#[cfg(feature = "cli")]
mod program {
    use super::support::program::{command, failed, json, run, text};
    use super::*;

    const PLACE: &str = "ROOT/tests/checkpoints";

    fn reconstruct(model: &str) -> std::process::Output {
        let folder = tempfile::tempdir().unwrap();
        let words = format!("reconstruct {PLACE}/picture-64.png out.png --json --model {model}");
        run(&folder, &words)
    }

    fn told(output: &std::process::Output) -> &str {
        text(&output.stderr)
    }

    #[test]
    fn the_config_beside_a_file_is_looked_at_given_the_file_or_the_folder() {
        let folder = format!("{PLACE}/folder-16-groups");
        for model in [
            folder.clone(),
            format!("{folder}/diffusion_pytorch_model.safetensors"),
        ] {
            let output = reconstruct(&model);
            let decibels = json(&output)["psnr"].as_f64().unwrap();
            assert!((decibels - 10.26).abs() < 0.006, "{decibels} dB");
            // What neither the shapes nor the config say is reported once.
            let told = told(&output);
            assert_eq!(told.matches("assumed").count(), 1, "{told}");
            assert!(told.contains("norm_eps 1e-6"), "{told}");
            assert!(!told.contains("norm_groups"), "{told}");
        }
        // A config given explicitly takes precedence over the one next to the file.
        let output = reconstruct(&format!("{folder} --config {PLACE}/groups-4.json"));
        let decibels = json(&output)["psnr"].as_f64().unwrap();
        assert!((decibels - 10.26).abs() > 0.01, "{decibels} dB");
    }

    #[test]
    fn a_config_beside_a_file_that_cannot_be_read_is_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let weights = folder.path().join("model.safetensors");
        std::fs::copy(path("control-taming.safetensors"), &weights).unwrap();
        let config = folder.path().join("config.json");
        std::fs::write(&config, "<!doctype html>").unwrap();
        let output = run(&folder, "inspect model.safetensors");
        failed(&output, "config_invalid", "(from config.json)");
        std::fs::write(&config, r#"{"act_fn": "relu", "norm_num_groups": 4}"#).unwrap();
        failed(&run(&folder, "inspect ."), "config_invalid", "act_fn");
        // The config of another program's model is ignored.
        std::fs::write(&config, r#"{"model_type": "bert", "input": 4}"#).unwrap();
        let output = run(&folder, "inspect model.safetensors");
        failed(&output, "config_invalid", "32 were assumed");
    }

    #[test]
    fn every_field_that_is_read_counts_in_a_config_beside_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let weights = folder.path().join("model.safetensors");
        std::fs::copy(path("control-taming.safetensors"), &weights).unwrap();
        let inspect = |config: &str| {
            std::fs::write(folder.path().join("config.json"), config).unwrap();
            run(&folder, "inspect model.safetensors")
        };
        // All of these still fail without the number of groups; the message names the config if it
        // was read.
        for config in [
            r#"{"norm_eps": 1e-5}"#,
            r#"{"quantizer": "cosine"}"#,
            r#"{"sample_size": 64}"#,
            r#"{"resolution": 64}"#,
            r#"{"input": [0, 1]}"#,
        ] {
            failed(&inspect(config), "config_invalid", "(from config.json)");
        }
        let output = inspect(r#"{"tanh_out": true}"#);
        failed(&output, "config_invalid", "`tanh_out` is true");
        for config in [r#"{"resolution": "high"}"#, r#"{"input": "pixels"}"#] {
            let output = inspect(config);
            failed(&output, "config_invalid", "32 were assumed");
            assert!(!told(&output).contains("was read"), "{}", told(&output));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_config_from_a_pipe_is_read_once() {
        use std::io::Write;
        use std::process::Stdio;
        let folder = tempfile::tempdir().unwrap();
        let words = format!(
            "encode {PLACE}/picture-64.png out.tokens --config /dev/stdin \
             --model {PLACE}/control-taming.safetensors"
        );
        let mut child = command(&folder, &words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(GROUPS.unwrap().as_bytes()).unwrap();
        drop(pipe);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", told(&output));
        assert!(folder.path().join("out.tokens").exists());
    }

    #[test]
    fn a_folder_says_which_file_is_meant_or_why_none_is() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str| {
            std::fs::copy(path("control-taming.safetensors"), folder.path().join(name))
        };
        let inspect = || {
            std::fs::write(folder.path().join("g.json"), GROUPS.unwrap()).unwrap();
            run(&folder, "inspect . --config g.json --json")
        };
        failed(&inspect(), "io", "contains no weight file");
        std::fs::create_dir(folder.path().join("vae")).unwrap();
        failed(&inspect(), "io", "in the subfolder `vae`");
        std::fs::copy(
            path("checkpoint-000001000.pt"),
            folder.path().join("one.ckpt"),
        )
        .unwrap();
        assert_eq!(json(&inspect())["taken"], "state_dict");
        put("mine.safetensors").unwrap();
        assert_eq!(json(&inspect())["taken"], "");
        put("theirs.safetensors").unwrap();
        failed(
            &inspect(),
            "io",
            "`mine.safetensors` and `theirs.safetensors`",
        );
        put("diffusion_pytorch_model.safetensors").unwrap();
        assert_eq!(json(&inspect())["kind"], "vqgan");
    }

    #[test]
    fn every_command_reports_what_it_assumed_and_which_model_it_took() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("g.json"), GROUPS.unwrap()).unwrap();
        let model = format!("{PLACE}/llamagen-model-and-ema.pt");
        for words in [
            format!("inspect {model} --config g.json"),
            format!("convert {model} out.safetensors --config g.json"),
            format!("reconstruct {PLACE}/picture-64.png out.png --model {model} --config g.json"),
            format!("encode {PLACE}/picture-64.png out.tokens --model {model} --config g.json"),
            format!("eval {PLACE}/picture-64.png --model {model} --config g.json"),
            format!(
                "tune {PLACE}/picture-64.png --out t.safetensors --steps 1 --model {model} --config g.json"
            ),
        ] {
            let output = run(&folder, &words);
            let told = told(&output);
            assert!(output.status.success(), "{words}: {told}");
            assert_eq!(told.matches("assumed").count(), 1, "{words}: {told}");
            assert_eq!(
                told.matches("using the weights under `ema`, not those under `model`")
                    .count(),
                1,
                "{words}: {told}"
            );
        }
        // For this project's own files there is nothing to report.
        let output = run(&folder, "inspect out.safetensors");
        assert_eq!(told(&output), "");
    }

    #[test]
    fn one_of_several_files_names_the_index_to_open() {
        let shard = format!("inspect {PLACE}/model-00001-of-00002.safetensors");
        let output = run(root(), &shard);
        failed(&output, "weights_sharded", "shard 1 of 2");
        failed(&output, "weights_sharded", "`model.safetensors.index.json`");
    }

    #[test]
    fn what_was_stripped_and_set_aside_is_listed() {
        let inspect = |name: &str| {
            let words = format!("inspect {PLACE}/{name} --config {PLACE}/groups-4.json");
            let output = run(root(), &words);
            text(&output.stdout).to_owned()
        };
        let told = inspect("prefix-vae.safetensors");
        assert!(told.contains("names under `vae.`"), "{told}");
        let told = inspect("taming-ema-codebook.ckpt");
        assert!(told.contains("found under `state_dict`"), "{told}");
        assert!(told.contains("`quantize.embedding.cluster_size`"), "{told}");
        let told = inspect("esc.pt");
        assert!(
            !told.replace('\n', "").contains(char::is_control),
            "{told:?}"
        );
    }
}
