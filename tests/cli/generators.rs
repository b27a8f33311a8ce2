//! Training a generator, making pictures with it, and shipping it.

use std::fs;

use serde_json::json;
use tempfile::{TempDir, tempdir};

use super::picture;
use super::support::program::{failed, failed_last, json, listed, printed, run};

/// Pictures of two classes, and three trained generators of them.
fn trained() -> TempDir {
    let folder = tempdir().unwrap();
    for (class, name) in ["dark", "light"].into_iter().enumerate() {
        fs::create_dir_all(folder.path().join("data").join(name)).unwrap();
        for number in 0..6 {
            let values = (0..8 * 8 * 3).map(|i| (class * 150 + (i * 7 + number) % 100) as u8);
            let picture = tesserae::Picture::from_rgb(8, 8, values.collect()).unwrap();
            let path = folder.path().join(format!("data/{name}/{number}.png"));
            fs::write(path, picture.png().unwrap()).unwrap();
        }
    }
    let optimizer = json!({"learning_rate": 0.01, "warmup": 2});
    for (kind, mut model, discriminator) in [
        ("vae", json!({"width": 4, "hidden": 16, "latent": 2}), None),
        (
            "gan",
            json!({"width": 4, "latent": 4}),
            Some(json!({"width": 4, "optimizer": optimizer})),
        ),
        (
            "diffusion",
            json!({"width": 4, "multipliers": [1, 2], "blocks": 1, "attention": false, "groups": 2}),
            None,
        ),
    ] {
        for (field, value) in [
            ("kind", json!(kind)),
            ("channels", json!(1)),
            ("side", json!(8)),
            ("classes", json!(2)),
        ] {
            model[field] = value;
        }
        let mut config =
            json!({"model": model, "batch": 4, "steps": 4, "optimizer": optimizer, "shift": 1});
        if let Some(discriminator) = discriminator {
            config["discriminator"] = discriminator;
        }
        let path = folder.path().join(format!("{kind}.json"));
        fs::write(path, config.to_string()).unwrap();
        let train = "--data data --held-out data";
        let line = format!("train {kind}.json {train} --out {kind}.safetensors --name my-{kind}");
        printed(&run(&folder, &line));
    }
    folder
}

#[test]
fn generators_are_trained_and_make_pictures() {
    let folder = trained();
    for kind in ["vae", "gan", "diffusion"] {
        let told = json(&run(&folder, &format!("inspect {kind}.safetensors --json")));
        assert_eq!(told["kind"], kind);
        let sample = format!("sample --model {kind}.safetensors --class 1 --steps 3");
        let of = |options: &str, out: &str| {
            let line = format!("{sample} {options} --out {out}.png --overwrite");
            printed(&run(&folder, &line));
            picture(&folder, &format!("{out}.png"))
        };
        // A walk begins and ends with the pictures of its two seeds.
        fs::create_dir_all(folder.path().join("way")).unwrap();
        for route in ["straight", "spherical"] {
            let options = format!("--seed 4 --walk-to 9 --route {route} --count 3 --overwrite");
            printed(&run(&folder, &format!("{sample} {options} --out way")));
            assert_eq!(listed(folder.path().join("way")).len(), 3);
            assert_eq!(picture(&folder, "way/0004.png"), of("--seed 4", "one"));
            assert_eq!(picture(&folder, "way/0006.png"), of("--seed 9", "one"));
        }
        of("--from data/light/1.png", "like");
        // What is read is not written over.
        let own = "--from data/light/1.png --out data/light/1.png";
        failed_last(
            &run(&folder, &format!("{sample} {own}")),
            "argument",
            "1.png",
        );
        if kind == "diffusion" {
            let grey = of("--from data/light/1.png --strength 0", "same");
            let [r, g, b, ..] = grey.rgb() else {
                panic!("no pixels")
            };
            assert!(r == g && g == b && *r > 100);
        }
        for (options, told) in [
            ("--from data/light/1.png --strength 2", "The strength is 2"),
            ("--from SAMPLES/coffee.png", "pixels"),
            ("--top-k 4", "no tokens"),
        ] {
            let wrong = run(&folder, &format!("{sample} {options} --out x.png"));
            let code = ["argument", "weights_mismatch"][usize::from(told == "pixels")];
            failed(&wrong, code, told);
        }
    }
    let wrong = run(
        &folder,
        "sample --walk-to 3 --models ROOT/www/models --out x.png",
    );
    failed_last(&wrong, "argument", "for a generator");
}

#[test]
fn a_generator_is_measured_by_its_samples_and_shipped() {
    let folder = trained();
    fs::write(folder.path().join("notes.md"), "For tests.").unwrap();
    fs::create_dir(folder.path().join("models")).unwrap();
    let ship = "ship vae.safetensors --judge data --judged-on these --trained-on them \
        --notes notes.md --models models --temperature 0.5";
    let wrong = run(&folder, ship);
    failed_last(&wrong, "argument", "--train");
    let told = json(&run(&folder, &format!("{ship} --train data --json")));
    for field in ["class_right", "precision", "recall"] {
        let share = told[field].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&share), "{field}: {told}");
    }
    let index = fs::read_to_string(folder.path().join("models/index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_str(&index).unwrap();
    let entry = &index["models"][0];
    assert_eq!(
        (&entry["name"], &entry["stage"]),
        (&json!("my-vae"), &json!("generator"))
    );
    assert_eq!(entry["classes"], json!(["dark", "light"]));
    assert_eq!(entry["sampling"]["temperature"], 0.5);
    let named = "sample --model my-vae --models models --class light --out named.png";
    printed(&run(&folder, &named.replace("light", "1")));
}

#[test]
fn made_pictures_are_tried_as_training_data() {
    let folder = trained();
    for class in ["dark", "light"] {
        let out = folder.path().join("made/vae").join(class);
        fs::create_dir_all(&out).unwrap();
        let number = usize::from(class == "light");
        let line = format!("sample --model vae.safetensors --class {number} --count 3");
        printed(&run(&folder, &format!("{line} --out made/vae/{class}")));
    }
    let line = "eval-augment --train data --held-out data --made made/vae --real 4 8 \
        --seeds 2 --steps 12";
    let told = json(&run(&folder, &format!("{line} --json")));
    let rows = told["rows"].as_array().unwrap();
    let names = rows.iter().map(|row| (&row["real"], &row["made"]));
    let (none, vae) = (json!("none"), json!("vae"));
    let [few, all] = [json!(4), json!(8)];
    let expected = [(&few, &none), (&few, &vae), (&all, &none), (&all, &vae)];
    assert!(names.eq(expected), "{told}");
    for row in rows {
        let right = row["right"].as_array().unwrap();
        let mean = (right[0].as_f64().unwrap() + right[1].as_f64().unwrap()) / 2.0;
        assert!((row["mean"].as_f64().unwrap() - mean).abs() < 1e-9);
        // The two classes are as far apart as can be.
        assert!(mean > 0.8, "{row}");
    }
    let told = printed(&run(&folder, line)).to_owned();
    assert!(told.contains("4 real, made vae"), "{told}");
    let wrong = run(&folder, &line.replace("4 8", "99"));
    failed_last(&wrong, "argument", "outside 1 to 12");
}
