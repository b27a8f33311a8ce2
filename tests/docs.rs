//! The documentation matches the program: every flag, field, code and limit that it lists exists,
//! and every one that exists is listed; links resolve, and model cards agree with the index.
#![cfg(not(target_arch = "wasm32"))]
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

#[path = "docs/cards.rs"]
mod cards;
#[path = "docs/command_line.rs"]
mod command_line;
#[path = "docs/fields.rs"]
mod fields;
#[path = "docs/links.rs"]
mod links;
#[path = "docs/outputs.rs"]
mod outputs;
mod support;

use std::collections::BTreeSet;

use support::root;

/// Reads a text file of the repository.
fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The paths of all user-facing documents.
fn documents() -> Vec<String> {
    let mut paths = vec!["README.md".to_owned(), "CHANGELOG.md".to_owned()];
    for folder in ["docs", "train", "www/models"] {
        let names = support::program::listed(root().join(folder));
        let names = names.iter().filter(|name| name.ends_with(".md"));
        paths.extend(names.map(|name| format!("{folder}/{name}")));
    }
    paths
}

/// The text under a heading, up to the next one of the same or a higher level.
fn section(document: &str, heading: &str) -> String {
    let text = read(document);
    let level = heading.chars().take_while(|c| *c == '#').count();
    let ends = |line: &str| {
        let marks = line.chars().take_while(|c| *c == '#').count();
        (1..=level).contains(&marks)
    };
    let mut lines = text.lines().skip_while(|line| *line != heading);
    assert!(lines.next().is_some(), "{document} has no `{heading}`");
    let lines: Vec<_> = lines.take_while(|line| !ends(line)).collect();
    lines.join("\n")
}

/// The cells of every table row except headings and rules.
fn rows(text: &str) -> Vec<Vec<String>> {
    let lines: Vec<_> = text.lines().collect();
    let row = |line: &str| {
        let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
        // An escaped bar is part of a cell.
        let cells = inner.replace("\\|", "\u{0}");
        let cells = cells.split('|').map(|c| c.trim().replace('\u{0}', "|"));
        Some(cells.collect())
    };
    let rule = |line: &str| line.starts_with("| ---");
    (0..lines.len())
        .filter(|&i| !rule(lines[i]) && !lines.get(i + 1).is_some_and(|next| rule(next)))
        .filter_map(|i| row(lines[i]))
        .collect()
}

/// The texts between backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The quoted names in the first cell of each table row.
fn named(text: &str) -> BTreeSet<String> {
    let rows = rows(text);
    let names: Vec<_> = rows.iter().flat_map(|row| quoted(&row[0])).collect();
    let set: BTreeSet<_> = names.iter().cloned().collect();
    assert_eq!(set.len(), names.len(), "a name twice in {names:?}");
    set
}

fn set<T: ToString>(names: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    names.into_iter().map(|name| name.to_string()).collect()
}
