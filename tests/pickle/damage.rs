//! Damaged checkpoints: each has a distinct error message.

use crate::assemble::{Pickle, ZipEntry, checkpoint, floats, legacy, legacy_head, state, zip};
use crate::refused;

const CORRUPT: &str = "weights_corrupt";

fn alone(pickle: Pickle) -> Vec<u8> {
    checkpoint(pickle.stop(), &[])
}

/// A checkpoint with one tensor, in both formats.
fn both(elements: i64, offset: i64, shape: &[i64], strides: &[i64], data: &[u8]) -> [Vec<u8>; 2] {
    let pickle = state(|p| p.tensor(elements, offset, shape, strides));
    [
        checkpoint(pickle.clone(), &[("0", data)]),
        legacy(&pickle, &[("0", elements, data)]),
    ]
}

#[test]
fn a_file_cut_short_anywhere_is_corrupt() {
    for whole in both(6, 0, &[2, 3], &[3, 1], &floats(&[0.5; 6])) {
        tesserae::weights::pickle::read(&whole).unwrap();
        for length in 0..whole.len() {
            refused(whole[..length].to_vec(), CORRUPT, "");
        }
    }
}

#[test]
fn a_pickle_cut_short_anywhere_says_so() {
    let pickle = state(|p| p.tensor(6, 0, &[2, 3], &[3, 1]));
    for length in 0..pickle.len() {
        refused(checkpoint(&pickle[..length], &[]), CORRUPT, "its pickle ");
    }
}

#[test]
fn lengths_past_the_end_are_corrupt() {
    let lengths: [(&[u8], &str); 10] = [
        (b"\x8b\0\0\0\x80", "2147483648"),
        (b"\x8b\xff\xff\xff\xff", "4294967295"),
        (b"\x8a\xff", "255"),
        (b"X\xff\xff\xff\xff", "4294967295"),
        (b"T\xff\xff\xff\xff", "4294967295"),
        (b"B\xff\xff\xff\xff", "4294967295"),
        (b"\x8d\0\0\0\0\0\0\0\x80", "9223372036854775808"),
        (b"\x8e\0\0\0\0\0\0\0\x80", "9223372036854775808"),
        (
            b"\x96\xff\xff\xff\xff\xff\xff\xff\xff",
            "18446744073709551615",
        ),
        (b"\x8c\x02a", "2"),
    ];
    for (opcode, length) in lengths {
        let words = format!("a value of {length} bytes where");
        let pickle = [&[0x80, 5], opcode].concat();
        refused(checkpoint(pickle, &[]), CORRUPT, &words);
    }
}

#[test]
fn strings_are_utf_8() {
    let strings: [&[u8]; 6] = [
        b"X\x02\0\0\0\xc3\x28",
        b"\x8c\x01\xff",
        b"\x8d\x01\0\0\0\0\0\0\0\xff",
        b"V\xff\n",
        b"c\xff\nname\n",
        b"cmodule\n\xff\n",
    ];
    for string in strings {
        let pickle = Pickle::new().raw(string);
        refused(alone(pickle), CORRUPT, "a string that is not UTF-8");
    }
}

/// Opcodes that pop values, how many they pop, and their arguments.
const TAKERS: [(u8, usize, &[u8]); 22] = [
    (b'.', 1, b""),
    (b'0', 1, b""),
    (b'2', 1, b""),
    (b'Q', 1, b""),
    (b'R', 2, b""),
    (b'a', 2, b""),
    (b'b', 2, b""),
    (b'p', 1, b"0\n"),
    (b'q', 1, b"\0"),
    (b'r', 1, b"\0\0\0\0"),
    (b's', 3, b""),
    (0x81, 2, b""),
    (0x85, 1, b""),
    (0x86, 2, b""),
    (0x87, 3, b""),
    (0x92, 3, b""),
    (0x93, 2, b""),
    (0x94, 1, b""),
    // These stop at a mark and must not pop anything below it.
    (b'e', 1, b""),
    (b'u', 1, b""),
    (0x90, 1, b""),
    (b'o', 1, b""),
];

#[test]
fn no_opcode_takes_more_than_there_is() {
    for (opcode, takes, args) in TAKERS {
        let marked = b"eu\x90o".contains(&opcode);
        for held in 0..takes {
            let values = Pickle::new().times(held, "N");
            let values = if marked { values.raw(b"(") } else { values };
            let bare = values.raw([opcode]).raw(args).raw(b".");
            refused(checkpoint(bare.0, &[]), CORRUPT, "from an empty stack");

            if !marked {
                let under = Pickle::new().raw(b"NNN(").times(held, "N");
                let under = under.raw([opcode]).raw(args).raw(b".");
                // POP alone may pop the mark itself.
                if opcode != b'0' {
                    refused(checkpoint(under.0, &[]), CORRUPT, "from an empty stack");
                }
            }
        }
    }
    for opcode in *b"1tldeu\x90\x91o" {
        let pickle = Pickle::new().raw(b"}}}").raw([opcode]);
        refused(alone(pickle), CORRUPT, "a mark that is not there");
    }
    refused(
        alone(Pickle::new().raw(b"}ia\nb\n")),
        CORRUPT,
        "a mark that is not there",
    );
    for recall in ["g7\n", "h\x07", "j\x07\0\0\0"] {
        refused(
            alone(Pickle::new().raw(recall)),
            CORRUPT,
            "reads a memo entry that it never wrote",
        );
    }
}

