use std::fmt::Debug;

use crate::error::{Error, Result};

/// Random-access bytes: memory, a file, a Blob in the browser. Tensors are read from it one at a
/// time, so the whole file is never in memory together with the model.
///
/// # Examples
/// ```
/// # use std::rc::Rc;
/// # use tesserae::Result;
/// # use tesserae::weights::{Container, Source};
/// # fn main() -> tesserae::Result<()> {
/// /// A file in the program itself, of which only what is needed is copied.
/// #[derive(Debug)]
/// struct Built(&'static [u8]);
///
/// impl Source for Built {
///     fn len(&self) -> u64 {
///         self.0.len() as u64
///     }
///
///     fn read(&self, start: u64, length: usize) -> Result<Vec<u8>> {
///         self.check(start, length)?;
///         Ok(self.0[start as usize..][..length].to_vec())
///     }
/// }
///
/// static FILE: &[u8] = b"\x08\0\0\0\0\0\0\0{}      ";
/// assert_eq!(Container::open(Rc::new(Built(FILE)))?.names().count(), 0);
/// # Ok(())
/// # }
/// ```
pub trait Source: Debug {
    /// Number of bytes.
    fn len(&self) -> u64;

    /// Reads `length` bytes starting at `start`.
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`] past the end, and read errors.
    fn read(&self, start: u64, length: usize) -> Result<Vec<u8>>;

    /// Whether there are no bytes at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Checks that `length` bytes are available at `start`.
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`] if they are not.
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
