//! Whatever the bytes are, reading ends, and without a panic.

use proptest::prelude::*;
use tesserae::weights::pickle;

use crate::assemble::{Pickle, checkpoint, floats, legacy, state};

/// A pickle with a little of everything.
fn rich() -> Vec<u8> {
    let pickle = Pickle::new()
        .global("collections.OrderedDict")
        .raw(b")Rq\x00(");
    let pickle = pickle
        .text("w")
        .tensor(6, 1, &[2, 2], &[1, 3])
        .raw(b"q\x01");
    let pickle = pickle
        .text("v")
        .raw(b"h\x01u}")
        .text("_metadata")
        .raw(b"}sb");
    pickle.stop()
}

/// Reads, and reads what it says is there.
fn read(file: Vec<u8>) {
    pickle::is_pickle(&file);
    for entry in pickle::read(&file).unwrap_or_default().entries {
        entry.bytes(&file).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read(bytes.clone());
        read([b"PK\x03\x04", &*bytes].concat());
        read(checkpoint(bytes.clone(), &[]));
        read(legacy(&bytes, &[]));
    }

    /// Opcodes one after another, which reach further than any bytes do.
    #[test]
    fn any_opcodes(
        opcodes in prop::collection::vec(
            prop::sample::select(b"(.012N}])Gaedlsutbo\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94QR".to_vec()),
            0..60,
        ),
        start in 0_usize..4,
    ) {
        let begin = match start {
            0 => Pickle::new().raw(b"(((((NNNNN"),
            1 => Pickle::new().global("collections.OrderedDict").raw(b")2"),
            2 => Pickle::new().text("w").tensor(6, 0, &[6], &[1]).raw(b"2("),
            _ => Pickle::new().raw(b"}].(".repeat(3)),
        };
        read(checkpoint(begin.raw(opcodes).stop(), &[("0", &floats(&[0.0; 6]))]));
    }

    /// A sound checkpoint with some bytes changed, left out or doubled.
    #[test]
    fn a_checkpoint_with_faults(
        faults in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 1..6),
        form in 0_usize..3,
    ) {
        let data = floats(&[0.5; 6]);
        let mut file = match form {
            0 => checkpoint(rich(), &[("0", &data)]),
            1 => legacy(&rich(), &[("0", 6, &data)]),
            _ => rich(),
        };
        for (at, byte, kind) in faults {
            let at = at.index(file.len());
            match kind {
                0 => file[at] = byte,
                1 => file[at] ^= 1 << (byte % 8),
                2 => { file.remove(at); }
                _ => file.insert(at, byte),
            }
        }
        read(match form {
            2 => checkpoint(file, &[("0", &data)]),
            _ => file,
        });
    }
}

#[test]
fn what_the_faults_are_made_in_is_sound() {
    let data = floats(&[0.5; 6]);
    for file in [
        checkpoint(rich(), &[("0", &data)]),
        legacy(&rich(), &[("0", 6, &data)]),
        checkpoint(state(|p| p.tensor(6, 0, &[6], &[1])), &[("0", &data)]),
    ] {
        assert!(!pickle::read(&file).unwrap().entries.is_empty());
        read(file);
    }
}
