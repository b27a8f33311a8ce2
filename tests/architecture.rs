//! The module layers of `src/` and `www/` match docs/architecture.md, and no file or folder of
//! `src/` uses one that uses it.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

#[path = "architecture/sources.rs"]
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sources::{Sources, by_folder, cyclic};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files in a folder, recursively.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let each = entries.map(|path| match path.is_dir() {
        true => files(&path),
        false => vec![path],
    });
    each.flatten().collect()
}

/// The texts between backticks.
fn quoted(text: &str) -> Vec<String> {
    let words = text.split('`').skip(1).step_by(2);
    words.map(str::to_owned).collect()
}

/// Rows of the table of `src/`: each module with its documented dependencies.
fn documented() -> Vec<(String, BTreeSet<String>)> {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let table = text.split("| `src/` |").nth(1).unwrap();
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let [name, _, uses] = cells.as_slice() else {
            panic!("{row}");
        };
        let name = quoted(name).remove(0);
        (name, quoted(uses).into_iter().collect())
    })
    .collect()
}

/// Resolves names that lib.rs re-exports under a different path.
fn module_of(name: &str) -> &str {
    match name {
        "Error" | "Result" => "error",
        "Picture" => "pixels",
        "Tokens" => "tokens",
        "Codec" => "codec",
        "Autoencoder" | "AutoencoderConfig" | "ModelConfig" => "models",
        other => other,
    }
}

/// The modules of `src/` that each module uses, excluding tests.
fn found() -> BTreeMap<String, BTreeSet<String>> {
    let source = root().join("src");
    let mut found = BTreeMap::<String, BTreeSet<String>>::new();
    for path in files(&source) {
        let inside = path.strip_prefix(&source).unwrap();
        let first = inside.iter().next().unwrap().to_str().unwrap();
        let module = first.trim_end_matches(".rs");
        let name = inside.file_name().unwrap().to_str().unwrap();
        if ["lib", "bin"].contains(&module) || name.ends_with("tests.rs") {
            continue;
        }
        let uses = found.entry(module.to_owned()).or_default();
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let lines = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        for line in lines {
            for after in line.split("crate::").skip(1) {
                assert!(!after.starts_with('{'), "{}: {line}", path.display());
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let used = module_of(&after[..end.unwrap_or(after.len())]);
                if used != module {
                    uses.insert(used.to_owned());
                }
            }
        }
    }
    found
}

#[test]
fn each_module_uses_only_those_above_it() {
    let mut above = BTreeSet::new();
    for (module, uses) in documented() {
        for used in &uses {
            assert!(
                above.contains(used),
                "`{module}` uses `{used}`, which is not above it"
            );
        }
        above.insert(module);
    }
    assert!(above.len() > 12, "{above:?}");
}

#[test]
fn the_documented_uses_are_those_of_the_sources() {
    let documented: BTreeMap<_, _> = documented().into_iter().collect();
    assert_eq!(found(), documented);
}

#[test]
fn no_file_or_folder_uses_one_that_uses_it() {
    for (folder, root_file) in [("src", "lib"), ("src/bin/tesserae", "main")] {
        let pairs = Sources::of(&root().join(folder), root_file).pairs();
        assert!(pairs.len() > 30, "{folder}: {pairs:?}");
        let cycles = cyclic(&pairs);
        assert!(cycles.is_empty(), "{folder}: {cycles:#?}");
        for (inside, pairs) in by_folder(&pairs) {
            let cycles = cyclic(&pairs);
            assert!(
                cycles.is_empty(),
                "{folder}/{}: {cycles:#?}",
                inside.join("/")
            );
        }
    }
}

/// The imports of all modules in a folder of the page, as paths relative to `www/`.
fn imports(folder: &str) -> BTreeSet<String> {
    let www = root().join("www");
    let mut all = BTreeSet::new();
    for path in files(&www.join(folder)) {
        if path.extension().is_none_or(|e| e != "js") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let here = path.parent().unwrap().strip_prefix(&www).unwrap();
        for start in ["from '.", "import('.", "import '."] {
            for rest in text.split(start).skip(1) {
                let relative = format!(".{}", rest.split('\'').next().unwrap());
                let mut parts: Vec<&str> = here.iter().map(|part| part.to_str().unwrap()).collect();
                for part in relative.split('/') {
                    match part {
                        "." => {}
                        ".." => drop(parts.pop()),
                        part => parts.push(part),
                    }
                }
                all.insert(parts.join("/"));
            }
        }
    }
    all
}

#[test]
fn the_engine_knows_no_page_and_elements_know_no_rooms() {
    let engine = imports("engine");
    assert!(
        engine.iter().any(|path| path.starts_with("engine/")),
        "{engine:?}"
    );
    for path in engine {
        let within = path.starts_with("engine/") || path.starts_with("pkg/");
        assert!(within, "the engine imports {path}");
    }
    let elements = imports("ui");
    assert!(
        elements.iter().any(|path| path.starts_with("ui/")),
        "{elements:?}"
    );
    for path in elements {
        let within = ["ui/", "engine/", "vendor/"]
            .iter()
            .any(|folder| path.starts_with(folder));
        assert!(within, "an element imports {path}");
    }
}
