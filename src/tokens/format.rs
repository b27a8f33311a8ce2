//! Reads and writes the file format described in the [module's documentation](super).

use super::bits::{self, Unpack};
use super::{Grid, Hash, MAX_CODEBOOK, MAX_GRIDS, MAX_INDICES, Tokens};
use crate::error::{Error, Result};
use crate::pixels::MAX_PIXELS;

/// The version that is written, and the newest that can be read.
pub const VERSION: u8 = 1;

const MAGIC: &[u8; 4] = b"TSRA";
const CHECKSUM: usize = 4;

fn corrupt(reason: impl Into<String>) -> Error {
    Error::TokensCorrupt(reason.into())
}

impl Tokens {
    /// Serialises to a token file.
    ///
    /// # Errors
    /// [`Error::TokensCorrupt`] if the fields violate the format, so that everything written can be
    /// read back.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.check()?;
        let width = self.bits_per_token();
        let mut bytes = MAGIC.to_vec();
        // The casts are lossless: `check` bounds the grids, and an index has at most 32 bits.
        bytes.extend([VERSION, self.grids.len() as u8, width as u8, 0]);
        for number in [self.width, self.height, self.codebook_size] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.codebook_hash.0);
        bytes.extend(self.decoder_hash.0);
        for grid in &self.grids {
            bytes.extend(grid.rows.to_le_bytes());
            bytes.extend(grid.columns.to_le_bytes());
        }
        let indices = self.grids.iter().flat_map(|grid| &grid.indices).copied();
        bits::pack(indices, width, &mut bytes);
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        Ok(bytes)
    }

    /// Parses a token file without trusting any of it: nothing is allocated before the file is
    /// known to be long enough to fill it.
    ///
    /// # Errors
    /// [`Error::TokensVersion`] for a newer version, [`Error::TokensCorrupt`] for any other
    /// violation.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let Some(after_magic) = bytes.strip_prefix(MAGIC) else {
            return Err(corrupt("it does not start like a token file"));
        };
        match after_magic.first() {
            Some(&VERSION) => {}
            Some(&version) if version > VERSION => return Err(Error::TokensVersion(version)),
            Some(_) => return Err(corrupt("there is no version 0")),
            None => return Err(cut_short()),
        }
        let Some((content, checksum)) = bytes.split_last_chunk::<CHECKSUM>() else {
            return Err(cut_short());
        };
        if crc32fast::hash(content) != u32::from_le_bytes(*checksum) {
            return Err(corrupt(
                "its checksum is wrong, so it was changed or cut short",
            ));
        }

        let mut reader = Reader(content.get(MAGIC.len() + 1..).unwrap_or_default());
        let [grids, width, reserved] = reader.take()?;
        if reserved != 0 {
            return Err(corrupt("its reserved byte is not 0"));
        }
        let mut tokens = Self {
            width: reader.number()?,
            height: reader.number()?,
            codebook_size: reader.number()?,
            codebook_hash: Hash(reader.take()?),
            decoder_hash: Hash(reader.take()?),
            grids: Vec::new(),
        };
        if u32::from(width) != tokens.bits_per_token() {
            return Err(corrupt(format!(
                "it has {width} bits per index for {} codes",
                tokens.codebook_size
            )));
        }
        for _ in 0..grids {
            tokens.grids.push(Grid {
                rows: reader.number()?,
                columns: reader.number()?,
                indices: Vec::new(),
            });
        }
        let lengths = tokens.check_shape()?;
        let count = lengths.iter().sum();
        let packed = reader.0;
        if packed.len() as u64 != bits::packed_len(count, u32::from(width)) {
            return Err(corrupt(format!(
                "it has {} bytes for {count} indices of {width} bits",
                packed.len()
            )));
        }
        let mut indices = Unpack::new(packed, u32::from(width));
        for (grid, length) in tokens.grids.iter_mut().zip(lengths) {
            grid.indices = indices.by_ref().take(length).collect();
        }
        if !indices.only_padding_left() {
            return Err(corrupt("the bits after its last index are not 0"));
        }
        tokens.check()?;
        Ok(tokens)
    }

    /// Checks everything except the indices. Returns the number of indices in each grid.
    fn check_shape(&self) -> Result<Vec<usize>> {
        let pixels = u64::from(self.width) * u64::from(self.height);
        if !(1..=MAX_PIXELS).contains(&pixels) {
            return Err(corrupt(format!(
                "its picture is {}×{}",
                self.width, self.height
            )));
        }
        if !(1..=MAX_CODEBOOK).contains(&self.codebook_size) {
            return Err(corrupt(format!(
                "its codebook has {} codes",
                self.codebook_size
            )));
        }
        if !(1..=MAX_GRIDS).contains(&self.grids.len()) {
            return Err(corrupt(format!("it has {} grids", self.grids.len())));
        }
        let mut left = MAX_INDICES;
        let mut lengths = Vec::with_capacity(self.grids.len());
        for Grid { rows, columns, .. } in &self.grids {
            let length = usize::try_from(u64::from(*rows) * u64::from(*columns)).ok();
            match length.filter(|&length| length > 0 && length <= left) {
                Some(length) => {
                    left -= length;
                    lengths.push(length);
                }
                None => return Err(corrupt(format!("it has a {rows}×{columns} grid"))),
            }
        }
        Ok(lengths)
    }

    /// Checks all rules of the format.
    fn check(&self) -> Result<()> {
        for (grid, length) in self.grids.iter().zip(self.check_shape()?) {
            if grid.indices.len() != length {
                return Err(corrupt(format!(
                    "a {}×{} grid has {} indices",
                    grid.rows,
                    grid.columns,
                    grid.indices.len()
                )));
            }
            if let Some(index) = grid.indices.iter().find(|&&i| i >= self.codebook_size) {
                return Err(corrupt(format!(
                    "it has the index {index} in a codebook of {} codes",
                    self.codebook_size
                )));
            }
        }
        Ok(())
    }
}

/// The unread part of the content.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (&taken, rest) = self.0.split_first_chunk().ok_or_else(cut_short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32> {
        self.take().map(u32::from_le_bytes)
    }
}

fn cut_short() -> Error {
    corrupt("it ends too early")
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
