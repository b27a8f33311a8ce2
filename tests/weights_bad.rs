//! Damaged and foreign weight files, listed in `tests/bad/index.json`: each is rejected with its
//! own code, by the library and by the program, and the model in use keeps working.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::rc::Rc;

use proptest::prelude::*;
use safetensors::tensor::Dtype;
use serde::Deserialize;
use support::{Stored, WeightFile, code, codec, decode, encode, painted, root};
use tesserae::weights::{CheckedWeights, Container};
use tesserae::{Codec, Error, Picture, Tokens};

#[derive(Deserialize)]
struct Case {
    name: String,
    file: String,
    /// A config.json next to the file.
    config: Option<String>,
    code: String,
    /// Part of the message.
    says: String,
}

fn path(name: &str) -> PathBuf {
    root().join("tests/bad").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

fn cases() -> Vec<Case> {
    let cases: Vec<Case> = serde_json::from_slice(&bytes("index.json")).unwrap();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "a name is there twice");
    assert!(cases.len() >= 40);
    cases
}

/// The library's result for a file and the config.json next to it.
fn check(file: &str, config: Option<&str>) -> Result<CheckedWeights, Error> {
    // Invalid UTF-8 is replaced, as when the page reads the file.
    let config = config.map(|name| String::from_utf8_lossy(&bytes(name)).into_owned());
    CheckedWeights::of(bytes(file), config.as_deref())
}

/// A model, and the picture it decodes from some tokens.
struct InUse {
    codec: Codec,
    tokens: Tokens,
    picture: Picture,
}

impl InUse {
    fn new() -> Self {
        let codec = codec(bytes("good.safetensors"));
        let tokens = encode(&codec, &painted(10, 8));
        assert!(tokens.usage().used > 1);
        Self {
            picture: decode(&codec, &tokens),
            codec,
            tokens,
        }
    }

    fn still_works(&self, after: &str) {
        assert_eq!(
            decode(&self.codec, &self.tokens),
            self.picture,
            "after {after}"
        );
    }
}

#[test]
fn the_files_that_the_others_are_made_of_load() {
    for name in ["good", "good-vqgan", "good-int8"] {
        let checked = check(&format!("{name}.safetensors"), None).unwrap();
        assert_eq!(checked.config.autoencoder().unwrap().codes(), 4, "{name}");
    }
    check("good-taming.safetensors", Some("good-taming.json")).unwrap();
}

