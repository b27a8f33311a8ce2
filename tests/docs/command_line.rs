//! Compares docs/command-line.md with the program's own help.

use std::collections::{BTreeMap, BTreeSet};

use super::support::program::{printed, run};
use super::{documents, quoted, read, rows, section};

const DOCUMENT: &str = "docs/command-line.md";

/// The help of a command, or of the program.
fn help(command: &str) -> String {
    printed(&run(".", &format!("{command} --help"))).to_owned()
}

fn commands() -> Vec<String> {
    let help = help("");
    let list = help.split("Commands:").nth(1).unwrap();
    let list = list.split("\n\n").next().unwrap();
    let names = list
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// A command's long options with their defaults.
fn options(command: &str) -> BTreeMap<String, Option<String>> {
    let help = help(command);
    let mut found: Vec<(String, Option<String>)> = vec![];
    for line in help.split("Options:").nth(1).unwrap().lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let short = words
            .first()
            .is_some_and(|w| w.len() == 3 && w.ends_with(','));
        if let Some(flag) = words
            .get(usize::from(short))
            .filter(|w| w.starts_with("--"))
        {
            found.push(((*flag).to_owned(), None));
        }
        if let Some((_, default)) = line.split_once("[default: ") {
            let (default, _) = default.split_once(']').unwrap();
            found.last_mut().unwrap().1 = Some(default.trim_matches('"').to_owned());
        }
    }
    found.retain(|(flag, _)| flag != "--help" && flag != "--version");
    found.into_iter().collect()
}

/// The option that a quoted text begins with: `--out` for `--out OUT`.
fn flag(text: &str) -> Option<String> {
    text.starts_with("--")
        .then(|| text.split([' ', '|']).next().unwrap().to_owned())
}

/// The options documented in a text's tables, with their defaults.
fn documented(text: &str) -> BTreeMap<String, Option<String>> {
    rows(text)
        .into_iter()
        .filter_map(|row| {
            let flag = flag(quoted(&row[0]).first()?)?;
            Some((flag, quoted(&row[1]).into_iter().next()))
        })
        .collect()
}

#[test]
fn every_option_is_documented_with_its_default_and_exists() {
    let common = documented(&section(DOCUMENT, "## Options of several commands"));
    assert!(!common.is_empty());
    let mut used = BTreeSet::new();
    for command in commands() {
        let text = section(DOCUMENT, &format!("## {command}"));
        let mut said = documented(&text);
        let also = text.split("Also ").nth(1).unwrap_or("");
        for flag in quoted(also.split('.').next().unwrap()) {
            let default = common
                .get(&flag)
                .unwrap_or_else(|| panic!("{command}: {flag}"));
            assert!(
                said.insert(flag.clone(), default.clone()).is_none(),
                "{command} {flag} twice"
            );
            used.insert(flag);
        }
        said.insert("--json".into(), None);
        assert_eq!(said, options(&command), "{command}");
    }
    used.insert("--json".into());
    assert_eq!(
        used,
        common.into_keys().collect(),
        "options of several commands"
    );
}

/// The lines of the documents' shell blocks, with continuation lines joined.
fn shell_lines() -> Vec<(String, String)> {
    let mut found = vec![];
    for document in documents() {
        let text = read(&document);
        for block in text.split("```sh\n").skip(1) {
            let block = block.split("```").next().unwrap().replace("\\\n", " ");
            found.extend(
                block
                    .lines()
                    .map(|line| (document.clone(), line.to_owned())),
            );
        }
    }
    found
}

#[test]
fn every_example_has_a_command_and_options_that_exist() {
    let commands = commands();
    let known: BTreeMap<_, _> = commands.iter().map(|c| (c.clone(), options(c))).collect();
    let mut checked = 0;
    for (document, line) in shell_lines() {
        let words: Vec<_> = line.split('#').next().unwrap().split_whitespace().collect();
        let calls = (0..words.len())
            .filter(|&i| words[i] == "tesserae" || words[i] == "target/release/tesserae");
        for i in calls {
            let (command, rest) = words[i + 1..].split_first().unwrap();
            let options = known
                .get(*command)
                .unwrap_or_else(|| panic!("{document}: {line}"));
            let rest = rest
                .iter()
                .take_while(|word| !["&&", "|", ";"].contains(word));
            for flag in rest.filter_map(|word| flag(word)) {
                assert!(options.contains_key(&flag), "{document}: {flag} in {line}");
            }
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} examples were found");
}

/// Options mentioned outside of tables, such as in docs/tuning.md, exist as well.
#[test]
fn every_option_that_is_named_exists() {
    let mut known: BTreeSet<_> = commands()
        .iter()
        .flat_map(|c| options(c).into_keys())
        .collect();
    // Cargo's options, which the documents mention too.
    known.extend(["--features", "--release", "--path", "--open", "--help"].map(str::to_owned));
    for document in documents() {
        let text = read(&document);
        let prose: String = text.split("```").step_by(2).collect();
        for quote in quoted(&prose) {
            for flag in quote.split_whitespace().filter_map(flag) {
                assert!(known.contains(&flag), "{document}: {flag}");
            }
        }
    }
}
