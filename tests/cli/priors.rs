//! Training a prior, and sampling from it.

use std::fs;

use serde_json::json;
use tempfile::{TempDir, tempdir};
use tesserae::Tokens;

use super::support::program::{failed_last, json, listed, printed, run};
use super::{TINY, codec, decode, picture};

/// Pictures of two classes, and a prior's training config for the tiny model's tokens.
fn prepared(classes: usize) -> TempDir {
    let folder = tempdir().unwrap();
    for (class, name) in ["dark/old", "light"].into_iter().enumerate() {
        fs::create_dir_all(folder.path().join("data").join(name)).unwrap();
        for number in 0..3 {
            let values = (0..16 * 16 * 3).map(|i| (class * 150 + (i * 7 + number) % 100) as u8);
            let picture = tesserae::Picture::from_rgb(16, 16, values.collect()).unwrap();
            let path = folder.path().join(format!("data/{name}/{number}.png"));
            fs::write(path, picture.png().unwrap()).unwrap();
        }
    }
    let config = json!({
        "model": {"kind": "maskgit", "codes": 32, "rows": 4, "columns": 4, "classes": classes,
            "width": 16, "layers": 2, "heads": 2, "hidden": 24},
        "batch": 4, "steps": 4, "optimizer": {"learning_rate": 0.01, "warmup": 2},
        "mirror": true, "shift": 1,
    });
    fs::write(folder.path().join("prior.json"), config.to_string()).unwrap();
    folder
}

const TRAIN: &str = "train prior.json --data data --held-out data --tokenizer named.safetensors --out p.safetensors";

/// The tiny model with a name, which a prior's file has to say.
pub fn trained(classes: usize) -> TempDir {
    let folder = prepared(classes);
    printed(&run(
        &folder,
        "convert TINY named.safetensors --dtype f32 --name tiny",
    ));
    printed(&run(&folder, &format!("{TRAIN} --name p")));
    folder
}

#[test]
fn a_prior_is_trained_on_folders_as_classes_and_sampled() {
    let folder = trained(2);
    let log = fs::read_to_string(folder.path().join("p.jsonl")).unwrap();
    for field in ["cross_entropy", "bits", "held_out_bits", "learning_rate"] {
        assert!(log.contains(field), "{log}");
    }
    let told = json(&run(&folder, "inspect p.safetensors --json"));
    assert_eq!(told["kind"], "maskgit");
    let corpus = &told["corpus"];
    assert_eq!(corpus["tokenizer"], "tiny");
    assert_eq!(corpus["classes"], json!(["dark/old", "light"]));
    let told = printed(&run(&folder, "inspect p.safetensors")).to_owned();
    assert!(told.contains("predicts    tokens of tiny"), "{told}");

    fs::create_dir(folder.path().join("out")).unwrap();
    let sample = "sample --model p.safetensors --tokenizer named.safetensors --count 2 --seed 7";
    let line = format!("{sample} --class light --guidance 1.5 --steps 3 --out out --tokens --json");
    let told = json(&run(&folder, &line));
    assert_eq!((&told["pictures"], &told["steps"]), (&2.into(), &3.into()));
    let names = listed(folder.path().join("out"));
    assert_eq!(
        names,
        ["0007.png", "0007.tokens", "0008.png", "0008.tokens"]
    );
    let tokens = fs::read(folder.path().join("out/0008.tokens")).unwrap();
    let decoded = decode(&codec(TINY), &Tokens::from_bytes(&tokens).unwrap());
    assert_eq!(picture(&folder, "out/0008.png"), decoded);

    // The same by the class's number and alone, and a sheet.
    let alone = "sample --model p.safetensors --tokenizer named.safetensors --seed 8 --class 1";
    printed(&run(
        &folder,
        &format!("{alone} --guidance 1.5 --steps 3 --out one.png"),
    ));
    assert_eq!(picture(&folder, "one.png"), decoded);
    printed(&run(
        &folder,
        &format!("{sample} --out sheet.png --order confidence"),
    ));
    let sheet = picture(&folder, "sheet.png");
    assert_eq!((sheet.width(), sheet.height()), (32, 16));

    // A finished training has nothing left to do.
    let checkpoint = fs::read(folder.path().join("p.safetensors")).unwrap();
    printed(&run(&folder, &format!("{TRAIN} --name p --resume")));
    assert_eq!(
        fs::read(folder.path().join("p.safetensors")).unwrap(),
        checkpoint
    );
}

#[test]
fn what_does_not_fit_a_prior_is_refused_in_a_sentence() {
    let folder = trained(2);
    printed(&run(&folder, "init vqgan-tiny nameless.safetensors"));
    let sample = "sample --model p.safetensors --tokenizer named.safetensors --out a.png";
    for (line, code, words) in [
        (
            format!("{sample} --class grey"),
            "argument",
            "there are dark/old, light",
        ),
        (format!("{sample} --class 2"), "argument", "outside 0 to 1"),
        (format!("{sample} --count 0"), "argument", "outside 1 to"),
        (format!("{sample} --tokens"), "argument", "a folder"),
        (
            format!("{sample} --guidance 2"),
            "argument",
            "needs a class",
        ),
        (
            "sample --model p.safetensors --models ROOT/www/models --tokenizer digits --out a.png"
                .into(),
            "prior_other_codebook",
            "`tiny`",
        ),
        (
            "sample --model p.safetensors --models ROOT/www/models --out a.png".into(),
            "model_unknown",
            "tiny",
        ),
        (
            "sample --model named.safetensors --out a.png".into(),
            "weights_mismatch",
            "a prior over tokens is needed",
        ),
        (
            "reconstruct SAMPLES/coffee.png a.png --model p.safetensors".into(),
            "weights_mismatch",
            "an autoencoder is needed",
        ),
        (
            "train prior.json --data data --out b.safetensors".into(),
            "argument",
            "--tokenizer",
        ),
        (
            "train prior.json --data data --tokenizer nameless.safetensors --out b.safetensors"
                .into(),
            "argument",
            "no name",
        ),
        (
            format!("{TRAIN} --features named.safetensors --overwrite"),
            "argument",
            "--features is for",
        ),
    ] {
        failed_last(&run(&folder, &line), code, words);
        assert!(!folder.path().join("a.png").exists(), "{line}");
    }
    let folder = prepared(3);
    printed(&run(
        &folder,
        "convert TINY named.safetensors --dtype f32 --name tiny",
    ));
    failed_last(
        &run(&folder, TRAIN),
        "argument",
        "3 classes, but pictures lie in 2 folders",
    );
}

