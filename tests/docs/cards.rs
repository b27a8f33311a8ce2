//! Model cards: front matter that a hub can read, and facts that agree with the index.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use tempfile::tempdir;

use super::support::program::{printed, run};
use super::{read, rows};

/// The front matter, whose values are single-line JSON, and the rest of the card.
fn parsed(card: &str) -> (BTreeMap<String, Value>, String) {
    let (front, rest) = card
        .strip_prefix("---\n")
        .unwrap()
        .split_once("\n---\n")
        .unwrap();
    let fields = front.lines().map(|line| {
        let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line}"));
        let value = serde_json::from_str(value).unwrap_or_else(|e| panic!("{name}: {e}"));
        (name.to_owned(), value)
    });
    (fields.collect(), rest.to_owned())
}

/// Fails unless a card agrees with its entry in the index.
fn agrees(entry: &Value, card: &str) {
    let (front, body) = parsed(card);
    let name = entry["name"].as_str().unwrap();
    let words = entry["licence"]
        .as_str()
        .unwrap()
        .to_lowercase()
        .replace(' ', "-");
    let licences: Vec<_> = words.split("-or-").collect();
    assert_eq!(front["license"], json!(licences), "{name}");
    assert_eq!(front["library_name"], "tesserae");
    let (task, expected): (_, &[&str]) = match entry["stage"].as_str().unwrap() {
        "prior" => ("unconditional-image-generation", &["bits_per_token"]),
        "generator" => (
            "unconditional-image-generation",
            &["class_right", "frechet", "precision", "recall"],
        ),
        _ => ("image-to-image", &["psnr", "ssim", "ms_ssim", "bpp"]),
    };
    assert_eq!(front["pipeline_tag"], task);
    assert!(
        front["tags"].as_array().unwrap().contains(&entry["kind"]),
        "{name}"
    );

    let quality = &entry["quality"];
    let [model] = front["model-index"].as_array().unwrap().as_slice() else {
        panic!("{name} has no single model");
    };
    assert_eq!(model["name"], entry["name"]);
    let result = &model["results"][0];
    assert_eq!(result["task"]["type"], front["pipeline_tag"]);
    assert_eq!(result["dataset"]["name"], quality["judged_on"]);
    let metrics = result["metrics"].as_array().unwrap();
    let names: Vec<_> = metrics.iter().map(|m| m["type"].clone()).collect();
    assert_eq!(front["metrics"], Value::Array(names), "{name}");
    for metric in metrics {
        let measure = metric["type"].as_str().unwrap();
        assert_eq!(metric["value"], quality[measure], "{name}: {measure}");
    }
    for measure in expected {
        assert!(
            metrics.iter().any(|m| m["type"] == *measure),
            "{name}: {measure}"
        );
    }

    assert!(
        body.trim_start().starts_with(&format!("# {name}\n")),
        "{name}"
    );
    let table: BTreeMap<_, _> = rows(&body)
        .into_iter()
        .map(|r| (r[0].clone(), r[1].clone()))
        .collect();
    assert_eq!(table["licence"], entry["licence"]);
    assert_eq!(table["trained on"], entry["trained_on"]);
    assert_eq!(table["kind"], entry["kind"]);
    assert_eq!(table["SHA-256"].trim_matches('`'), entry["sha256"]);
    let file = entry["file"].as_str().unwrap();
    assert_eq!(table["file"], format!("`{file}`, {} bytes", entry["bytes"]));
    for (measure, value) in quality.as_object().unwrap() {
        let value = value.as_str().map_or(value.to_string(), str::to_owned);
        assert_eq!(table[measure], value, "{name}: {measure}");
    }
}

#[test]
fn every_shipped_card_agrees_with_the_index() {
    let index: Value = serde_json::from_str(&read("www/models/index.json")).unwrap();
    for entry in index["models"].as_array().unwrap() {
        agrees(
            entry,
            &read(&format!("www/models/{}", entry["card"].as_str().unwrap())),
        );
    }
}

#[test]
fn ship_writes_such_a_card() {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("models")).unwrap();
    fs::write(folder.path().join("notes.md"), "Notes.\n").unwrap();
    printed(&run(&folder, "convert TINY a.safetensors --name tiny"));
    let ship = "ship a.safetensors --models models --notes notes.md --judge SAMPLES/coffee.png \
                --judged-on coffee --trained-on photos --dataset one/two three/four";
    printed(&run(&folder, ship));
    let text = |name: &str| fs::read_to_string(folder.path().join("models").join(name)).unwrap();
    let index: Value = serde_json::from_str(&text("index.json")).unwrap();
    let card = text("tiny.md");
    agrees(&index["models"][0], &card);
    let (front, body) = parsed(&card);
    assert_eq!(front["datasets"], json!(["one/two", "three/four"]));
    assert!(body.ends_with("\nNotes.\n"), "{body}");
}
