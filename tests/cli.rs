//! The command line as a program: what it prints, what it writes, and how it fails.
#![cfg(not(target_arch = "wasm32"))]
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

#[path = "cli/edits.rs"]
mod edits;
#[path = "cli/generators.rs"]
mod generators;
#[path = "cli/interrupts.rs"]
mod interrupts;
#[path = "cli/outputs.rs"]
mod outputs;
#[path = "cli/priors.rs"]
mod priors;
mod support;
#[path = "cli/terminal.rs"]
mod terminal;
#[path = "cli/trainings.rs"]
mod trainings;

use std::fs;

use serde_json::Value;
use support::program::{failed, failed_last, json, numbers, printed, run, text};
use support::{TINY, WeightFile, codec, decode, encode, root, sample, sample_path};
use tempfile::{TempDir, tempdir};
use tesserae::{Picture, Tokens};

fn picture(folder: &TempDir, name: &str) -> Picture {
    Picture::decode(&fs::read(folder.path().join(name)).unwrap()).unwrap()
}

/// Writes a training config for the tiny model, with `change` replacing one part of it.
fn training(folder: &TempDir, steps: usize, change: (&str, &str)) {
    let config = codec(TINY).config().to_json().unwrap();
    assert!(config.contains(change.0), "{} in {config}", change.0);
    let config = config.replace(change.0, change.1);
    let json = format!(
        r#"{{"model": {config}, "data": {{"crop": 16}}, "batch": 2, "steps": {steps},
             "optimizer": {{"learning_rate": 0.002, "warmup": 2}},
             "codebook": {{"quantize_after": 5, "kmeans_batches": 3, "restart_every": 5}},
             "adversary": {{"discriminator": {{"ndf": 4, "n_layers": 1}}, "start": 0,
                            "optimizer": {{"learning_rate": 0.001}}}}}}"#
    );
    fs::write(folder.path().join("train.json"), json).unwrap();
}

#[test]
fn reconstruct_is_encode_and_decode() {
    let folder = tempdir().unwrap();
    let told = json(&run(
        &folder,
        "reconstruct SAMPLES/astronaut.png a.png --json --model TINY --size 96",
    ));
    numbers(&told, &["psnr", "ssim", "bpp", "perplexity", "seconds"]);
    let told = json(&run(
        &folder,
        "encode SAMPLES/astronaut.png x.tokens --json --model TINY --size 96",
    ));
    numbers(&told, &["bpp", "perplexity", "seconds"]);
    assert_eq!(told["tokens"], 24 * 24);
    let bytes = fs::read(folder.path().join("x.tokens")).unwrap();
    assert_eq!(told["bytes"], bytes.len());
    let told = json(&run(&folder, "decode x.tokens b.png --json --model TINY"));
    assert_eq!((&told["width"], &told["height"]), (&96.into(), &96.into()));
    assert_eq!(picture(&folder, "a.png"), picture(&folder, "b.png"));

    // The library produces the same result.
    let codec = codec(TINY);
    let small = sample("astronaut.png").fit(96, false);
    let tokens = encode(&codec, &small);
    assert_eq!(Tokens::from_bytes(&bytes).unwrap(), tokens);
    assert_eq!(picture(&folder, "a.png"), decode(&codec, &tokens));
    // No other files are left.
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 3);
}

#[test]
fn the_numbers_for_people_are_those_for_programs() {
    let folder = tempdir().unwrap();
    let words = "reconstruct SAMPLES/rocket.jpg out.webp --model TINY --size 64 --square";
    let told = json(&run(&folder, &format!("{words} --json")));
    let output = run(&folder, words);
    let psnr = format!("PSNR {:.2} dB", told["psnr"].as_f64().unwrap());
    let printed = printed(&output);
    assert!(printed.starts_with("64×64: "), "{printed}");
    assert!(printed.contains(&psnr), "{printed}");
    let out = picture(&folder, "out.webp");
    assert_eq!((out.width(), out.height()), (64, 64));
}

