//! Compares documented fields, error codes, presets and limits with the actual ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};
use tesserae::train::{GeneratorTrainConfig, PriorTrainConfig, TrainConfig, TuneConfig};

use super::support::program::{json as object, printed, run, text};
use super::{named, quoted, read, rows, section, set};

#[test]
fn every_error_code_is_documented_and_exists() {
    let source = read("src/error.rs");
    let arms = source.split("=> \"").skip(1);
    let mut codes = set(arms.map(|rest| rest.split('"').next().unwrap()));
    assert!(codes.len() > 30, "{codes:?}");
    let protocol = read("www/engine/protocol.js");
    let page = protocol.split("export const PageCode").nth(1).unwrap();
    let page = page.split("})").next().unwrap();
    codes.extend(set(page.split('\'').skip(1).step_by(2)));
    assert_eq!(named(&read("docs/codes.md")), codes);
}

#[test]
fn every_preset_is_documented_and_exists() {
    let presets = set(tesserae::ModelConfig::preset_names());
    assert!(presets.len() > 10, "{presets:?}");
    assert_eq!(named(&section("docs/models.md", "## Presets")), presets);
}

/// Documented defaults by field: `None` if required, null if it may be absent.
type Defaults = BTreeMap<String, Option<Value>>;

fn documented(heading: &str) -> Defaults {
    let rows = rows(&section("docs/configs.md", heading));
    let default = |cell: &str| match cell {
        "" => None,
        "absent" => Some(Value::Null),
        // Documented elsewhere, under the section with this name.
        "see below" => Some(json!({})),
        cell => {
            let quoted = quoted(cell).remove(0);
            Some(serde_json::from_str(&quoted).unwrap_or(json!(quoted)))
        }
    };
    let fields = rows
        .iter()
        .map(|row| (quoted(&row[0]).remove(0), default(&row[1])));
    fields.collect()
}

/// Whether two values are equal, regardless of the type of number.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        // Some are f32 in the crate.
        (Some(a), Some(b)) => (a - b).abs() <= 1e-6 * a.abs(),
        _ => a == b,
    }
}

/// Writes a model with this config and reads the config back, or returns the error.
fn written(folder: &TempDir, config: &Value) -> Result<Value, String> {
    fs::write(folder.path().join("a.json"), config.to_string()).unwrap();
    let output = run(folder, "init a.json a.safetensors");
    if !output.status.success() {
        return Err(text(&output.stderr).to_owned());
    }
    Ok(object(&run(folder, "inspect a.safetensors --json"))["config"].clone())
}

#[test]
fn every_field_of_a_model_is_documented_with_its_default_and_exists() {
    let folder = tempdir().unwrap();
    for kind in [
        "vqvae",
        "vqvae2",
        "vqgan",
        "kl",
        "maskgit",
        "llamagen",
        "mingpt",
        "vae",
        "gan",
        "diffusion",
    ] {
        printed(&run(&folder, &format!("init {kind}-tiny tiny.safetensors")));
        let mut base = object(&run(&folder, "inspect tiny.safetensors --json"))["config"].clone();
        if base.get("ch").is_some() {
            // Wide enough for the default number of groups.
            base["ch"] = json!(32);
        }
        let said = documented(&format!("### {kind}"));
        let optional = |name: &&String| said[*name] == Some(Value::Null);
        let written_always: BTreeSet<_> = said.keys().filter(|n| !optional(n)).cloned().collect();
        assert_eq!(
            written_always,
            set(base.as_object().unwrap().keys()),
            "{kind}"
        );
        for (name, default) in &said {
            let mut config = base.clone();
            let fields = config.as_object_mut().unwrap();
            match default {
                None => {
                    fields.remove(name);
                    let error = written(&folder, &config).unwrap_err();
                    assert!(
                        error.contains(&format!("missing field `{name}`")),
                        "{kind}: {error}"
                    );
                }
                Some(Value::Null) => {
                    fields.insert(name.clone(), Value::Null);
                    written(&folder, &config).unwrap();
                }
                Some(default) => {
                    fields.remove(name);
                    let config = written(&folder, &config).unwrap();
                    let (is, said) = (config[name].to_string(), default.to_string());
                    assert!(
                        same(&config[name], default),
                        "{kind}: {name} is {is}, not {said}"
                    );
                }
            }
        }
        let mut config = base;
        config["undocumented"] = json!(0);
        let error = written(&folder, &config).unwrap_err();
        assert!(error.contains("unknown field `undocumented`"), "{error}");
    }
}

/// A training config with every section, each with only its required fields.
fn training() -> Value {
    let optimizer = json!({"learning_rate": 0.001});
    json!({
        "model": {
            "kind": "vqvae", "hidden": 16, "residual_hidden": 8, "residual_layers": 2,
            "downsamplings": 2, "embed_dim": 8, "n_embed": 32,
        },
        "data": {"crop": 64},
        "batch": 1,
        "steps": 10,
        "optimizer": optimizer,
        "loss": {},
        "codebook": {},
        "adversary": {"discriminator": {"ndf": 8, "n_layers": 1}, "optimizer": optimizer},
    })
}

