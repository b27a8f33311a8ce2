//! PyTorch checkpoints: locates the tensors in a `.ckpt`, `.pt` or `.bin`.
//!
//! These files are Python pickles, programs for a small stack machine that may import and call
//! anything. Here they are parsed and never executed: `machine` runs the opcodes on values of its
//! own, `build` recognises by name the few calls that make tensors, objects of well-known packages
//! (hyper-parameters next to a state dict) become blanks, and any other call is an error.
//! [`limits`] bounds what a file may cost.
//!
//! No tensor is read here. [`read`] locates each one, checks that it lies within its storage and
//! the storage within the file; values are later read from there one tensor at a time.
//!
//! Sources: `Lib/pickletools.py` of CPython for the opcodes, `torch/serialization.py` and
//! `torch/_utils.py` of PyTorch for the two file forms, the zip and the one before it.

mod archive;
mod build;
mod cursor;
mod entry;
mod faults;
mod globals;
mod legacy;
pub mod limits;
mod machine;
mod state;
mod value;

pub use super::sniff::is_pickle;
pub use entry::{Checkpoint, Entry};

use super::Source;
use super::sniff::ZIP;
use crate::error::Result;

/// Finds the tensors of a checkpoint's state dict. The dict is chosen by its contents and its key,
/// averages (`ema`) before others (`state_dict`, `model`); failing that, it is the top-level dict
/// or the only nested one that contains tensors. Optimizer tensors and anything that is not a
/// tensor are skipped.
///
/// # Errors
/// [`PickleRefused`](crate::Error::PickleRefused) for a pickle that would run code or exceeds one of the [`limits`],
/// [`WeightsCorrupt`](crate::Error::WeightsCorrupt) for one that is damaged or contains no state dict.
pub fn read(source: &dyn Source) -> Result<Checkpoint> {
    let first = source.read(0, source.len().min(ZIP.len() as u64) as usize)?;
    if first == ZIP {
        archive::read(source)
    } else {
        legacy::read(source)
    }
}