#[test]
fn shipped_models_go_by_their_names() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("out.png").display().to_string();
    let words = format!("reconstruct SAMPLES/chelsea.png {out} --json --size 64");
    let named = json(&run(root(), &format!("{words} --model photos-f8")));
    let plain = json(&run(root(), &words));
    assert_eq!(named["tokens"], 64);
    assert_eq!(named["psnr"], plain["psnr"]);

    // Another model folder, with its own index.
    fs::write(folder.path().join("mine.safetensors"), TINY).unwrap();
    let index = fs::read(root().join("www/models/index.json")).unwrap();
    let mut index: Value = serde_json::from_slice(&index).unwrap();
    index["models"][0]["name"] = "mine".into();
    index["models"][0]["file"] = "mine.safetensors".into();
    fs::write(folder.path().join("index.json"), index.to_string()).unwrap();
    let told = json(&run(&folder, &format!("{words} --models . --model mine")));
    assert_eq!(told["tokens"], 256);
}

#[test]
fn init_writes_weights_by_seed_and_inspect_reads_them() {
    let folder = tempdir().unwrap();
    let init = |seed: &str| {
        let words = format!("init vqvae-tiny a.safetensors --seed {seed} --name new --json");
        let told = json(&run(&folder, &words));
        let bytes = fs::read(folder.path().join("a.safetensors")).unwrap();
        assert_eq!(told["bytes"], bytes.len());
        WeightFile::of(&bytes).tensors
    };
    let first = init("1");
    assert!(first != init("2"), "two seeds, one model");
    assert!(first == init("1"), "one seed, two models");

    let told = json(&run(&folder, "inspect a.safetensors --json"));
    assert_eq!(told["kind"], "vqvae");
    assert_eq!(told["name"], "new");
    assert_eq!((&told["factor"], &told["codes"]), (&4.into(), &32.into()));
    numbers(&told, &["parameters", "tensors", "macs_256"]);
    let output = run(&folder, "inspect TINY");
    let hash = codec(TINY).hashes().codebook.to_string();
    assert!(printed(&output).contains(&hash));
}

#[test]
fn eval_takes_means_and_leaves_out_what_is_damaged() {
    let folder = tempdir().unwrap();
    for name in ["astronaut.png", "coffee.png"] {
        fs::copy(sample_path(name), folder.path().join(name)).unwrap();
    }
    let whole = fs::read(sample_path("chelsea.png")).unwrap();
    fs::write(folder.path().join("cut.png"), &whole[..5000]).unwrap();
    fs::write(folder.path().join("notes.txt"), "not a picture").unwrap();
    let output = run(&folder, "eval . --model TINY --size 64 --json");
    let told = json(&output);
    let fields = [
        "psnr",
        "ssim",
        "ms_ssim",
        "gradient_energy",
        "bpp",
        "perplexity",
        "seconds",
    ];
    numbers(&told, &fields);
    for absent in ["jpeg", "webp", "counts"] {
        assert!(told.get(absent).is_none(), "{told}");
    }
    assert_eq!(told["skipped"], 1);
    assert!(text(&output.stderr).contains("cut.png"));
    let images = told["images"].as_array().unwrap();
    assert_eq!(images.len(), 2);
    for image in images {
        numbers(image, &fields);
        assert!(image["file"].is_string());
    }
    for field in fields.into_iter().filter(|f| *f != "perplexity") {
        let sum: f64 = images.iter().map(|i| i[field].as_f64().unwrap()).sum();
        let mean = told[field].as_f64().unwrap();
        assert!((mean - sum / 2.0).abs() < 1e-9, "{field}: {mean}");
    }
    let output = run(&folder, "eval . --model TINY --size 64");
    assert!(printed(&output).contains("mean of 2;"));

    // Two columns of 64 pixels; the taller photo is 64 high, and with the codecs there are four
    // rows.
    for (options, rows) in [("--sheet sheet.png", 2), ("--codecs --sheet sheet.png", 4)] {
        let shown = format!("eval astronaut.png coffee.png --model TINY --size 64 {options}");
        printed(&run(&folder, &shown));
        let sheet = picture(&folder, "sheet.png");
        assert_eq!((sheet.width(), sheet.height()), (2 * 64, rows * 64));
    }
    run(
        &folder,
        "reconstruct astronaut.png rebuilt.png --model TINY --size 64",
    );
    let (sheet, rebuilt) = (
        picture(&folder, "sheet.png"),
        picture(&folder, "rebuilt.png"),
    );
    let below = sheet.rgb()[3 * 128 * 64..].chunks(3 * 128).take(64);
    let below: Vec<u8> = below.flat_map(|row| &row[..3 * 64]).copied().collect();
    assert_eq!(below, rebuilt.rgb());

    // A flat picture has no gradients to preserve.
    let flat = Picture::from_rgb(16, 16, vec![90; 3 * 16 * 16]).unwrap();
    fs::write(folder.path().join("flat.png"), flat.png().unwrap()).unwrap();
    let told = json(&run(&folder, "eval flat.png --model TINY --json"));
    assert!(told["gradient_energy"].is_null(), "{told}");
    assert!(told["images"][0]["gradient_energy"].is_null(), "{told}");
}

