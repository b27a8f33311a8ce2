//! Reads the only EXIF field that matters here: the orientation.

use image::metadata::Orientation;

/// The orientation tag.
const ORIENTATION: u16 = 0x0112;
/// Size of a directory entry in bytes: tag, type, count and value.
const ENTRY: usize = 12;

/// The orientation from an EXIF block, with or without its JPEG prefix. The standard requires a
/// SHORT; LONG and BYTE, which some writers use, are accepted as well.
///
/// Source: EXIF 2.32, sections 4.5.2 and 4.6.4.
pub(super) fn orientation(block: &[u8]) -> Option<Orientation> {
    let tiff = Tiff::new(block.strip_prefix(b"Exif\0\0").unwrap_or(block))?;
    let directory = usize::try_from(tiff.long(4)?).ok()?;
    let entries = usize::from(tiff.short(directory)?);
    (0..entries).find_map(|index| {
        let entry = directory.checked_add(2 + index * ENTRY)?;
        if tiff.short(entry)? != ORIENTATION {
            return None;
        }
        let value = match tiff.short(entry + 2)? {
            1 => u32::from(*tiff.bytes.get(entry + 8)?),
            3 => u32::from(tiff.short(entry + 8)?),
            4 => tiff.long(entry + 8)?,
            _ => return None,
        };
        Orientation::from_exif(u8::try_from(value).ok()?)
    })
}

/// Reads integers in the byte order declared by the block's header.
struct Tiff<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

impl<'a> Tiff<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        let big_endian = match bytes.get(..4)? {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return None,
        };
        Some(Self { bytes, big_endian })
    }

    fn short(&self, at: usize) -> Option<u16> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(match self.big_endian {
            true => u16::from_be_bytes(bytes),
            false => u16::from_le_bytes(bytes),
        })
    }

    fn long(&self, at: usize) -> Option<u32> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(match self.big_endian {
            true => u32::from_be_bytes(bytes),
            false => u32::from_le_bytes(bytes),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An EXIF block with the orientation as its only entry, stored as a value of type `kind`.
    pub(crate) fn exif(big_endian: bool, kind: u16, orientation: u32) -> Vec<u8> {
        let short = |value: u16| match big_endian {
            true => value.to_be_bytes(),
            false => value.to_le_bytes(),
        };
        let long = |value: u32| match big_endian {
            true => value.to_be_bytes(),
            false => value.to_le_bytes(),
        };
        let value = match kind {
            1 => [orientation as u8, 0, 0, 0],
            3 => [short(orientation as u16), [0; 2]]
                .concat()
                .try_into()
                .unwrap(),
            _ => long(orientation),
        };
        [
            if big_endian { b"MM\0*" } else { b"II*\0" },
            &long(8)[..],
            &short(1),
            &short(ORIENTATION),
            &short(kind),
            &long(1),
            &value,
            &long(0),
        ]
        .concat()
    }

    #[test]
    fn orientation_is_read_in_both_byte_orders_and_any_integer_type() {
        for big_endian in [false, true] {
            for kind in [1, 3, 4] {
                let block = exif(big_endian, kind, 6);
                let prefixed = [b"Exif\0\0", &block[..]].concat();
                for block in [block, prefixed] {
                    assert_eq!(orientation(&block), Some(Orientation::Rotate90), "{kind}");
                }
                assert_eq!(orientation(&exif(big_endian, kind, 9)), None);
            }
            assert_eq!(orientation(&exif(big_endian, 4, 0x0006_0000)), None);
            assert_eq!(orientation(&exif(big_endian, 7, 6)), None);
        }
    }

    #[test]
    fn blocks_that_lead_nowhere_have_no_orientation() {
        let block = exif(false, 3, 6);
        for length in 0..block.len() - 4 - 2 {
            assert_eq!(orientation(&block[..length]), None, "{length}");
        }
        let mut astray = block;
        astray[4..8].fill(0xFF);
        assert_eq!(orientation(&astray), None);
    }
}