#[test]
fn every_byte_is_an_opcode_or_unknown() {
    let known = b"(.012FIJKLMNPQRSTUVXabcd}eghijlopqrst)u]GBC";
    for opcode in 0..=u8::MAX {
        // The following bytes are valid arguments for any opcode.
        let pickle = Pickle::new().raw([opcode]).raw([0; 8]).raw(b"1\n1\n");
        let unknown = format!("the unknown opcode {opcode:#04x}");
        let error = tesserae::weights::pickle::read(&alone(pickle)).unwrap_err();
        let is_known = known.contains(&opcode) || (0x80..=0x98).contains(&opcode);
        assert_eq!(error.to_string().contains(&unknown), !is_known, "{error}");
    }
}

#[test]
fn values_of_the_wrong_kind_are_corrupt() {
    let new = Pickle::new;
    let cases = [
        (new().raw(b"NNa"), "appends to None"),
        (new().raw(b")(NNe"), "appends to a tuple"),
        (new().raw(b"]NNs"), "sets an entry of a list"),
        (new().raw(b"}(Nu"), "a key without a value"),
        (new().raw(b"(Nd"), "a key without a value"),
        (new().raw(b"K\x01)R"), "calls a number"),
        (new().raw(b"})R"), "calls a dict"),
        (
            new().global("torch.Size").raw(b"NR"),
            "calls a class without a tuple of arguments",
        ),
        (
            new().global("torch.Size").raw(b")R"),
            "a size without numbers",
        ),
        (new().raw(b"N}b"), "sets attributes of None"),
        (
            new().raw(b"NN\x93"),
            "names a class with something that is not a string",
        ),
        (new().raw(b"Pline\n"), "a persistent id that is not a tuple"),
        (new().raw(b"Iten\n"), "a malformed number"),
        (new().raw(b"L99999999999999999999L\n"), "a malformed number"),
        (new().raw(b"g-1\n"), "a malformed number"),
        (new().raw(b"\x97"), "a buffer that is not in the file"),
        (new().raw(b"\x80\x06"), "its pickle has protocol 6"),
        (
            new().global("copyreg._reconstructor").raw(b")R"),
            "an object without a class",
        ),
        (
            new().global("collections.OrderedDict").raw(b"]Na\x85R"),
            "from items that are not pairs",
        ),
    ];
    for (pickle, words) in cases {
        refused(alone(pickle), CORRUPT, words);
    }
}

#[test]
fn a_persistent_id_names_a_storage() {
    let words = "a persistent id that does not name a storage";
    let float = |p: Pickle| p.global("torch.FloatStorage");
    let begin = || Pickle::new().raw(b"(").text("storage");
    let ids = [
        Pickle::new().raw(b"N"),
        Pickle::new().text("storage"),
        Pickle::new().raw(b")"),
        Pickle::new().raw(b"(").text("nonsense").raw(b"t"),
        begin().raw(b"t"),
        begin().raw(b"NNNNt"),
        float(begin()).text("0").text("cpu").raw(b"t"),
        float(begin()).raw(b"N").text("cpu").int(1).raw(b"t"),
        float(begin()).text("0").text("cpu").int(-1).raw(b"t"),
        float(begin()).text("0").text("cpu").raw(b"\x88t"),
        float(begin()).text("0").text("cpu").int(1).raw(b")t"),
        begin()
            .text("FloatStorage")
            .text("0")
            .text("cpu")
            .int(1)
            .raw(b"t"),
    ];
    for id in ids {
        refused(alone(id.raw(b"Q")), CORRUPT, words);
    }
    let endless = float(begin())
        .text("0")
        .text("cpu")
        .int(i64::MAX)
        .raw(b"tQ");
    refused(alone(endless), CORRUPT, "a storage of impossible size");
    let other = begin().global("torch.OtherStorage").text("0");
    refused(alone(other.text("cpu").int(1).raw(b"tQ")), CORRUPT, words);
    let two = Pickle::new().storage("torch.FloatStorage", "0", 1);
    let two = two.storage("torch.HalfStorage", "0", 1);
    refused(alone(two), CORRUPT, "describes one storage in two ways");
}