#[test]
fn train_writes_weights_that_load_and_go_on() {
    let folder = tempdir().unwrap();
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let photos = folder.path().join("photos");
    fs::create_dir(&photos).unwrap();
    for name in ["astronaut.png", "chelsea.png", "rocket.jpg"] {
        fs::copy(sample_path(name), photos.join(name)).unwrap();
    }
    fs::write(photos.join("bad.jpg"), "no picture at all").unwrap();

    training(&folder, 20, ("", ""));
    let words = "train train.json --data photos --held-out photos --out model.safetensors";
    let output = run(&folder, &format!("{words} --name short --json"));
    let told = text(&output.stderr);
    assert!(told.contains("1 file"), "{told}");
    assert!(told.contains("training on 3 pictures"), "{told}");
    let told = json(&output);
    let fields = ["step", "mse", "psnr", "perplexity", "discriminator"];
    numbers(&told, &fields);
    numbers(&told, &["held_out_psnr", "crops_per_second"]);
    let log = String::from_utf8(read("model.jsonl")).unwrap();
    let last: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!(last, told);
    // Three pictures, with their reconstructions below.
    let sheet = picture(&folder, "model.png");
    assert_eq!((sheet.width(), sheet.height()), (3 * 128, 2 * 128));
    let told = json(&run(&folder, "inspect model.safetensors --json"));
    assert_eq!(told["name"], "short");
    let words = "reconstruct SAMPLES/coffee.png a.png --model model.safetensors --size 64 --json";
    assert_eq!(json(&run(&folder, words))["tokens"], 256);

    // From the weights, with their discriminator.
    let again = "train train.json --data photos --out again.safetensors --from model.safetensors \
                 --overwrite";
    let judged = format!("{again} --discriminator model.discriminator.safetensors");
    training(&folder, 3, ("", ""));
    printed(&run(&folder, &judged));
    let after = read("again.safetensors");
    assert_eq!(codec(after.as_slice()).config(), codec(TINY).config());
    assert_ne!(read("model.safetensors"), after);

    // Only the layers, with a different codebook size.
    training(&folder, 2, ("\"n_embed\":32", "\"n_embed\":16"));
    printed(&run(&folder, &again.replace("again", "fewer")));
    let fewer = codec(read("fewer.safetensors"));
    assert_eq!(fewer.config().codes(), 16);

    training(&folder, 2, ("\"ch\":4", "\"ch\":6"));
    let output = run(&folder, again);
    failed(&output, "weights_mismatch", "model.safetensors");
    assert!(read("again.safetensors") == after, "a failure writes");
}