#[test]
fn each_bad_file_is_refused_with_its_code_and_sentence() {
    let in_use = InUse::new();
    let mut wrong = Vec::new();
    for case in cases() {
        let found = match check(&case.file, case.config.as_deref()) {
            Ok(_) => "it loads".to_owned(),
            Err(e) if e.code() == case.code && e.to_string().contains(&case.says) => {
                let sentence = e.to_string();
                let readable = sentence.len() < 500 && !sentence.contains(char::is_control);
                assert!(readable, "{}: {sentence:?}", case.name);
                String::new()
            }
            Err(e) => format!("{e} [{}]", e.code()),
        };
        if !found.is_empty() {
            let Case {
                name, says, code, ..
            } = &case;
            wrong.push(format!("{name}: {found}\n    not {says} [{code}]"));
        }
        in_use.still_works(&case.name);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[cfg(feature = "cli")]
#[test]
fn the_program_refuses_each_with_the_same_code() {
    for case in cases() {
        let mut command = assert_cmd::cargo::cargo_bin_cmd!("tesserae");
        command.arg("inspect").arg(path(&case.file));
        if let Some(config) = &case.config {
            command.arg("--config").arg(path(config));
        }
        let output = command.output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        let name = &case.name;
        assert_eq!(output.status.code(), Some(1), "{name}: {told}");
        assert_eq!(told.lines().count(), 1, "{name}: {told}");
        assert!(told.starts_with("tesserae: "), "{name}: {told}");
        let code = format!("[{}]", case.code);
        assert!(told.trim_end().ends_with(&code), "{name}: {told}");
    }
}

#[test]
fn a_file_cut_short_anywhere_is_corrupt() {
    let in_use = InUse::new();
    let whole = bytes("good.safetensors");
    for cut in 0..whole.len() {
        let cut_short = CheckedWeights::of(whole[..cut].to_vec(), None);
        assert_eq!(code(cut_short), "weights_corrupt", "at {cut}");
    }
    in_use.still_works("every cut");
}

#[test]
fn an_index_of_shards_names_files_beside_it_that_hold_its_tensors() {
    let sharded = |index: &str| {
        Container::sharded(index, |file| match file {
            "good" => Ok(Rc::new(bytes("good.safetensors"))),
            "text" => Ok(Rc::new(bytes("files/a-text-file.safetensors"))),
            other => Err(Error::io(other, "it is not there")),
        })
    };
    let name = "quantize.embedding.weight";
    let placed = |file: &str| format!(r#"{{"weight_map": {{"{name}": "{file}"}}}}"#);
    let container = sharded(&placed("good")).unwrap();
    assert_eq!(container.names().collect::<Vec<_>>(), [name]);
    assert_eq!(container.values(name).unwrap().len(), 8);

    let elsewhere = r#"{"weight_map": {"another": "good"}}"#;
    for (index, expected, says) in [
        ("", "weights_corrupt", "the index of its shards: EOF"),
        ("[1]", "weights_corrupt", "the index of its shards: invalid"),
        ("{}", "weights_corrupt", "missing field `weight_map`"),
        (
            r#"{"weight_map": {"a": 1}}"#,
            "weights_corrupt",
            "invalid type",
        ),
        (
            elsewhere,
            "weights_corrupt",
            "`another` is not in the shard `good`",
        ),
        (&placed("text"), "weights_corrupt", "a text file"),
        (&placed("gone"), "io", "it is not there"),
        (&placed(""), "weights_corrupt", "which is not a file name"),
        (
            &placed("../good"),
            "weights_corrupt",
            "which is not a file name",
        ),
        (
            &placed("/good"),
            "weights_corrupt",
            "which is not a file name",
        ),
        (
            &placed("..\\\\good"),
            "weights_corrupt",
            "which is not a file name",
        ),
    ] {
        let error = sharded(index).unwrap_err();
        assert_eq!(error.code(), expected, "{index}: {error}");
        assert!(error.to_string().contains(says), "{index}: {error}");
    }
}

/// The values as `dtype`, which must be a supported type.
fn stored_as(dtype: Dtype, values: &[f32], shape: &[usize]) -> Stored {
    let bytes = |v: &f32| match dtype {
        Dtype::F16 => half::f16::from_f32(*v).to_le_bytes().to_vec(),
        Dtype::BF16 => half::bf16::from_f32(*v).to_le_bytes().to_vec(),
        _ => v.to_le_bytes().to_vec(),
    };
    Stored {
        dtype,
        shape: shape.to_vec(),
        data: values.iter().flat_map(bytes).collect(),
    }
}

#[test]
fn a_value_that_is_not_finite_is_named_in_every_tensor_and_type() {
    for model in ["good", "good-vqgan"] {
        let file = WeightFile::of(&bytes(&format!("{model}.safetensors")));
        for (name, tensor) in &file.tensors {
            for dtype in [Dtype::F32, Dtype::F16, Dtype::BF16] {
                for (i, value) in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY]
                    .into_iter()
                    .enumerate()
                {
                    let mut values = tensor.values();
                    let at = i * (values.len() - 1) / 2;
                    values[at] = value;
                    let mut file = file.clone();
                    *file.get(name) = stored_as(dtype, &values, &tensor.shape);
                    let error = CheckedWeights::of(file.bytes(), None).unwrap_err();
                    let expected = Error::WeightsNotFinite(name.clone());
                    assert_eq!(error, expected, "{value} in {dtype:?}");
                }
            }
        }
    }
}

/// Codes that a rejected weight file may have; any other is a bug.
const REFUSALS: [&str; 7] = [
    "pickle_refused",
    "weights_corrupt",
    "weights_unknown",
    "weights_mismatch",
    "weights_not_finite",
    "no_codebook",
    "config_invalid",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10_000) })]

    /// Bytes changed, inserted, removed or truncated, mostly in the header, whose length is then
    /// corrected or left wrong.
    #[test]
    fn damaged_files_are_refused_or_load(
        good in prop::sample::select(vec!["good", "good-vqgan", "good-int8", "good-taming"]),
        edits in prop::collection::vec(
            (any::<prop::sample::Index>(), 0..4u8, byte(), any::<bool>()), 1..5
        ),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
        right_length in prop::bool::weighted(0.8),
    ) {
        let mut file = bytes(&format!("{good}.safetensors"));
        let config = (good == "good-taming").then_some(r#"{"norm_num_groups": 1}"#);
        let mut header = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
        for (place, edit, value, in_header) in edits {
            let end = if in_header { 8 + header } else { file.len() };
            let at = 8 + place.index(end - 8);
            match edit {
                0 => {
                    file.remove(at);
                    header -= usize::from(at < 8 + header);
                }
                1 => {
                    file.insert(at, value);
                    header += usize::from(at < 8 + header);
                }
                _ => file[at] = value,
            }
        }
        if right_length {
            file[..8].copy_from_slice(&(header as u64).to_le_bytes());
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()));
        }
        if let Err(error) = CheckedWeights::of(file, config) {
            prop_assert!(REFUSALS.contains(&error.code()), "{}", error);
            let sentence = error.to_string();
            prop_assert!(!sentence.contains(char::is_control), "{:?}", sentence);
        }
    }
}

/// Any byte, more often one with a meaning in JSON.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        prop::sample::select(b"{}[]\":,.-0123456789eFnt \\".to_vec()),
        any::<u8>()
    ]
}
