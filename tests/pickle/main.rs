//! PyTorch checkpoints: what can be read from them, and that malicious ones do no harm.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod assemble;
mod attacks;
mod damage;
mod forms;
mod golden;
mod random;

use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use tesserae::weights::pickle;

/// Time limit for a rejection.
const TIME: Duration = Duration::from_secs(1);
/// Maximum memory that the test process may ever use, including the attacks' own files.
const MEMORY: u64 = 256 << 20;

/// One attack at a time, so that memory can be attributed to it.
static ONE: Mutex<()> = Mutex::new(());

/// Fails unless reading fails with this code and a message that contains `words`, quickly and with
/// little memory.
#[track_caller]
fn refused(bytes: Vec<u8>, code: &str, words: &str) {
    let one = ONE.lock().unwrap_or_else(|poison| poison.into_inner());
    let start = computed();
    let error = pickle::read(&bytes).unwrap_err();
    let time = computed() - start;
    let peak = peak();
    drop(one);
    assert_eq!(error.code(), code, "{error}");
    assert!(
        error.to_string().contains(words),
        "`{words}` is not in: {error}"
    );
    assert!(time < TIME, "{time:?}: {error}");
    assert!(peak < MEMORY, "{peak} bytes: {error}");
}

/// CPU time of this thread, unaffected by other work on the machine; wall-clock time if the system
/// does not report it.
fn computed() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split(' ').next().and_then(|n| n.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

/// Peak memory of this process in bytes; 0 if the system does not report it.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.map(|line| line.trim().trim_end_matches(" kB").parse::<u64>().unwrap());
    kilobytes.unwrap_or(0) << 10
}
