//! Contains panics of decoders: one bad file must not stop the work on the others.

use crate::error::Result;

/// Runs a decoder and turns a panic into [`Error::ImageCorrupt`](crate::Error::ImageCorrupt),
/// without printing to stderr. A wasm module cannot unwind, so there a panic remains one.
#[cfg(target_arch = "wasm32")]
pub(super) fn contained<T>(decoder: impl FnOnce() -> Result<T>) -> Result<T> {
    decoder()
}

/// Runs a decoder and turns a panic into [`Error::ImageCorrupt`](crate::Error::ImageCorrupt),
/// without printing to stderr.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn contained<T>(decoder: impl FnOnce() -> Result<T>) -> Result<T> {
    use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
    use std::{cell::Cell, sync::Once};

    thread_local! {
        static DECODING: Cell<bool> = const { Cell::new(false) };
    }
    static HOOK: Once = Once::new();
    // All other panics are reported as before.
    HOOK.call_once(|| {
        let report = take_hook();
        set_hook(Box::new(move |panic| {
            if !DECODING.try_with(Cell::get).unwrap_or(false) {
                report(panic);
            }
        }));
    });

    DECODING.set(true);
    // Whatever the decoder was writing to is dropped with it.
    let result = catch_unwind(AssertUnwindSafe(decoder));
    DECODING.set(false);
    result.unwrap_or_else(|_| Err(super::stored::damaged()))
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::super::stored::damaged;
    use super::*;

    #[test]
    fn a_panicking_decoder_is_a_damaged_picture() {
        let empty: [u8; 0] = [];
        let result = contained(|| Ok(empty[std::hint::black_box(1)]));
        assert_eq!(result.unwrap_err(), damaged());
        assert_eq!(contained(|| Ok(7)), Ok(7));
    }
}
