//! The model card of a shipped model: front matter for model hubs, facts, measurements, notes.

use serde_json::{Value, json};
use tesserae::weights::ManifestEntry;

/// Metrics that a hub can compare models by; the other numbers of `quality` describe the model.
const METRICS: [&str; 11] = [
    "psnr",
    "ssim",
    "ms_ssim",
    "gradient_energy",
    "bpp",
    "perplexity",
    "bits_per_token",
    "class_right",
    "frechet",
    "precision",
    "recall",
];

/// Renders the card. `datasets` are hub identifiers of the training sets.
pub fn card(entry: &ManifestEntry, datasets: &[String], notes: &str) -> String {
    let stage = match entry.stage.as_str() {
        "vqgan" => "by reconstruction and against a discriminator",
        "prior" => "to predict tokens",
        "generator" => "to make pictures out of noise",
        _ => "by reconstruction",
    };
    let rows = [
        ("kind", entry.kind.clone()),
        ("trained", stage.to_owned()),
        ("trained on", entry.trained_on.clone()),
        ("licence", entry.licence.clone()),
        ("file", format!("`{}`, {} bytes", entry.file, entry.bytes)),
        ("SHA-256", format!("`{}`", entry.sha256)),
    ];
    let needs = entry.needs.iter().map(|need| {
        let value = format!("{}, codebook `{}`", need.name, need.hash);
        ("tokens of", value)
    });
    let facts = rows
        .into_iter()
        .chain(needs)
        .map(|(name, value)| format!("| {name} | {value} |\n"));
    let quality = entry.quality.as_object().into_iter().flatten();
    let quality: String = quality
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| match value.as_str() {
            Some(text) => format!("| {name} | {text} |\n"),
            None => format!("| {name} | {value} |\n"),
        })
        .collect();
    format!(
        "{}# {}\n\n| | |\n| --- | --- |\n{}\n## Measured\n\n| | |\n| --- | --- |\n{quality}\n{}\n",
        front_matter(entry, datasets),
        entry.name,
        facts.collect::<String>(),
        notes.trim()
    )
}

/// YAML front matter for the Hugging Face Hub. Its values are written as JSON, which is valid YAML
/// and avoids quoting rules.
fn front_matter(entry: &ManifestEntry, datasets: &[String]) -> String {
    let measured: Vec<_> = METRICS
        .into_iter()
        .filter(|name| entry.quality[*name].is_number())
        .collect();
    let metrics: Vec<_> = measured
        .iter()
        .map(|name| json!({"type": name, "value": entry.quality[*name]}))
        .collect();
    let (task, tag) = match entry.stage.as_str() {
        "prior" | "generator" => ("unconditional-image-generation", "image-generation"),
        _ => ("image-to-image", "image-reconstruction"),
    };
    let results = json!([{
        "task": {"type": task},
        "dataset": {"type": "held-out", "name": entry.quality["judged_on"]},
        "metrics": metrics,
    }]);
    let mut fields = vec![
        ("license", json!(licences(&entry.licence))),
        ("library_name", json!("tesserae")),
        ("pipeline_tag", json!(task)),
        ("tags", json!([entry.kind, tag, "burn", "safetensors"])),
        ("metrics", json!(measured)),
        (
            "model-index",
            json!([{"name": entry.name, "results": results}]),
        ),
    ];
    if !datasets.is_empty() {
        fields.push(("datasets", json!(datasets)));
    }
    let lines = fields
        .into_iter()
        .map(|(name, value): (&str, Value)| format!("{name}: {value}\n"));
    format!("---\n{}---\n\n", lines.collect::<String>())
}

/// Converts a licence expression to the hub's identifiers.
fn licences(expression: &str) -> Vec<String> {
    expression
        .split(" OR ")
        .map(|name| name.trim().to_lowercase().replace(' ', "-"))
        .collect()
}
