//! Checkpoints of PyTorch: what is read of them, and that none of them does harm.
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

/// What a refusal may take.
const TIME: Duration = Duration::from_secs(1);
/// Bytes that the whole test process may ever have held, the attacks' own files included.
const MEMORY: u64 = 256 << 20;

/// One attack at a time, so that each one's memory is its own.
static ONE: Mutex<()> = Mutex::new(());

/// Fails unless reading ends with this code and says `words`, at once and in little memory.
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

/// How long this thread has computed, which other work on the machine does not add to; by the clock
/// where the system does not say.
fn computed() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split(' ').next().and_then(|n| n.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

/// The most memory that this process has held, in bytes; 0 where the system does not say.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.map(|line| line.trim().trim_end_matches(" kB").parse::<u64>().unwrap());
    kilobytes.unwrap_or(0) << 10
}
