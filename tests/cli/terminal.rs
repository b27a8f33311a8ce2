//! Output to a terminal, a pipe, or a full disk.

use std::fs;
use std::process::Stdio;

use tempfile::tempdir;

use super::support::program::{command, failed, json, printed, run, text};
use super::support::{TINY, WeightFile};

/// Clears the screen, sets the title, and reverses the text direction.
const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\u{202e}\r\nsecond";

/// Fails on terminal control characters.
fn plain(words: &str) {
    let hidden = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!words.contains(hidden), "{words:?}");
}

#[test]
fn what_a_file_says_is_shown_escaped() {
    let folder = tempdir().unwrap();
    let mut file = WeightFile::tiny();
    let metadata = file.metadata.as_mut().unwrap();
    metadata.insert("name".into(), HOSTILE.into());
    metadata.insert("tuning".into(), HOSTILE.into());
    fs::write(folder.path().join("a.safetensors"), file.bytes()).unwrap();
    let output = run(&folder, "inspect a.safetensors");
    plain(printed(&output));
    assert!(
        printed(&output).starts_with("\\u{1b}[2J"),
        "{}",
        printed(&output)
    );
    assert!(
        printed(&output).contains("\\r\\nsecond"),
        "{}",
        printed(&output)
    );
    // JSON reports the same without them.
    let output = run(&folder, "inspect a.safetensors --json");
    plain(printed(&output));
    assert_eq!(json(&output)["name"], HOSTILE);

    // In tensor names, both in the list of faults and in the error.
    let tensor = file.tensors["decoder.conv_out.bias"].clone();
    file.tensors.insert(HOSTILE.into(), tensor.clone());
    file.tensors.insert(format!("{HOSTILE} 2"), tensor);
    fs::write(folder.path().join("b.safetensors"), file.bytes()).unwrap();
    for words in ["inspect b.safetensors", "inspect b.safetensors --json"] {
        let output = run(&folder, words);
        assert_eq!(output.status.code(), Some(1));
        plain(text(&output.stdout));
        plain(text(&output.stderr));
    }
}

#[cfg(unix)]
#[test]
fn file_names_are_shown_escaped() {
    let folder = tempdir().unwrap();
    let bad = format!("{HOSTILE}.png");
    fs::write(folder.path().join(&bad), "no picture").unwrap();
    fs::copy(
        super::sample_path("coffee.png"),
        folder.path().join("b.png"),
    )
    .unwrap();
    let output = run(&folder, "eval . --model TINY --size 32");
    plain(printed(&output));
    let told = text(&output.stderr);
    plain(told);
    assert_eq!(told.lines().count(), 1);
    assert!(told.contains("\\u{1b}[2J"), "{told}");
    fs::rename(
        folder.path().join("b.png"),
        folder.path().join(format!("{HOSTILE}b.png")),
    )
    .unwrap();
    plain(printed(&run(&folder, "eval . --model TINY --size 32")));
    let absent = command(&folder, "inspect").arg(HOSTILE).output().unwrap();
    plain(text(&absent.stderr));
    assert_eq!(text(&absent.stderr).lines().count(), 1);
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("bad.png"), "no picture").unwrap();
    for words in [
        "inspect TINY",
        "inspect TINY --json",
        "encode SAMPLES/coffee.png - --model TINY --size 64",
    ] {
        let mut command = command(&folder, words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{words}: {:?}", output.status);
        // With `-`, the report is on standard error.
        assert!(
            !text(&output.stderr).contains("panicked") && text(&output.stderr).lines().count() < 2
        );
    }
    // With standard error closed instead.
    let mut command = command(
        &folder,
        "eval bad.png SAMPLES/coffee.png --model TINY --size 32",
    );
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stderr.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && text(&output.stdout).contains("mean of 1"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_one_line_and_a_status() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("tiny.safetensors"), TINY).unwrap();
    for words in [
        "inspect tiny.safetensors",
        "inspect tiny.safetensors --json",
        "init vqvae-tiny - ",
        "inspect absent.safetensors --json",
    ] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = command(&folder, words).stdout(full).output().unwrap();
        let named = if words.contains("absent") {
            "absent"
        } else {
            "standard output"
        };
        failed(&output, "io", named);
    }
}
