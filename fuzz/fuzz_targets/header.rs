//! Weight files: whatever is opened can be read, tensor by tensor, and is a model or is refused in
//! one line.
#![no_main]

use std::rc::Rc;

use libfuzzer_sys::fuzz_target;
use tesserae::Error;
use tesserae::weights::{CheckedWeights, Container};

fuzz_target!(|bytes: &[u8]| {
    let container = match Container::open(Rc::new(bytes.to_vec())) {
        Ok(container) => container,
        Err(error) => return refused(&error),
    };
    for name in container.names() {
        let count = container.shape(name).unwrap().iter().product::<usize>();
        match container.values(name) {
            Ok(values) => assert_eq!(values.len(), count),
            Err(error) => refused(&error),
        }
    }
    // With groups that small models have, so that more of them get through.
    for config in [None, Some(r#"{"norm_groups": 1}"#)] {
        if let Err(error) = CheckedWeights::new(container.clone(), config) {
            refused(&error);
        }
    }
});

fn refused(error: &Error) {
    let expected = error.code().starts_with("weights_")
        || ["no_codebook", "config_invalid", "pickle_refused"].contains(&error.code());
    let sentence = error.to_string();
    assert!(expected, "{sentence} [{}]", error.code());
    assert!(!sentence.contains(char::is_control), "{sentence:?}");
}
