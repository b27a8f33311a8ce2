//! Checkpoints of PyTorch: where the tensors of a `.ckpt`, `.pt` or `.bin` lie.
//!
//! These files are Python pickles, programs for a small stack machine that may import and call
//! anything. Here they are parsed and never executed: `machine` runs the opcodes over values of
//! its own, `build` knows by name the few calls that tensors are made of, objects of well-known
//! packages (the hyper-parameters beside a state dict) become blanks, and a call of anything else
//! ends the reading. [`limits`] says what a file may cost.
//!
//! No tensor is read here. [`read`] finds each one's place, which is checked to lie in its storage
//! and that in the file, and the values are drawn from there one tensor at a time.
//!
//! Sources: `Lib/pickletools.py` of CPython for the opcodes, `torch/serialization.py` and
//! `torch/_utils.py` of PyTorch for the two file forms, the zip and the one before it.

mod archive;
mod build;
mod cursor;
mod entry;
mod globals;
mod legacy;
pub mod limits;
mod machine;
mod state;
mod value;

pub use super::container::is_pickle;
pub use entry::Entry;

use super::Source;
use crate::error::{Error, Result, shown};

/// How a zip file begins.
const ZIP: &[u8] = b"PK\x03\x04";

/// What is read of a checkpoint.
#[derive(Debug, Default)]
pub struct Checkpoint {
    /// The tensors of its state dict, in its order.
    pub entries: Vec<Entry>,
    /// The keys that lead to that dict, with dots between them; empty where it is the file's own.
    pub taken: String,
    /// Other dicts that hold models, such as what `taken` is a moving average of.
    pub passed_over: Vec<String>,
}

/// Finds the tensors of a checkpoint's state dict. Which dict that is, is said by what it holds and
/// by its key, of which an average's (`ema`) come before others (`state_dict`, `model`); else it is
/// the file's own dict, or the only one in it that holds tensors. Optimizers' tensors and all that
/// is no tensor are passed over.
///
/// # Errors
/// [`Error::PickleRefused`] for a pickle that would run code or that is past one of [`limits`],
/// [`Error::WeightsCorrupt`] for one that is damaged or holds no state dict.
pub fn read(source: &dyn Source) -> Result<Checkpoint> {
    let first = source.read(0, source.len().min(ZIP.len() as u64) as usize)?;
    if first == ZIP {
        archive::read(source)
    } else {
        legacy::read(source)
    }
}

fn corrupt(reason: impl Into<String>) -> Error {
    Error::WeightsCorrupt(reason.into())
}

fn refused(reason: impl Into<String>) -> Error {
    Error::PickleRefused(reason.into())
}
