//! Tests of the token file, byte by byte, and of every way it can be invalid.

use proptest::prelude::*;

use super::*;
use crate::tokens::tests::sample;

/// Replaces the bytes from `at` and fixes the checksum.
fn patched(bytes: &[u8], at: usize, patch: &[u8]) -> Vec<u8> {
    let mut content = bytes[..bytes.len() - CHECKSUM].to_vec();
    content[at..at + patch.len()].copy_from_slice(patch);
    signed(content)
}

fn signed(mut content: Vec<u8>) -> Vec<u8> {
    content.extend(crc32fast::hash(&content).to_le_bytes());
    content
}

/// Parses an invalid file and returns the reason for the error.
fn reason(bytes: &[u8]) -> String {
    match Tokens::from_bytes(bytes) {
        Err(Error::TokensCorrupt(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn layout_is_as_documented() {
    let bytes = sample().to_bytes().unwrap();
    let mut expected = b"TSRA\x01\x02\x0a\0\x15\0\0\0\x0d\0\0\0\xe8\x03\0\0".to_vec();
    expected.extend([1, 2, 3, 4, 5, 6, 7, 8]);
    expected.extend([0xF0; 8]);
    expected.extend(b"\x01\0\0\0\x02\0\0\0\x02\0\0\0\x03\0\0\0");
    // 999, 0, 1, 2 | 1, 512, 1, 2: ten bits each.
    expected.extend([0xE7, 0x03, 0x10, 0x80, 0x00, 0x01, 0x00, 0x18, 0x80, 0x00]);
    // Python: zlib.crc32 of the above.
    expected.extend(0xdcac_311fu32.to_le_bytes());
    assert_eq!(bytes, expected);
}

#[test]
fn reads_what_it_writes() {
    let tokens = sample();
    assert_eq!(
        Tokens::from_bytes(&tokens.to_bytes().unwrap()).unwrap(),
        tokens
    );
}

#[test]
fn every_cut_and_every_addition_is_corrupt() {
    let bytes = sample().to_bytes().unwrap();
    for length in 0..bytes.len() {
        reason(&bytes[..length]);
        if length > 5 {
            reason(&signed(bytes[..length.min(bytes.len() - 5)].to_vec()));
        }
    }
    let mut longer = bytes.clone();
    longer.push(0);
    reason(&longer);
    let mut longer = bytes[..bytes.len() - CHECKSUM].to_vec();
    longer.push(0);
    assert!(reason(&signed(longer)).contains("11 bytes for 8 indices"));
}

#[test]
fn every_flipped_bit_is_seen() {
    let bytes = sample().to_bytes().unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let error = Tokens::from_bytes(&bytes).unwrap_err();
        let expected = if bit / 8 == 4 && bytes[4] > VERSION {
            Error::TokensVersion(bytes[4])
        } else {
            assert!(matches!(error, Error::TokensCorrupt(_)), "{error:?}");
            continue;
        };
        assert_eq!(error, expected);
    }
}

#[test]
fn every_rule_has_its_reason() {
    let bytes = sample().to_bytes().unwrap();
    let large = u32::MAX.to_le_bytes();
    let cases: [(usize, &[u8], &str); 17] = [
        (0, b"TSRB", "start like a token file"),
        (4, &[0], "version 0"),
        (5, &[0], "0 grids"),
        (5, &[9], "ends too early"),
        (6, &[9], "9 bits"),
        (6, &[0], "0 bits"),
        (6, &[255], "255 bits"),
        (7, &[1], "reserved"),
        (8, &[0, 0, 0, 0], "picture is 0×13"),
        (12, &large, "picture is 21×4294967295"),
        (16, &[0, 0, 0, 0], "10 bits per index for 0 codes"),
        (16, &large, "10 bits per index for 4294967295 codes"),
        (
            16,
            &[0x84, 0x03, 0, 0],
            "the index 999 in a codebook of 900",
        ),
        (36, &[0, 0, 0, 0], "a 0×2 grid"),
        (36, &large, "a 4294967295×2 grid"),
        // The maximum number of indices, but for one grid of two.
        (40, &[0, 0, 0, 1], "a 2×3 grid"),
        (44, &[3], "10 bytes for 11 indices"),
    ];
    for (at, patch, expected) in cases {
        let found = reason(&patched(&bytes, at, patch));
        assert!(found.contains(expected), "{found}, not {expected}");
    }
    let mut many = bytes[..36].to_vec();
    many[5] = 9;
    many.extend([1, 0, 0, 0].repeat(2 * 9));
    assert_eq!(reason(&signed(many)), "it has 9 grids");
    let newer = patched(&bytes, 4, &[2]);
    assert_eq!(
        Tokens::from_bytes(&newer).unwrap_err(),
        Error::TokensVersion(2)
    );
}

#[test]
fn padding_bits_must_be_zero() {
    let mut tokens = sample();
    tokens.grids.truncate(1);
    let bytes = tokens.to_bytes().unwrap();
    let last = bytes.len() - CHECKSUM - 1;
    // Two indices of ten bits leave four bits of the third byte.
    assert_eq!(bytes[last], 0);
    for bit in 4..8 {
        let found = reason(&patched(&bytes, last, &[1 << bit]));
        assert!(found.contains("after its last index"), "{found}");
    }
}

#[test]
fn what_could_not_be_read_is_not_written() {
    let wrong: [fn(&mut Tokens); 9] = [
        |tokens| tokens.width = 0,
        |tokens| tokens.height = u32::MAX,
        |tokens| tokens.codebook_size = 0,
        |tokens| tokens.codebook_size = MAX_CODEBOOK + 1,
        |tokens| tokens.grids.clear(),
        |tokens| tokens.grids = vec![tokens.grids[0].clone(); MAX_GRIDS + 1],
        |tokens| tokens.grids[0].rows = 0,
        |tokens| tokens.grids[1].indices[3] = 1000,
        |tokens| tokens.grids[1].indices.truncate(5),
    ];
    for (case, change) in wrong.into_iter().enumerate() {
        let mut tokens = sample();
        change(&mut tokens);
        let error = tokens.to_bytes().unwrap_err();
        assert_eq!(error.code(), "tokens_corrupt", "case {case}: {error}");
    }
}

fn any_tokens() -> impl Strategy<Value = Tokens> {
    let size = prop_oneof![1..=5u32, 500..=1030u32, 1..=MAX_CODEBOOK];
    let grids = prop::collection::vec((1..7u32, 1..7u32), 1..=MAX_GRIDS);
    let hashes = any::<([u8; 8], [u8; 8])>();
    (1..9000u32, 1..7000u32, size, hashes, grids, any::<u64>()).prop_map(
        |(width, height, codebook_size, (codebook, decoder), grids, seed)| {
            let mut state = seed | 1;
            let mut grid = |(rows, columns)| Grid {
                rows,
                columns,
                indices: (0..rows * columns)
                    .map(|_| {
                        state = state
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1);
                        (state >> 33) as u32 % codebook_size
                    })
                    .collect(),
            };
            Tokens {
                width,
                height,
                codebook_size,
                codebook_hash: Hash(codebook),
                decoder_hash: Hash(decoder),
                grids: grids.into_iter().map(&mut grid).collect(),
            }
        },
    )
}

/// Whatever can be read is written back as the same bytes: the format is canonical.
fn read_is_canonical(bytes: &[u8]) -> Result<(), TestCaseError> {
    match Tokens::from_bytes(bytes) {
        Ok(tokens) => prop_assert_eq!(tokens.to_bytes().unwrap(), bytes),
        Err(error) => {
            let code = error.code();
            prop_assert!(code == "tokens_corrupt" || code == "tokens_version");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10_000) })]

    #[test]
    fn round_trip(tokens in any_tokens()) {
        let bytes = tokens.to_bytes().unwrap();
        let payload = (tokens.count() * tokens.bits_per_token() as usize).div_ceil(8);
        prop_assert_eq!(bytes.len(), 40 + 8 * tokens.grids.len() + payload);
        prop_assert_eq!(Tokens::from_bytes(&bytes).unwrap(), tokens);
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        body in prop::collection::vec(any::<u8>(), 0..120), with_start: bool, with_checksum: bool,
    ) {
        let mut bytes = if with_start { b"TSRA\x01".to_vec() } else { Vec::new() };
        bytes.extend(body);
        read_is_canonical(&if with_checksum { signed(bytes) } else { bytes })?;
    }

    #[test]
    fn damaged_files_never_panic(
        tokens in any_tokens(),
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
        in_header: bool,
        with_checksum: bool,
    ) {
        let mut content = tokens.to_bytes().unwrap();
        content.truncate(content.len() - CHECKSUM);
        for (place, value) in places {
            let length = if in_header { 44 } else { content.len() };
            content[place.index(length)] = value;
        }
        if let Some(cut) = cut {
            content.truncate(cut.index(content.len()));
        }
        read_is_canonical(&if with_checksum { signed(content) } else { content })?;
    }
}