#[test]
fn train_goes_on_from_its_checkpoint() {
    let folder = tempdir().unwrap();
    training(&folder, 6, ("", ""));
    let words = "train train.json --data SAMPLES --out a.safetensors --resume";
    let output = run(&folder, words);
    assert!(!text(&output.stderr).contains("resuming"), "there is none");
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let (log, weights) = (read("a.jsonl"), read("a.safetensors"));

    let told = json(&run(&folder, "plot a.jsonl a.svg --json"));
    assert_eq!(told["steps"], 1);
    let drawing = String::from_utf8(read("a.svg")).unwrap();
    for curve in ["psnr", "mse", "discriminator", "perplexity"] {
        assert!(drawing.contains(curve), "no {curve}");
    }

    // All steps are done, so there is no further training or logging.
    let output = run(&folder, words);
    let told = text(&output.stderr);
    assert!(told.contains("resuming after 6 steps"), "{told}");
    assert!(read("a.jsonl") == log && read("a.safetensors") == weights);

    training(&folder, 7, ("", ""));
    let output = run(&folder, words);
    failed_last(&output, "weights_mismatch", "a different config");
    assert!(read("a.jsonl") == log && read("a.safetensors") == weights);
}

#[test]
fn a_model_without_a_codebook_reconstructs_and_makes_no_tokens() {
    let folder = tempdir().unwrap();
    printed(&run(&folder, "init kl-tiny kl.safetensors --seed 3"));
    let words = "reconstruct SAMPLES/coffee.png a.png --model kl.safetensors --size 64";
    let told = json(&run(&folder, &format!("{words} --json")));
    numbers(&told, &["psnr", "seconds"]);
    for field in ["bpp", "perplexity", "used", "tokens"] {
        assert!(told.get(field).is_some_and(Value::is_null), "{told}");
    }
    assert!(printed(&run(&folder, words)).contains("no tokens"));
    let mean = picture(&folder, "a.png");
    printed(&run(&folder, &format!("{words} --sample 7")));
    let first = picture(&folder, "a.png");
    printed(&run(&folder, &format!("{words} --sample 7")));
    assert_eq!(picture(&folder, "a.png"), first);
    assert_ne!(first, mean);

    let words = "eval SAMPLES/coffee.png --model kl.safetensors --size 64";
    let told = json(&run(&folder, &format!("{words} --json")));
    numbers(&told, &["psnr", "seconds"]);
    for field in ["bpp", "perplexity", "used"] {
        assert!(told.get(field).is_some_and(Value::is_null), "{told}");
        let image = &told["images"][0];
        assert!(image.get(field).is_some_and(Value::is_null), "{told}");
    }
    assert!(printed(&run(&folder, words)).contains("mean of 1; no tokens"));

    printed(&run(
        &folder,
        "encode SAMPLES/coffee.png a.tokens --model TINY --size 64",
    ));
    for (code, words) in [
        (
            "no_codebook",
            "encode SAMPLES/coffee.png b.tokens --model kl.safetensors",
        ),
        (
            "no_codebook",
            "decode a.tokens b.png --model kl.safetensors",
        ),
        (
            "argument",
            "reconstruct SAMPLES/coffee.png b.png --model TINY --sample 1",
        ),
    ] {
        failed(&run(&folder, words), code, "");
    }
    assert!(!folder.path().join("b.png").exists());
}

#[test]
fn two_grids_go_through_the_token_file() {
    let folder = tempdir().unwrap();
    printed(&run(&folder, "init vqvae2-tiny two.safetensors"));
    let model = "--model two.safetensors --json";
    let words = format!("encode SAMPLES/coffee.png x.tokens --size 64 {model}");
    assert_eq!(json(&run(&folder, &words))["tokens"], 8 * 8 + 16 * 16);
    printed(&run(&folder, &format!("decode x.tokens a.png {model}")));
    let words = format!("reconstruct SAMPLES/coffee.png b.png --size 64 {model}");
    assert_eq!(json(&run(&folder, &words))["tokens"], 8 * 8 + 16 * 16);
    assert_eq!(picture(&folder, "a.png"), picture(&folder, "b.png"));
}

