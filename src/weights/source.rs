use std::fmt::Debug;

use crate::error::{Error, Result};

/// Bytes that are read a piece at a time: memory, a file, a Blob in the browser. A model's tensors
/// are drawn from it one by one, so that the file is never wholly in memory beside the model.
pub trait Source: Debug {
    /// Number of bytes.
    fn len(&self) -> u64;

    /// `length` bytes from `start` on.
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`] past the end, and what reading can fail with.
    fn read(&self, start: u64, length: usize) -> Result<Vec<u8>>;

    /// Whether there are no bytes at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `length` bytes lie at `start`.
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`] where they do not.
    fn check(&self, start: u64, length: usize) -> Result<()> {
        match start.checked_add(length as u64) {
            Some(end) if end <= self.len() => Ok(()),
            _ => Err(Error::WeightsCorrupt("it ends too early".into())),
        }
    }
}

impl Source for Vec<u8> {
    fn len(&self) -> u64 {
        self.as_slice().len() as u64
    }

    fn read(&self, start: u64, length: usize) -> Result<Vec<u8>> {
        self.check(start, length)?;
        // Both are within the vector's length, so they fit.
        let start = start as usize;
        Ok(self[start..start + length].to_vec())
    }
}
