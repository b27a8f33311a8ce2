//! Token files: what can be read is written as the very same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tesserae::Tokens;

fuzz_target!(|bytes: &[u8]| {
    canonical(bytes);
    // The same with the checksum made right, which no fuzzer guesses.
    if let Some((content, _)) = bytes.split_last_chunk::<4>() {
        canonical(&[content, &crc32fast::hash(content).to_le_bytes()].concat());
    }
});

fn canonical(bytes: &[u8]) {
    match Tokens::from_bytes(bytes) {
        Ok(tokens) => assert_eq!(tokens.to_bytes().unwrap(), bytes),
        Err(error) => assert!(["tokens_corrupt", "tokens_version"].contains(&error.code())),
    }
}