#[test]
fn every_field_of_a_priors_training_is_documented_with_its_default_and_exists() {
    let model = json!({"kind": "maskgit", "codes": 8, "rows": 4, "columns": 4, "width": 16,
        "layers": 1, "heads": 2, "hidden": 16});
    training_is_documented("### train of a prior", model, |json| {
        let config = PriorTrainConfig::from_json(json);
        Ok(serde_json::to_value(config?).unwrap())
    });
}

#[test]
fn every_field_of_a_generators_training_is_documented_with_its_default_and_exists() {
    let model = json!({"kind": "vae", "channels": 1, "side": 8, "width": 4, "hidden": 8,
        "latent": 2});
    training_is_documented("### train of a generator", model, |json| {
        let config = GeneratorTrainConfig::from_json(json);
        Ok(serde_json::to_value(config?).unwrap())
    });
}

/// Checks the section `heading` against what `parse` makes of a config with only what is required.
fn training_is_documented(
    heading: &str,
    model: Value,
    parse: impl Fn(&str) -> tesserae::Result<Value>,
) {
    let parse = |config: &Value| parse(&config.to_string());
    let training = json!({
        "model": model,
        "batch": 1,
        "steps": 10,
        "optimizer": {"learning_rate": 0.001},
    });
    let said = documented(heading);
    let mut config = training.clone();
    config["undocumented"] = json!(0);
    let error = parse(&config).unwrap_err().to_string();
    assert_eq!(set(said.keys()), expected(&error));
    for (name, default) in said {
        let mut config = training.clone();
        config.as_object_mut().unwrap().remove(&name);
        match (parse(&config), default) {
            (Err(error), None) => {
                let missing = format!("missing field `{name}`");
                assert!(error.to_string().contains(&missing), "{error}");
            }
            (Ok(config), Some(default)) => {
                let is = &config[&name];
                assert!(same(is, &default), "{name} is {is}, not {default}");
            }
            (parsed, default) => panic!("{name}: {parsed:?}, not {default:?}"),
        }
    }
}

/// The field names that serde lists in its error for an unknown field.
fn expected(error: &str) -> BTreeSet<String> {
    assert!(error.contains("unknown field `undocumented`"), "{error}");
    assert!(!error.ends_with('…'), "{error}");
    set(quoted(error).into_iter().skip(1))
}

#[test]
fn every_field_of_a_training_is_documented_with_its_default_and_exists() {
    let parse = |config: &Value| TrainConfig::from_json(&config.to_string());
    let whole = serde_json::to_value(parse(&training()).unwrap()).unwrap();
    for (heading, path) in [
        ("### train", ""),
        ("### train.data", "/data"),
        ("### train.optimizer", "/optimizer"),
        ("### train.optimizer", "/adversary/optimizer"),
        ("### train.loss", "/loss"),
        ("### train.codebook", "/codebook"),
        ("### train.adversary", "/adversary"),
        (
            "### train.adversary.discriminator",
            "/adversary/discriminator",
        ),
    ] {
        let said = documented(heading);
        let mut config = training();
        config.pointer_mut(path).unwrap()["undocumented"] = json!(0);
        let error = parse(&config).unwrap_err().to_string();
        assert_eq!(set(said.keys()), expected(&error), "{heading}");
        for (name, default) in said {
            let mut config = training();
            let fields = config.pointer_mut(path).unwrap().as_object_mut().unwrap();
            fields.remove(&name);
            let parsed = parse(&config).map_err(|e| e.to_string());
            let Some(default) = default else {
                let error = parsed.unwrap_err();
                assert!(
                    error.contains(&format!("missing field `{name}`")),
                    "{heading}: {error}"
                );
                continue;
            };
            let parsed = serde_json::to_value(parsed.unwrap()).unwrap();
            let is = &parsed.pointer(path).unwrap()[&name];
            let agrees = match default.is_object() {
                true => is == &whole[&name],
                false => same(is, &default),
            };
            assert!(agrees, "{heading}: {name} is {is}, not {default}");
        }
    }
}

#[test]
fn every_field_of_a_tuning_is_documented_with_its_default_and_exists() {
    let error = TuneConfig::from_json("{\"undocumented\": 0}").unwrap_err();
    let said = documented("### tune");
    assert_eq!(set(said.keys()), expected(&error.to_string()));
    let defaults = serde_json::to_value(TuneConfig::default()).unwrap();
    for (name, default) in said {
        let is = &defaults[&name];
        assert!(same(is, &default.unwrap()), "{name} is {is}");
    }
}