#[test]
fn failures_are_one_line_and_a_status() {
    let folder = tempdir().unwrap();
    for name in ["words.png", "words.tokens", "words.safetensors"] {
        fs::write(folder.path().join(name), "these are only words").unwrap();
    }
    fs::create_dir(folder.path().join("none")).unwrap();
    fs::create_dir(folder.path().join("others")).unwrap();
    fs::write(folder.path().join("others/notes.txt"), "only words").unwrap();
    training(&folder, 1, ("n_embed", "n_embbed"));
    let before = fs::read_dir(&folder).unwrap().count();

    // Code, expected words of the message, and the command.
    let cases = "
        io | absent.png | reconstruct absent.png a.png --model TINY
        image_unsupported | not a PNG | reconstruct words.png a.png --model TINY
        argument | gif | reconstruct SAMPLES/coffee.png a.gif --model TINY --size 8
        io | a.tokens | encode SAMPLES/coffee.png none/none/a.tokens --model TINY --size 8
        model_unknown | photos-f9 | encode words.png a.tokens --models ROOT/www/models --model photos-f9
        io | x.safetensors | encode SAMPLES/coffee.png a.tokens --model x.safetensors
        weights_corrupt | text file | encode SAMPLES/coffee.png a.tokens --model words.safetensors
        tokens_corrupt | damaged | decode words.tokens a.png --model TINY
        weights_corrupt | text file | inspect words.safetensors
        model_unknown | photos-f9 | init photos-f9 a.safetensors
        dataset_empty | none | eval none --model TINY
        dataset_empty | others | eval others --model TINY
        config_invalid | n_embbed | train train.json --data SAMPLES --out a.safetensors
        argument | .checkpoint | train train.json --data SAMPLES --out a.checkpoint
        io | absent.json | train absent.json --data SAMPLES --out a.safetensors
        io | not a training log | plot words.tokens a.svg";
    for case in cases.trim().lines() {
        let [code, named, words] = case.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("{case}");
        };
        failed(&run(&folder, words), code, named);
    }
    training(&folder, 1, ("", ""));
    for data in ["none", "others"] {
        let words = format!("train train.json --data {data} --out a.safetensors");
        failed(&run(&folder, &words), "dataset_empty", data);
    }
    let after = fs::read_dir(&folder).unwrap().count();
    assert_eq!(after, before, "a failure writes nothing");
}

#[test]
fn tokens_of_another_model_are_refused_in_one_line() {
    let folder = tempdir().unwrap();
    printed(&run(
        &folder,
        "encode SAMPLES/coffee.png a.tokens --model TINY --size 64",
    ));
    let words = "decode a.tokens a.png --models ROOT/www/models --json";
    let output = run(&folder, words);
    failed(&output, "tokens_other_codebook", "");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["code"], "tokens_other_codebook");

    // Those of a codebook that a shipped model has no longer name it, where there is an index.
    let old = "decode ROOT/tests/e2e/fixtures/earlier.tokens a.png --model";
    let output = run(
        &folder,
        &format!("{old} photos-f8 --models ROOT/www/models"),
    );
    failed(
        &output,
        "tokens_retired",
        "an earlier version of photos-f8,",
    );
    failed(
        &run(&folder, &format!("{old} TINY")),
        "tokens_other_codebook",
        "",
    );

    // A different decoder gives a warning, but the picture is still written.
    let mut file = WeightFile::tiny();
    file.map("decoder.conv_out.weight", |v| 0.5 * v);
    fs::write(folder.path().join("other.safetensors"), file.bytes()).unwrap();
    let output = run(
        &folder,
        "decode a.tokens a.png --model other.safetensors --json",
    );
    assert_eq!(json(&output)["tokens"], 256);
    assert_eq!(text(&output.stderr).lines().count(), 1);
    assert_eq!(picture(&folder, "a.png").width(), 64);
}
