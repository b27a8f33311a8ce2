use super::faults::{corrupt, refused};
use super::limits;
use crate::error::{Error, Result};

/// Reads opcode arguments from a pickle's bytes.
#[derive(Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    clipped: bool,
}

impl<'a> Cursor<'a> {
    /// Starts at the first of `bytes`. `clipped` means that the file continues past the length
    /// limit.
    pub fn new(bytes: &'a [u8], clipped: bool) -> Self {
        Self {
            bytes,
            at: 0,
            clipped,
        }
    }

    /// Number of bytes read so far.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The next `length` bytes.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        match self.bytes[self.at..].get(..length) {
            Some(taken) => {
                self.at += length;
                Ok(taken)
            }
            None => Err(self.end("its pickle ends in the middle")),
        }
    }

    /// Takes a length stated in the file, however large.
    pub fn sized(&mut self, length: u64) -> Result<&'a [u8]> {
        let left = self.bytes.len() - self.at;
        match usize::try_from(length) {
            Ok(length) if length <= left => self.take(length),
            _ => Err(self.end(&format!(
                "its pickle has a value of {length} bytes where {left} are left"
            ))),
        }
    }

    /// The bytes up to the next line feed, which is skipped.
    pub fn line(&mut self) -> Result<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        match rest.iter().position(|byte| *byte == b'\n') {
            Some(length) => {
                self.at += length + 1;
                Ok(&rest[..length])
            }
            None => Err(self.end("its pickle ends in the middle")),
        }
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    /// The next `N` bytes, for an integer's `from_le_bytes`.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        match self.bytes[self.at..].first_chunk() {
            Some(taken) => {
                self.at += N;
                Ok(*taken)
            }
            None => Err(self.end("its pickle ends in the middle")),
        }
    }

    /// The error for reading past the end: of the file, or of the part within the length limit.
    fn end(&self, reason: &str) -> Error {
        if self.clipped {
            refused(format!(
                "its pickle is longer than {} MiB",
                limits::PICKLE_BYTES >> 20
            ))
        } else {
            corrupt(reason)
        }
    }
}

/// Decodes a string in the pickle.
pub fn text(bytes: &[u8]) -> Result<&str> {
    str::from_utf8(bytes).map_err(|_| corrupt("its pickle contains a string that is not UTF-8"))
}
