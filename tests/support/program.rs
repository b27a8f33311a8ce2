//! Runs the program for tests.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::root;

/// Runs `tesserae` in `folder` with the words of `arguments`; a word may begin with `ROOT` or
/// `SAMPLES`, or be `TINY`, for the project, its sample pictures and the tiny model.
pub fn run(folder: impl AsRef<Path>, arguments: &str) -> Output {
    command(folder, arguments).output().unwrap()
}

/// The same with these environment variables.
pub fn run_with(folder: impl AsRef<Path>, variables: &[(&str, &str)], arguments: &str) -> Output {
    let mut command = command(folder, arguments);
    command.envs(variables.iter().copied()).output().unwrap()
}

/// The same, without running it.
pub fn command(folder: impl AsRef<Path>, arguments: &str) -> Command {
    let root = root().display().to_string();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("tesserae"));
    command.current_dir(folder);
    for word in arguments.split_whitespace() {
        command.arg(
            word.replace("SAMPLES", "ROOT/www/samples")
                .replace("TINY", "ROOT/tests/e2e/fixtures/tiny.safetensors")
                .replace("ROOT", &root),
        );
    }
    command
}

/// The sorted contents of a folder.
pub fn listed(folder: impl AsRef<Path>) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<_> = entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The output of a run that must have succeeded.
pub fn printed(output: &Output) -> &str {
    let told = text(&output.stderr);
    assert!(output.status.success(), "{:?}: {told}", output.status);
    text(&output.stdout)
}

/// Standard output, which must be a single JSON object.
pub fn json(output: &Output) -> Value {
    let printed = printed(output);
    assert_eq!(printed.trim_end().lines().count(), 1, "{printed}");
    let value: Value = serde_json::from_str(printed).unwrap();
    assert!(value.is_object(), "{value}");
    value
}

/// Fails unless each field is a number above zero.
pub fn numbers(value: &Value, fields: &[&str]) {
    for field in fields {
        let number = value[field].as_f64();
        assert!(number.is_some_and(|n| n > 0.0), "{field} in {value}");
    }
}

/// Fails unless the program failed with a single line on standard error that has this code and
/// contains `named`.
pub fn failed(output: &Output, code: &str, named: &str) {
    assert_eq!(text(&output.stderr).lines().count(), 1);
    failed_last(output, code, named);
}

/// The same, allowing other lines before it.
pub fn failed_last(output: &Output, code: &str, named: &str) {
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    let told = told.lines().last().unwrap();
    assert!(told.starts_with("tesserae: "), "{told}");
    assert!(told.trim_end().ends_with(&format!("[{code}]")), "{told}");
    assert!(told.contains(named), "`{named}` is not in: {told}");
}
