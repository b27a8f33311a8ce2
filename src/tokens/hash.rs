//! Short hashes that identify codebooks and decoders.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

/// The first 8 bytes of a SHA-256: enough to detect a mix-up, not to resist an attack. Displayed as
/// 16 lower-case hexadecimal digits.
///
/// # Examples
/// ```
/// # use tesserae::tokens::Hash;
/// let hash = Hash::of(["abc"]);
/// assert_eq!(hash.to_string(), "ba7816bf8f01cfea");
/// assert_eq!("ba7816bf8f01cfea".parse(), Ok(hash));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 8]);

impl Hash {
    /// Hashes the concatenation of `parts`.
    pub fn of<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> Self {
        let mut sha = Sha256::new();
        for part in parts {
            sha.update(part.as_ref());
        }
        let digest = sha.finalize();
        let mut bytes = [0; 8];
        for (byte, digest) in bytes.iter_mut().zip(digest) {
            *byte = digest;
        }
        Self(bytes)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// Why a string is not a valid [`struct@Hash`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 16 hexadecimal digits")]
pub struct ParseHashError;

impl FromStr for Hash {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        let (digits, rest) = text.as_bytes().as_chunks::<2>();
        if digits.len() != 8 || !rest.is_empty() {
            return Err(ParseHashError);
        }
        let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(ParseHashError);
        let mut bytes = [0; 8];
        for (byte, &[high, low]) in bytes.iter_mut().zip(digits) {
            // Two digits below 16.
            *byte = (digit(high)? * 16 + digit(low)?) as u8;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_start_of_sha_256() {
        // The published test vector for "abc".
        let hash = Hash::of(["abc"]);
        assert_eq!(hash.to_string(), "ba7816bf8f01cfea");
        assert_eq!(Hash::of(["a", "", "bc"]), hash);
        assert_ne!(Hash::of(["ab"]), hash);
        assert_eq!(format!("{hash:?}"), "Hash(ba7816bf8f01cfea)");
    }

    #[test]
    fn hexadecimal_there_and_back() {
        let hash = Hash([0x00, 0x01, 0x0a, 0x10, 0x7f, 0x80, 0xf0, 0xff]);
        assert_eq!("00010a107f80f0ff".parse(), Ok(hash));
        assert_eq!("00010A107F80F0FF".parse(), Ok(hash));
        for wrong in [
            "",
            "00010a107f80f0f",
            "00010a107f80f0fff",
            "00010a107f80f0fg",
            "+0010a107f80f0ff",
            "éééééééé",
        ] {
            assert_eq!(wrong.parse::<Hash>(), Err(ParseHashError), "{wrong}");
        }
    }

    #[test]
    fn is_a_string_in_json() {
        let hash = Hash::of(["abc"]);
        let json = serde_json::to_string(&hash).unwrap();
        assert_eq!(json, "\"ba7816bf8f01cfea\"");
        assert_eq!(serde_json::from_str::<Hash>(&json).unwrap(), hash);
        assert!(serde_json::from_str::<Hash>("\"ba78\"").is_err());
    }
}
