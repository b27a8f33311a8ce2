//! Packs indices into as few bits as the codebook size requires, lowest bit first.

/// Bits for an index into `codebook_size` codes: ⌈log₂ K⌉, at least 1.
///
/// # Examples
/// ```
/// # use tesserae::tokens::bits_for;
/// assert_eq!([1, 2, 512, 1000].map(bits_for), [1, 1, 9, 10]);
/// ```
pub fn width(codebook_size: u32) -> u32 {
    (u32::BITS - codebook_size.saturating_sub(1).leading_zeros()).max(1)
}

/// Number of bytes for `count` indices of `width` bits.
pub(super) fn packed_len(count: usize, width: u32) -> u64 {
    (count as u64 * u64::from(width)).div_ceil(8)
}

/// Appends `indices`, each below 2^`width`, to `bytes`, padding the last byte with zeros.
pub(super) fn pack(indices: impl Iterator<Item = u32>, width: u32, bytes: &mut Vec<u8>) {
    let (mut held, mut filled) = (0u64, 0);
    for index in indices {
        held |= u64::from(index) << filled;
        filled += width;
        while filled >= 8 {
            // Take the lowest byte and keep the rest.
            bytes.push(held as u8);
            held >>= 8;
            filled -= 8;
        }
    }
    if filled > 0 {
        bytes.push(held as u8);
    }
}

/// Reads indices of `width` bits from packed bytes until too few bits remain.
pub(super) struct Unpack<'a> {
    bytes: std::slice::Iter<'a, u8>,
    width: u32,
    held: u64,
    filled: u32,
}

impl<'a> Unpack<'a> {
    /// `width` is 1 to 32.
    pub(super) fn new(bytes: &'a [u8], width: u32) -> Self {
        Self {
            bytes: bytes.iter(),
            width,
            held: 0,
            filled: 0,
        }
    }

    /// Whether only zero padding of less than a byte remains.
    pub(super) fn only_padding_left(&self) -> bool {
        self.bytes.len() == 0 && self.held == 0
    }
}

impl Iterator for Unpack<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        while self.filled < self.width {
            self.held |= u64::from(*self.bytes.next()?) << self.filled;
            self.filled += 8;
        }
        let index = self.held & ((1 << self.width) - 1);
        self.held >>= self.width;
        self.filled -= self.width;
        // Masked to at most 32 bits.
        Some(index as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths() {
        for (size, expected) in [
            (0, 1),
            (1, 1),
            (2, 1),
            (3, 2),
            (4, 2),
            (5, 3),
            (512, 9),
            (513, 10),
            (1024, 10),
            (1 << 20, 20),
            (u32::MAX, 32),
        ] {
            assert_eq!(width(size), expected, "{size}");
        }
    }

    #[test]
    fn lowest_bits_come_first() {
        let mut bytes = Vec::new();
        pack([0b101, 0b010, 0b111].into_iter(), 3, &mut bytes);
        assert_eq!(bytes, [0b1101_0101, 0b1]);
        assert_eq!(packed_len(3, 3), 2);
    }

    #[test]
    fn every_width_there_and_back() {
        for width in 1..=32 {
            let mask = u32::MAX >> (32 - width);
            for count in 0..20u32 {
                let indices: Vec<u32> = (0..count)
                    .map(|i| i.wrapping_mul(2_654_435_761) & mask)
                    .collect();
                let mut bytes = Vec::new();
                pack(indices.iter().copied(), width, &mut bytes);
                assert_eq!(bytes.len() as u64, packed_len(indices.len(), width));
                let mut unpack = Unpack::new(&bytes, width);
                let back: Vec<u32> = unpack.by_ref().take(indices.len()).collect();
                assert_eq!(back, indices);
                assert!(unpack.only_padding_left());
            }
        }
    }

    #[test]
    fn padding_that_is_not_zero_is_seen() {
        let mut unpack = Unpack::new(&[0b1000_0101], 3);
        assert_eq!(unpack.next(), Some(0b101));
        assert!(!unpack.only_padding_left());
        assert_eq!(unpack.next(), Some(0));
        assert!(!unpack.only_padding_left());
        assert_eq!(unpack.next(), None);
    }
}
