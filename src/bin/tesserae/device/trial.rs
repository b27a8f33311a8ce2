//! Runs the self-test in a separate process, since a driver may crash on a shader it cannot handle,
//! and a program cannot catch that in itself.

use std::env;
use std::io::Read;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tesserae::{Error, Result};

/// Timeout for a hung driver. A software adapter on a busy machine needs half a minute.
const PATIENCE: Duration = Duration::from_secs(300);

/// The test process's output.
#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    Passed,
    Absent,
    Refused(String),
    Failed(String),
}

/// Formats the result of a test for printing.
pub fn answer(found: Result<()>) -> String {
    let answer = match found {
        Ok(()) => Answer::Passed,
        Err(Error::AdapterAbsent) => Answer::Absent,
        Err(Error::DeviceRefused(reason)) => Answer::Refused(reason),
        Err(Error::SelfTestFailed(reason)) => Answer::Failed(reason),
        Err(error) => Answer::Failed(error.to_string()),
    };
    serde_json::to_string(&answer).unwrap_or_default()
}

/// Tests `device` for `work`.
///
/// # Errors
/// [`Error::AdapterAbsent`], [`Error::DeviceRefused`], [`Error::SelfTestFailed`].
pub fn run(device: &str, work: &str) -> Result<()> {
    let program = env::current_exe()
        .map_err(|e| Error::SelfTestFailed(format!("the test could not be started ({e})")))?;
    judge(
        Command::new(program).args(["self-test", "--device", device, "--work", work]),
        PATIENCE,
    )
}

/// Runs a program that prints an [`Answer`], and interprets the outcome.
fn judge(program: &mut Command, patience: Duration) -> Result<()> {
    let failed = |reason: String| Err(Error::SelfTestFailed(reason));
    let started = program
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // The exit status reveals a panic; its text would not help.
        .stderr(Stdio::null())
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(e) => return failed(format!("the test could not be started ({e})")),
    };
    let start = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if start.elapsed() < patience => thread::sleep(Duration::from_millis(5)),
            _ => {
                // It may just have ended by itself.
                let _ = child.kill();
                let _ = child.wait();
                return failed(format!("it did not answer within {} s", patience.as_secs()));
            }
        }
    };
    let mut printed = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        // Unreadable output counts as no answer.
        let _ = stdout.read_to_string(&mut printed);
    }
    match serde_json::from_str(printed.trim()) {
        Ok(_) if !status.success() => failed(ended(status)),
        Ok(Answer::Passed) => Ok(()),
        Ok(Answer::Absent) => Err(Error::AdapterAbsent),
        Ok(Answer::Refused(reason)) => Err(Error::DeviceRefused(reason)),
        Ok(Answer::Failed(reason)) => failed(reason),
        Err(_) => failed(ended(status)),
    }
}

/// How a test ended that printed no answer.
fn ended(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("its driver crashed with signal {signal}");
    }
    match status.code() {
        Some(code) => format!("its driver ended the test with status {code}"),
        None => "its driver ended the test".to_owned(),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// The outcome of a test process that is this shell script.
    fn judged(script: &str) -> Result<()> {
        let mut shell = Command::new("sh");
        judge(shell.args(["-c", script]), Duration::from_secs(30))
    }

    fn reason(script: &str) -> String {
        match judged(script) {
            Err(Error::SelfTestFailed(reason)) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_driver_that_crashes_has_failed() {
        assert!(reason("kill -SEGV $$").ends_with("crashed with signal 11"));
        assert!(reason("exit 101").ends_with("status 101"));
        assert!(reason("exit 0").ends_with("status 0"));
        // A crash on exit counts as well.
        let printed = answer(Ok(()));
        assert!(reason(&format!("echo '{printed}'; kill -SEGV $$")).ends_with("signal 11"));
    }

    #[test]
    fn what_a_trial_finds_is_what_it_reports() {
        let wrong = Error::SelfTestFailed("its result is off by 1".to_owned());
        let refused = Error::DeviceRefused("out of memory".to_owned());
        for error in [Error::AdapterAbsent, wrong, refused] {
            let printed = answer(Err(error.clone()));
            assert_eq!(judged(&format!("echo '{printed}'")), Err(error));
        }
        assert_eq!(judged(&format!("echo '{}'", answer(Ok(())))), Ok(()));
    }

    #[test]
    fn a_driver_that_hangs_is_not_waited_for() {
        let mut shell = Command::new("sleep");
        let start = Instant::now();
        let judged = judge(shell.arg("60"), Duration::from_millis(50));
        assert_eq!(judged.unwrap_err().code(), "self_test_failed");
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
