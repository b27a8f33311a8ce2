//! Links, the README's length, and numbers repeated in documents.

use serde_json::Value;

use super::support::root;
use super::{documents, quoted, read, rows, section};

/// The targets of a document's links and images.
fn links(text: &str) -> Vec<String> {
    let prose: String = text.split("```").step_by(2).collect();
    let targets = prose.split("](").skip(1);
    targets
        .map(|rest| rest.split(')').next().unwrap().to_owned())
        .collect()
}

/// The anchors that GitHub derives from headings.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let words = line
            .trim_start_matches('#')
            .trim()
            .to_lowercase()
            .replace(' ', "-");
        words
            .chars()
            .filter(|c| c.is_alphanumeric() || "-_".contains(*c))
            .collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_within_the_repository_leads_somewhere() {
    let mut checked = 0;
    for document in documents() {
        let text = read(&document);
        for link in links(&text) {
            if link.starts_with("http") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let folder = root().join(&document).parent().unwrap().to_owned();
            let target = match path {
                "" => root().join(&document),
                path => folder.join(path),
            };
            assert!(target.exists(), "{document}: {link}");
            if !anchor.is_empty() {
                let text = std::fs::read_to_string(&target).unwrap();
                assert!(
                    anchors(&text).contains(&anchor.to_owned()),
                    "{document}: {link}"
                );
            }
            checked += 1;
        }
    }
    assert!(checked > 50, "only {checked} links were found");
}

#[test]
fn the_readme_is_short_and_leads_to_every_document() {
    let readme = read("README.md");
    assert!(readme.lines().count() <= 150);
    for document in documents().iter().filter(|path| path.starts_with("docs/")) {
        assert!(
            readme.contains(&format!("]({document})")),
            "{document} is not linked"
        );
    }
}

#[test]
fn the_tables_of_models_have_the_numbers_of_the_index() {
    let index: Value = serde_json::from_str(&read("www/models/index.json")).unwrap();
    for (document, heading) in [("README.md", "## Models"), ("docs/models.md", "# Models")] {
        let rows = rows(&section(document, heading));
        for entry in index["models"].as_array().unwrap() {
            let name = entry["name"].as_str().unwrap();
            let row = rows.iter().find(|row| quoted(&row[0]) == [name]);
            let row = row
                .unwrap_or_else(|| panic!("{document} has no {name}"))
                .join(" | ");
            let quality = &entry["quality"];
            let number = |measure: &str| quality[measure].as_f64().unwrap();
            let megabytes = entry["bytes"].as_f64().unwrap() / 1e6;
            let measured = match entry["stage"].as_str().unwrap() {
                "prior" => vec![format!("{:.2} bits", number("bits_per_token"))],
                "generator" => vec![format!("{:.1} %", 100.0 * number("class_right"))],
                _ => vec![
                    format!("{:.2} dB", number("psnr")),
                    format!("{:.4}", number("ssim")),
                ],
            };
            for said in measured.into_iter().chain([format!("{megabytes:.1} MB")]) {
                assert!(row.contains(&said), "{document}: {said} is not in {row}");
            }
            if document == "README.md" {
                assert!(row.contains(entry["licence"].as_str().unwrap()), "{row}");
            }
        }
    }
}

/// Tests that docs/formats.md cites for a family.
#[test]
fn every_proof_of_a_family_is_a_test_or_a_file_of_tests() {
    let mut tests = String::new();
    let mut folders = vec![root().join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            match path.is_dir() {
                true if name != "node_modules" && name != "docs" => folders.push(path),
                false if name.ends_with(".rs") => {
                    tests += &std::fs::read_to_string(path).unwrap();
                }
                _ => {}
            }
        }
    }
    let families = rows(&section(
        "docs/formats.md",
        "## Other projects' checkpoints",
    ));
    assert!(families.len() > 10);
    for row in families {
        for proof in quoted(&row[2]) {
            let found = match proof.contains('/') {
                true => root().join(&proof).exists(),
                false => tests
                    .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .any(|word| word == proof),
            };
            assert!(found, "{proof}");
        }
    }
}