#[test]
fn token_files_train_the_same_prior_as_the_pictures_they_come_from() {
    let folder = prepared(2);
    printed(&run(
        &folder,
        "convert TINY named.safetensors --dtype f32 --name tiny",
    ));
    let config = fs::read_to_string(folder.path().join("prior.json")).unwrap();
    let plain = config.replace(r#""mirror":true"#, r#""mirror":false"#);
    let plain = plain.replace(r#""shift":1"#, r#""shift":0"#);
    fs::write(folder.path().join("plain.json"), &plain).unwrap();
    let train = |config: &str, data: &str, out: &str| {
        let line =
            format!("train {config} --data {data} --tokenizer named.safetensors --out {out}");
        run(&folder, &line)
    };
    printed(&train("plain.json", "data", "a.safetensors"));
    // Both archives and single files, each with the folders that the pictures had.
    let encode = "encode --model named.safetensors";
    printed(&run(&folder, &format!("{encode} --out-dir shards data")));
    fs::create_dir_all(folder.path().join("files/dark/old")).unwrap();
    fs::create_dir_all(folder.path().join("files/light")).unwrap();
    for name in [
        "dark/old/0",
        "dark/old/1",
        "dark/old/2",
        "light/0",
        "light/1",
        "light/2",
    ] {
        printed(&run(
            &folder,
            &format!("{encode} data/{name}.png files/{name}.tokens"),
        ));
    }
    let weights = |name: &str| fs::read(folder.path().join(name)).unwrap();
    for data in ["shards", "files"] {
        printed(&train("plain.json", data, "b.safetensors"));
        assert_eq!(weights("a.safetensors"), weights("b.safetensors"), "{data}");
        fs::remove_file(folder.path().join("b.checkpoint")).unwrap();
    }
    let wrong = train("prior.json", "shards", "c.safetensors");
    failed_last(&wrong, "io", "cannot be mirrored or shifted");
    printed(&run(
        &folder,
        "encode SAMPLES/coffee.png files/light/3.tokens --size 64 --model digits --models ROOT/www/models",
    ));
    let wrong = train("plain.json", "files", "c.safetensors");
    failed_last(&wrong, "io", "another model");
}

#[test]
fn samples_are_compared_with_real_pictures() {
    let folder = trained(2);
    let line = "eval-samples --model p.safetensors --tokenizer named.safetensors --train data \
        --held-out data --count 5 --steps 2";
    let told = json(&run(&folder, &format!("{line} --json")));
    assert_eq!(
        (&told["samples"], &told["held_out"]),
        (&5.into(), &6.into())
    );
    assert_eq!(told["features"], "encoder");
    assert!(told["right"].is_null());
    for field in ["frechet", "frechet_shuffled", "nearest", "bits_per_token"] {
        assert!(told[field].as_f64().unwrap() > 0.0, "{field}: {told}");
    }
    // The held-out pictures are the training pictures here.
    assert!(
        told["nearest_held_out"].as_f64().unwrap().abs() < 1e-6,
        "{told}"
    );
    let told = json(&run(&folder, &format!("{line} --classify --json")));
    assert_eq!(told["features"], "classifier");
    for field in ["right", "right_held_out", "precision", "recall"] {
        let share = told[field].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&share), "{field}: {told}");
    }
    let told = printed(&run(&folder, line)).to_owned();
    assert!(told.contains("below"), "{told}");

    let wrong = line.replace("--count 5", "--count 0");
    failed_last(&run(&folder, &wrong), "argument", "at least 1");
}

#[test]
fn a_hole_is_filled_in_three_ways() {
    let folder = trained(2);
    let line = "eval-fill data --model p.safetensors --tokenizer named.safetensors --hole 2";
    let told = json(&run(&folder, &format!("{line} --sheet sheet.png --json")));
    assert_eq!(told["pictures"], 6);
    for way in ["prior", "mean", "diffusion"] {
        assert!(told["ways"][way]["psnr"].as_f64().unwrap() > 3.0, "{told}");
    }
    // The mean is flat.
    assert_eq!(told["ways"]["mean"]["gradient_energy"], 0.0);
    // Six columns of the hole's surroundings: with the hole, then filled.
    let sheet = picture(&folder, "sheet.png");
    assert_eq!((sheet.width(), sheet.height()), (6 * 16, 4 * 16));
    assert_eq!(told["orders"].as_array().unwrap().len(), 6);
    let wide = line.replace("--hole 2", "--hole 4");
    failed_last(&run(&folder, &wide), "argument", "does not fit");
}