#[test]
fn every_field_of_the_index_is_documented_and_exists() {
    let index: Value = serde_json::from_str(&read("www/models/index.json")).unwrap();
    let entries = index["models"].as_array().unwrap();
    let there = set(entries.iter().flat_map(|e| e.as_object().unwrap().keys()));
    assert_eq!(
        named(&section("docs/formats.md", "## www/models/index.json")),
        there
    );
}

#[test]
fn every_key_of_a_weight_file_is_documented_and_exists() {
    let folder = tempdir().unwrap();
    let tune = "tune SAMPLES/coffee.png --model TINY --size 32 --square --steps 1 --out a.safetensors --name a";
    printed(&run(&folder, tune));
    let bytes = fs::read(folder.path().join("a.safetensors")).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let mut keys = set(header["__metadata__"].as_object().unwrap().keys());
    // Only a prior says what it learned from.
    keys.insert(tesserae::weights::CORPUS_KEY.to_owned());
    assert_eq!(named(&section("docs/formats.md", "## Weight file")), keys);
}

#[test]
fn a_token_file_is_laid_out_as_documented() {
    let folder = tempdir().unwrap();
    let encode = "encode SAMPLES/coffee.png a.tokens --model TINY --size 48 --json";
    printed(&run(&folder, encode));
    let facts = object(&run(&folder, "decode a.tokens a.png --model TINY --json"));
    let inspect = object(&run(&folder, "inspect TINY --json"));
    let bytes = fs::read(folder.path().join("a.tokens")).unwrap();
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let hash = |at: usize| {
        bytes[at..at + 8]
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect::<String>()
    };

    let table = rows(&section("docs/formats.md", "## Token file"));
    let mut next = 0;
    for row in table.iter().filter(|row| row[0].parse::<usize>().is_ok()) {
        let at: usize = row[0].parse().unwrap();
        assert_eq!(at, next, "{row:?}");
        next = at + row[1].trim_end_matches(" G").parse::<usize>().unwrap();
        let content = row[2].as_str();
        match at {
            0 => assert_eq!(quoted(content), [text(&bytes[..4])]),
            4 => assert_eq!(content, format!("version, {}", bytes[4])),
            5 => assert_eq!(
                (bytes[5], content.starts_with("number of grids")),
                (1, true)
            ),
            6 => assert_eq!((bytes[6], content.starts_with("bits per index")), (5, true)),
            7 => assert_eq!(content, format!("reserved, {}", bytes[7])),
            8 => assert_eq!(
                (json!(number(8)), content.starts_with("width")),
                (facts["width"].clone(), true)
            ),
            12 => assert_eq!(
                (json!(number(12)), content.starts_with("height")),
                (facts["height"].clone(), true)
            ),
            16 => assert_eq!(
                (number(16), content.starts_with("codebook size")),
                (32, true)
            ),
            20 => assert_eq!(
                (json!(hash(20)), content),
                (inspect["codebook_hash"].clone(), "hash of the codebook")
            ),
            28 => assert_eq!(
                (json!(hash(28)), content),
                (inspect["decoder_hash"].clone(), "hash of the decoder")
            ),
            36 => {
                let tokens = number(36) * number(40);
                assert_eq!(json!(tokens), facts["tokens"]);
                // What remains is the indices and the checksum.
                assert_eq!(bytes.len(), 36 + 8 + (tokens as usize * 5).div_ceil(8) + 4);
            }
            _ => panic!("{row:?}"),
        }
    }
    assert_eq!(next, 44, "one grid's sides end the fixed part");
}

#[test]
fn the_pages_limits_are_documented() {
    let protocol = read("www/engine/protocol.js");
    let limits = protocol.split("export const FILE_LIMITS").nth(1).unwrap();
    let limits = limits.split("})").next().unwrap();
    let product = |factor: &str| -> u64 {
        let mut parts = factor.split("**").map(|n| n.trim().parse::<u64>().unwrap());
        let base = parts.next().unwrap();
        parts
            .next()
            .map_or(base, |exponent| base.pow(exponent as u32))
    };
    let bytes = |words: &str| -> u64 {
        let mut terms = words
            .split(" - ")
            .map(|term| term.split(" * ").map(product).product::<u64>());
        let first = terms.next().unwrap();
        first - terms.sum::<u64>()
    };
    let table = rows(&section("docs/limits.md", "## Files"));
    for (name, file) in [
        ("picture", "picture, on the page"),
        ("tokens", "token file, on the page"),
        ("weights", "weight file, on the page"),
        ("config", "`config.json`, on the page"),
    ] {
        let words = limits
            .split(&format!("{name}: "))
            .nth(1)
            .unwrap()
            .split(',')
            .next()
            .unwrap();
        let row = table.iter().find(|row| row[0] == file).unwrap();
        assert_eq!(row[1], format!("{} MiB", bytes(words) >> 20), "{file}");
    }
}
