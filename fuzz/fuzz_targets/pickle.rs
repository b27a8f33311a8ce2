//! PyTorch's checkpoints: every tensor that is found lies in the file, or the file is refused in one
//! line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tesserae::weights::pickle;

fuzz_target!(|bytes: &[u8]| {
    let file = bytes.to_vec();
    match pickle::read(&file) {
        Ok(checkpoint) => {
            for entry in checkpoint.entries {
                let count = entry.shape.iter().product::<usize>();
                let size = entry.dtype.bitsize() / 8;
                assert_eq!(entry.bytes(&file).unwrap().len(), count * size);
            }
        }
        Err(error) => {
            assert!(["weights_corrupt", "pickle_refused"].contains(&error.code()));
            let sentence = error.to_string();
            assert!(!sentence.contains(char::is_control), "{sentence:?}");
        }
    }
});
