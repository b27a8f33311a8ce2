//! Ctrl-C and SIGTERM.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::{TempDir, tempdir};

use super::support::program::{command, json, listed, printed, run, text};

/// Runs a command until standard error contains `begun`, and a little longer, then sends the
/// signal. Returns the exit status and standard error.
fn interrupted(folder: &TempDir, words: &str, begun: &str, signal: &str) -> (Option<i32>, String) {
    signalled(listening(command(folder, words)), begun, &[signal])
}

/// The same command with Ctrl-C not ignored; a shell ignores it for everything it runs in the
/// background, including these tests.
fn listening(own: Command) -> Command {
    if cfg!(not(target_os = "linux")) {
        return own;
    }
    let mut command = Command::new("env");
    command
        .arg("--default-signal=INT,TERM")
        .arg(own.get_program())
        .args(own.get_args());
    if let Some(folder) = own.get_current_dir() {
        command.current_dir(folder);
    }
    command
}

/// The same for a prepared command and a sequence of signals.
fn signalled(mut command: Command, begun: &str, signals: &[&str]) -> (Option<i32>, String) {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut told = String::new();
    while !told.contains(begun) {
        assert!(lines.read_line(&mut told).unwrap() > 0, "{told}");
    }
    for signal in signals {
        std::thread::sleep(Duration::from_secs(1));
        let sent = Command::new("kill")
            .arg(signal)
            .arg(child.id().to_string())
            .status();
        assert!(sent.unwrap().success());
    }
    let patience = Instant::now() + Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > patience {
            child.kill().unwrap();
            panic!("{signals:?} ends nothing: {told}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    lines.read_to_string(&mut told).unwrap();
    (child.wait().unwrap().code(), told)
}

#[test]
fn an_interrupted_training_saves_and_goes_on() {
    for (signal, status) in [("-INT", 130), ("-TERM", 143)] {
        let folder = tempdir().unwrap();
        super::training(&folder, 1_000_000, ("", ""));
        let words = "train train.json --data SAMPLES --out a.safetensors";
        let (code, told) = interrupted(&folder, words, "training on", signal);
        assert_eq!(code, Some(status), "{told}");
        assert!(told.contains("stopped and saved"), "{told}");
        let files = [
            "a.checkpoint",
            "a.discriminator.safetensors",
            "a.jsonl",
            "a.safetensors",
            "train.json",
        ];
        assert_eq!(listed(&folder), files);
        let first = fs::read(folder.path().join("a.checkpoint")).unwrap();
        let (_, told) = interrupted(&folder, &format!("{words} --resume"), "training on", signal);
        assert!(
            told.contains("resuming after") && !told.contains("after 0 steps"),
            "{told}"
        );
        assert!(fs::read(folder.path().join("a.checkpoint")).unwrap() != first);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    let folder = tempdir().unwrap();
    super::training(&folder, 1_000_000, ("", ""));
    let words = "train train.json --data SAMPLES --out a.safetensors";
    let own = command(&folder, words);
    // Starts the command as a shell without job control starts background jobs.
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' INT; exec \"$0\" \"$@\""])
        .arg(own.get_program())
        .args(own.get_args())
        .current_dir(&folder);
    let (code, told) = signalled(command, "training on", &["-INT", "-TERM"]);
    assert_eq!(code, Some(143), "{told}");
}

#[test]
fn an_interrupted_tuning_saves_what_was_learned() {
    for (signal, status) in [("-INT", 130), ("-TERM", 143)] {
        let folder = tempdir().unwrap();
        let words =
            "tune SAMPLES/coffee.png --model TINY --size 64 --steps 1000000 --out a.safetensors";
        let (code, told) = interrupted(&folder, words, "tuning on", signal);
        assert_eq!(code, Some(status), "{told}");
        assert!(told.contains("stopped and saved"), "{told}");
        assert_eq!(listed(&folder), ["a.safetensors"]);
        let told = json(&run(&folder, "inspect a.safetensors --json"));
        let record: super::Value = serde_json::from_str(told["tuning"].as_str().unwrap()).unwrap();
        let steps = record["steps"].as_u64().unwrap();
        assert!((1..1_000_000).contains(&steps), "{record}");
        let words = "reconstruct SAMPLES/coffee.png a.png --model a.safetensors --size 64";
        printed(&run(&folder, words));
    }
}

#[test]
fn other_commands_end_at_once_and_leave_nothing() {
    let folder = tempdir().unwrap();
    fs::write(
        folder.path().join("bad.png"),
        "no picture, so that there is a line",
    )
    .unwrap();
    fs::copy(
        super::sample_path("coffee.png"),
        folder.path().join("c.png"),
    )
    .unwrap();
    let many = "c.png ".repeat(2000);
    let words = format!("eval bad.png {many} --codecs --model TINY --sheet a.png");
    let (code, told) = interrupted(&folder, &words, "left out", "-INT");
    assert_eq!(code, None, "ended by the signal itself: {told}");
    assert_eq!(listed(&folder), ["bad.png", "c.png"]);
    assert!(text(told.as_bytes()).lines().count() == 1, "{told}");
}