#[test]
fn shapes_and_strides_stay_within_the_storage() {
    let data = floats(&[0.0; 6]);
    let outside = "`w` lies outside its storage";
    let cases: [(i64, &[i64], &[i64], &str); 12] = [
        (0, &[2, 4], &[4, 1], outside),
        (1, &[2, 3], &[3, 1], outside),
        (6, &[1], &[1], outside),
        (0, &[2, 3], &[4, 1], outside),
        (0, &[i64::MAX, i64::MAX], &[1, 1], outside),
        (0, &[2], &[i64::MAX], outside),
        (0, &[3, 3], &[i64::MAX / 2, i64::MAX / 2], outside),
        (i64::MAX, &[1], &[1], outside),
        (
            -1,
            &[1],
            &[1],
            "a tensor without a valid offset and strides",
        ),
        (
            0,
            &[1, 1],
            &[1],
            "a tensor without a valid offset and strides",
        ),
        (0, &[-6], &[1], "shape or strides are not sizes"),
        (0, &[6], &[-1], "shape or strides are not sizes"),
    ];
    for (offset, shape, strides, words) in cases {
        for file in both(6, offset, shape, strides, &data) {
            refused(file, CORRUPT, words);
        }
    }
    let tensor = |args: &[u8]| {
        let pickle = Pickle::new().global("torch._utils._rebuild_tensor_v2");
        alone(
            pickle
                .raw(b"(")
                .storage("torch.FloatStorage", "0", 1)
                .raw(args)
                .raw(b"tR"),
        )
    };
    refused(
        tensor(b""),
        CORRUPT,
        "rebuilds a tensor from too few arguments",
    );
    refused(tensor(b"K\0NN"), CORRUPT, "a tensor without a shape");
    refused(
        tensor(b"N))"),
        CORRUPT,
        "a tensor without a valid offset and strides",
    );
    refused(
        tensor(b"K\0\x88\x85K\x01\x85"),
        CORRUPT,
        "shape or strides are not sizes",
    );
}

#[test]
fn storages_lie_within_the_file() {
    let pickle = state(|p| p.tensor(6, 0, &[6], &[1]));
    let data = floats(&[0.0; 6]);
    refused(
        checkpoint(pickle.clone(), &[]),
        CORRUPT,
        "the storage of `w` is missing",
    );
    let short = checkpoint(pickle.clone(), &[("0", &data[1..])]);
    refused(short, CORRUPT, "the storage of `w` is too short");

    // One header past the end, and one inside another entry's data.
    for (place, words) in [(1 << 30, "lies outside the file"), (40, "has no header")] {
        let mut stray = ZipEntry::new("archive/data/0", data.clone());
        stray.header = Some(place);
        let file = zip(&[ZipEntry::new("archive/data.pkl", pickle.clone()), stray]);
        refused(file, CORRUPT, &format!("`archive/data/0` {words}"));
    }

    let old = |keys: &[(&str, i64, &[u8])]| legacy(&pickle, keys);
    refused(old(&[]), CORRUPT, "the storage of `w` is missing");
    refused(
        old(&[("0", 6, &data[1..])]),
        CORRUPT,
        "its storage `0` is cut short",
    );
    refused(
        old(&[("1", 6, &data)]),
        CORRUPT,
        "has one that no tensor uses",
    );
    refused(
        old(&[("0", 6, &data), ("0", 6, &data)]),
        CORRUPT,
        "names one twice",
    );
    for count in [5, 7, -1, i64::MIN, i64::MAX] {
        refused(
            old(&[("0", count, &data)]),
            CORRUPT,
            "not as long as its pickle says",
        );
    }
}

#[test]
fn a_zip_holds_one_pickle() {
    let pickle = state(|p| p.tensor(0, 0, &[0], &[1]));
    let entry = |name: &str| ZipEntry::new(name, pickle.clone());
    refused(zip(&[]), CORRUPT, "persistent id");
    refused(
        zip(&[entry("archive/other.pkl")]),
        CORRUPT,
        "has no data.pkl",
    );
    refused(
        zip(&[entry("archive/xdata.pkl")]),
        CORRUPT,
        "has no data.pkl",
    );
    let two = zip(&[entry("a/data.pkl"), entry("b/data.pkl")]);
    refused(two, CORRUPT, "has two data.pkl");
    let same = zip(&[entry("a/data.pkl"), entry("a/data.pkl")]);
    refused(same, CORRUPT, "has two entries `a/data.pkl`");
    for code in ["a/constants.pkl", "a/code/__torch__.py"] {
        let script = zip(&[entry("a/data.pkl"), entry(code)]);
        refused(script, "pickle_refused", "a TorchScript archive");
    }
}

#[test]
fn only_what_torch_save_wrote_is_read() {
    let pickle = state(|p| p.tensor(0, 0, &[0], &[1]));
    refused(pickle.clone(), CORRUPT, "not one written by torch.save");
    let mut other = legacy_head(true);
    let protocol = other
        .windows(8)
        .position(|bytes| bytes == 1001_i64.to_le_bytes());
    other[protocol.unwrap()] ^= 1;
    refused(other, CORRUPT, "its protocol is not torch.save's");
    refused(b"".to_vec(), CORRUPT, "ends in the middle");

    let big = [
        ZipEntry::new("archive/data.pkl", pickle.clone()),
        ZipEntry::new("archive/byteorder", "big"),
    ];
    refused(zip(&big), "pickle_refused", "are not little-endian");
    let big = [legacy_head(false), pickle].concat();
    refused(big, "pickle_refused", "are not little-endian");
}
