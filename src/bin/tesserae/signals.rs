//! Ctrl-C and SIGTERM: they end the program at once, except while a file is being written or a
//! training still has to save.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};
use tesserae::{Error, Result};

#[derive(Default)]
struct Signals {
    /// Number of the last signal; 0 before the first.
    caught: Arc<AtomicUsize>,
    /// Whether a signal ends the program immediately.
    at_once: Arc<AtomicBool>,
}

/// The program's signal state.
fn signals() -> &'static Signals {
    static SIGNALS: OnceLock<Signals> = OnceLock::new();
    SIGNALS.get_or_init(Signals::default)
}

/// Starts listening for signals in the whole program.
pub fn listen() -> Result<()> {
    signals().listen()
}

/// The exit status that a shell reports for a program ended by this signal, if one was caught.
pub fn status() -> Option<u8> {
    signals().status()
}

/// Runs `work`, and handles a signal only afterwards.
pub fn after<T>(work: impl FnOnce() -> T) -> T {
    signals().after(work)
}

/// While this exists, signals are only recorded; its owner checks [`status`] and saves.
pub struct Hold {
    signals: &'static Signals,
    before: bool,
}

impl Hold {
    pub fn new() -> Self {
        signals().hold()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.signals.at_once.store(self.before, SeqCst);
    }
}

/// The signals that the parent process had set to be ignored, with the first in the lowest bit;
/// none if the system does not report it in a file, as asking otherwise takes unsafe code.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

impl Signals {
    fn listen(&self) -> Result<()> {
        self.at_once.store(true, SeqCst);
        let ignored = ignored();
        for signal in [SIGINT, SIGTERM] {
            // A shell without job control starts background jobs with Ctrl-C ignored; it must stay
            // ignored.
            if ignored >> (signal - 1) & 1 == 1 {
                continue;
            }
            flag::register_conditional_default(signal, self.at_once.clone())
                .and_then(|_| flag::register_usize(signal, self.caught.clone(), signal as usize))
                .map_err(|e| Error::Internal(e.to_string()))?;
        }
        Ok(())
    }

    fn status(&self) -> Option<u8> {
        let caught = self.caught.load(SeqCst);
        (caught > 0).then(|| 128 + caught as u8)
    }

    fn hold(&'static self) -> Hold {
        Hold {
            signals: self,
            before: self.at_once.swap(false, SeqCst),
        }
    }

    fn after<T>(&'static self, work: impl FnOnce() -> T) -> T {
        let hold = self.hold();
        let outermost = hold.before;
        let done = work();
        drop(hold);
        let caught = self.caught.load(SeqCst);
        if outermost && caught > 0 {
            // Ends the program.
            let _ = low_level::emulate_default_handler(caught as i32);
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_waits_while_it_is_held() {
        // Separate from the program's, which other tests look at.
        let signals: &'static Signals = Box::leak(Box::default());
        signals.listen().unwrap();
        let hold = signals.hold();
        assert_eq!(signals.status(), None);
        low_level::raise(SIGTERM).unwrap();
        // Work inside a training that checks for signals itself.
        assert_eq!(signals.after(|| 7), 7);
        assert_eq!(signals.status(), Some(143));
        assert!(!signals.at_once.load(SeqCst));
        drop(hold);
        assert!(signals.at_once.load(SeqCst));
    }
}
