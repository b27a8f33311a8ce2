//! Pictures: whatever is read has as many pixels as were admitted, and whatever is refused is
//! refused in one plain sentence, without a panic in a decoder.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tesserae::Picture;
use tesserae::pixels::MAX_ENCODED;

fuzz_target!(
    init: {
        // From its first call on, reading keeps the panics of decoders to itself. Here they are
        // what is looked for.
        let _ = Picture::decode(b"\x89PNG");
        std::panic::set_hook(Box::new(|panic| {
            eprintln!("{panic}");
            std::process::abort();
        }));
    },
    |bytes: &[u8]| {
        read(bytes);
        // A PNG's checksums, which no fuzzer guesses, may be zero.
        if bytes.starts_with(b"\x89PNG") {
            read(&without_checksums(bytes));
        }
    }
);

fn read(bytes: &[u8]) {
    match Picture::decode_fit(bytes, 0, false) {
        Ok(picture) => {
            let pixels = u64::from(picture.width()) * u64::from(picture.height());
            assert!((1..=MAX_ENCODED).contains(&pixels));
            assert_eq!(picture.rgb().len() as u64, pixels * 3);
        }
        Err(error) => {
            let (code, sentence) = (error.code(), error.to_string());
            let codes = ["image_empty", "image_unsupported", "image_corrupt", "image_too_large"];
            assert!(codes.contains(&code), "{sentence} [{code}]");
            assert!(!sentence.contains(char::is_control), "{sentence:?}");
        }
    }
}

fn without_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut file = bytes.to_vec();
    let mut at = 8;
    while let Some(length) = file.get(at..).and_then(<[u8]>::first_chunk) {
        at += 8 + u32::from_be_bytes(*length) as usize;
        match file.get_mut(at..at + 4) {
            Some(checksum) => checksum.fill(0),
            None => break,
        }
        at += 4;
    }
    file
}
