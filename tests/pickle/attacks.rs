//! Malicious checkpoints: each is rejected for its own reason.

use tesserae::weights::pickle;

use crate::assemble::{Pickle, ZipEntry, checkpoint, floats, legacy, state, zip};
use crate::refused;

/// A checkpoint with this pickle and no storages.
fn alone(pickle: Pickle) -> Vec<u8> {
    checkpoint(pickle.stop(), &[])
}

const REFUSED: &str = "pickle_refused";

#[test]
fn a_function_is_never_called() {
    let functions = [
        "os.system",
        "posix.system",
        "nt.system",
        "builtins.eval",
        "builtins.exec",
        "builtins.getattr",
        "builtins.__import__",
        "__builtin__.eval",
        "subprocess.Popen",
        "subprocess.check_output",
        "runpy._run_code",
        "pty.spawn",
        "socket.socket",
        "shutil.rmtree",
        "webbrowser.open",
        "importlib.import_module",
        "functools.partial",
        "operator.methodcaller",
        "_operator.getitem",
        "types.CodeType",
        "pickle.loads",
        "torch.load",
        "torch.hub.load",
        "torch.storage._load_from_bytes",
        "torch.utils.cpp_extension.load",
        "numpy.load",
        "numpy.testing._private.utils.runstring",
        "collections.namedtuple",
        "pytorch_lightning.main",
        "torchvision.Model",
        "__main__.Model",
    ];
    for function in functions {
        let words = format!("its pickle would call `{function}`");
        let named = Pickle::new().global(function);
        let (module, name) = function.rsplit_once('.').unwrap();
        let calls = [
            // REDUCE, NEWOBJ, NEWOBJ_EX, OBJ, INST, and REDUCE of STACK_GLOBAL.
            named.clone().text("id").raw([0x85]).raw(b"R"),
            named.clone().raw(b")\x81"),
            named.raw(b")}\x92"),
            Pickle::new()
                .raw(b"(")
                .global(function)
                .text("id")
                .raw(b"o"),
            Pickle::new()
                .raw(b"(")
                .text("id")
                .raw(format!("i{module}\n{name}\n")),
            Pickle::new().text(module).text(name).raw(b"\x93)R"),
        ];
        for call in calls {
            refused(alone(call.clone()), REFUSED, &words);
            refused(legacy(&call.stop(), &[]), REFUSED, &words);
        }
    }
}

#[test]
fn a_function_is_not_called_by_way_of_another() {
    let system = "`os.system`";
    let made = Pickle::new().global("copyreg._reconstructor").raw(b"(");
    let made = made
        .global("os.system")
        .global("builtins.object")
        .raw(b"NtR");
    refused(alone(made), REFUSED, system);

    let rebuilt = Pickle::new().global("torch._tensor._rebuild_from_type_v2");
    let rebuilt = rebuilt.raw(b"(").global("os.system").global("torch.Tensor");
    refused(alone(rebuilt.text("id").raw(b"\x85}tR")), REFUSED, system);

    // Through a dot in an allowed prefix, and by replacing a class.
    for name in ["hub.os.System", "Tensor.os.system"] {
        let dotted = Pickle::new().text("torch").text(name).raw(b"\x93)R");
        refused(alone(dotted), REFUSED, &format!("`torch.{name}`"));
    }
    let changed = Pickle::new().global("os.environ").raw(b"}b");
    refused(alone(changed), REFUSED, "would change `os.environ`");
    let object = Pickle::new().global("argparse.Namespace").raw(b")R)R");
    refused(alone(object), REFUSED, "call an object that it created");
    for registered in [&b"\x82\x01"[..], b"\x83\x01\x00", b"\x84\x01\x00\x00\x00"] {
        refused(alone(Pickle::new().raw(registered)), REFUSED, "registry");
    }

    // In the middle of an otherwise valid state dict.
    let good = |pickle: Pickle| pickle.tensor(1, 0, &[1], &[1]);
    let file = |pickle| checkpoint(pickle, &[("0", &floats(&[1.0]))]);
    assert_eq!(pickle::read(&file(state(good))).unwrap().entries.len(), 1);
    let hidden = state(|p| good(p).raw(b"s").text("x").global("os.system").raw(b")R"));
    refused(file(hidden), REFUSED, system);
}

#[test]
fn references_that_would_unfold_are_a_bomb() {
    let words = "expands to more than 16777216 values";
    let mut tuples = Pickle::new().raw(b")");
    let mut lists = Pickle::new().raw(b"]");
    for index in 0..100 {
        tuples = tuples.raw([b'q', index, b'h', index, 0x86]);
        lists = lists.raw([
            b'q', index, b'0', b']', b'(', b'h', index, b'h', index, b'e',
        ]);
    }
    refused(alone(tuples), REFUSED, words);
    refused(alone(lists), REFUSED, words);
    // Nested by reference: a dict of ten times a dict of ten, and so on.
    let mut wide = Pickle::new().raw(b"}");
    for index in 0..10 {
        wide = wide.raw([b'q', index, b'0', b'}', b'(']);
        for key in 0..10 {
            wide = wide.raw([b'K', key, b'h', index]);
        }
        wide = wide.raw(b"u");
    }
    refused(alone(wide), REFUSED, words);
}

#[test]
fn each_limit_has_its_own_words() {
    let million = 1 << 20;
    let opcodes = "more than 4194304 opcodes";
    let values = "creates more than 1048576 values";
    let stack = "stacks more than 262144 values";
    let levels = "nests deeper than 128 levels";
    let attacks: [(&[u8], usize, &[u8], &str); 11] = [
        (b"", 4 * million, b"(1", opcodes),
        (b"", million + 1, b"N0", values),
        (b"", million + 1, b"ca\nb\n0", values),
        (b"", million / 2 + 1, b"]Na0", values),
        (b"", million / 2 + 1, b"N\x850", values),
        (b"", million / 4 + 1, b"N", stack),
        (b")", million / 4 + 1, b"2", stack),
        (b")", million, b"\x85", levels),
        (b"]", million / 2, b"2a", "expands to more than"),
        (b"", million, b"(", levels),
        (b"}", million / 8, b"(NN", levels),
    ];
    for (start, count, repeated, words) in attacks {
        let attack = || Pickle::new().raw(start).times(count, repeated);
        refused(alone(attack()), REFUSED, words);
        refused(legacy(&attack().stop(), &[]), REFUSED, words);
    }
    let lists = Pickle::new().times(200_000, "]").times(199_999, "a");
    refused(alone(lists), REFUSED, levels);

    let mut kept = Pickle::new().raw(b"N");
    for index in 0..=million as u32 {
        kept = kept.raw(b"r").raw(index.to_le_bytes());
    }
    let words = "memoizes more than 1048576 values";
    refused(alone(kept), REFUSED, words);
    for far in [
        "Nr\u{0}\u{0}\u{10}\u{0}",
        "Np1048576\n",
        "Np18446744073709551615\n",
    ] {
        refused(alone(Pickle::new().raw(far)), REFUSED, words);
    }

    let tensor = Pickle::new()
        .global("torch._utils._rebuild_tensor_v2")
        .raw(b"q\x00");
    let tensor = tensor
        .raw(b"(")
        .storage("torch.FloatStorage", "0", 1)
        .int(0);
    let tensor = tensor.raw(b"))tq\x01R");
    let tensors = tensor.times(1 << 16, b"h\x00h\x01R0");
    refused(alone(tensors), REFUSED, "creates more than 65536 tensors");

    let sides = [1; 9];
    let tensor = state(|p| p.tensor(1, 0, &sides, &sides));
    refused(checkpoint(tensor, &[]), REFUSED, "more than 8 dimensions");

    let long = Pickle::new().raw(b"X").raw((17_u32 << 20).to_le_bytes());
    let long = long.raw(vec![b'a'; 17 << 20]);
    refused(alone(long.clone()), REFUSED, "longer than 16 MiB");
    refused(legacy(&long.stop(), &[]), REFUSED, "longer than 16 MiB");
}

/// A large object that is created once, with opcodes that could process it again and again.
#[test]
fn nothing_large_is_gone_through_twice() {
    let named = |mut dict: Pickle, count: usize, value: &[u8]| {
        for name in 0..count {
            let name = format!("{name:07}");
            dict = dict.raw([0x8c, 7]).raw(name).raw(value).raw(b"s");
        }
        dict
    };
    // A dict stored under many names, whose entries are all set after those names.
    let dict = Pickle::new().tensor(1, 0, &[], &[]).raw(b"q\x010}}q\x000");
    let dict = named(dict, 400_000, b"h\0").raw(b"h\0");
    let dict = named(dict, 1 << 16, b"h\x01");
    let words = "the storage of `0000000` is missing";
    refused(alone(dict.clone().raw(b"0")), "weights_corrupt", words);
    let more = dict.raw(b"X\0\0\0\0h\x01s0");
    refused(alone(more), REFUSED, "contains more than 65536 tensors");

    // Dicts created from a long list, or from themselves.
    let list = Pickle::new()
        .global("collections.OrderedDict")
        .raw(b"q\0]](NNeq\x010");
    let list = list.raw(b"(").times(200_000, b"h\x01").raw(b"e\x85q\x02R0");
    let list = list.times(200_000, b"h\0h\x02R0");
    refused(alone(list), REFUSED, "contains more than 4194304 items");

    // Names that are looked up repeatedly.
    let long = "n".repeat(8 << 20);
    let class = Pickle::new()
        .text(&long)
        .raw(b"q\0")
        .times(300_000, b"h\0h\0\x930");
    refused(
        alone(class),
        REFUSED,
        "names a class in more than 512 bytes",
    );
    for (key, words) in [
        (&*long, "names a storage in more than 512 bytes"),
        (&long[..512], "creates more than 1048576 values"),
    ] {
        let key = Pickle::new().text(key).raw(b"q\0").int(1).raw(b"q\x01");
        let key = key
            .global("torch.FloatStorage")
            .raw(b"q\x02")
            .text("storage")
            .raw(b"q\x03");
        let storages = key.times(520_000, b"(h\x03h\x02h\0Nh\x01tQ0");
        refused(alone(storages), REFUSED, words);
    }
    let storage = Pickle::new()
        .raw(b"(")
        .text("storage")
        .global("torch.FloatStorage");
    let storage = storage
        .text("0")
        .raw(b"N")
        .int(1)
        .times(200_000, "N")
        .raw(b"tq\0");
    let storages = storage.times(400_000, b"h\0Q0");
    refused(
        alone(storages),
        "weights_corrupt",
        "does not name a storage",
    );
    let entry = ZipEntry::new(&long[..513], "");
    refused(zip(&[entry]), REFUSED, "a name of more than 512 bytes");
}

#[test]
fn a_tensor_may_not_be_larger_than_its_storage() {
    // A terabyte from four bytes.
    let pickle = state(|p| p.tensor(1, 0, &[1 << 19, 1 << 19], &[0, 0]));
    let file = checkpoint(pickle, &[("0", &floats(&[1.0]))]);
    refused(file, REFUSED, "`w` has more elements than its storage");
}

#[test]
fn nothing_is_unpacked() {
    let pickle = state(|p| p.tensor(1, 0, &[1], &[1]));
    for method in [8, 9, 12, 14, 93, 95, 99, 1234] {
        for name in ["archive/data.pkl", "archive/data/0", "other"] {
            let mut entries = vec![ZipEntry::new("archive/data.pkl", pickle.clone())];
            entries.retain(|entry| entry.name != name);
            let mut bomb = ZipEntry::new(name, vec![0x55; 100]);
            bomb.method = method;
            bomb.size = u32::MAX - 1;
            entries.push(bomb);
            let words = format!("its zip entry `{name}` is compressed");
            refused(zip(&entries), REFUSED, &words);
        }
    }
    // Stored uncompressed, yet with different inner and outer lengths.
    let mut bomb = ZipEntry::new("archive/data.pkl", pickle.clone());
    bomb.size = u32::MAX - 1;
    refused(zip(&[bomb]), REFUSED, "`archive/data.pkl` is compressed");
    let mut locked = ZipEntry::new("archive/data.pkl", pickle);
    locked.flags = 1;
    refused(zip(&[locked]), REFUSED, "`archive/data.pkl` is encrypted");
}

#[test]
fn entries_of_a_zip_may_not_overlap() {
    let pickle = state(|p| p.tensor(4, 0, &[4], &[1]));
    let data = ZipEntry::new("archive/data.pkl", pickle);
    let storage = ZipEntry::new("archive/data/0", floats(&[1.0; 4]));
    let good = [data.clone(), storage.clone()];
    assert_eq!(pickle::read(&zip(&good)).unwrap().entries.len(), 1);
    let mut again = ZipEntry::new("archive/data/1", floats(&[1.0; 4]));
    again.header = Some(0);
    refused(
        zip(&[data, storage, again]),
        REFUSED,
        "entries of its zip file overlap",
    );
}

#[test]
fn a_zip_may_not_have_any_number_of_entries() {
    // In zip64, whose count has 8 bytes: as many entries as fit in the file, and arbitrary numbers.
    let room = 46 * 70_000;
    for (count, words) in [
        (70_000, "more than 65536 entries"),
        (u64::MAX, "zip directory"),
    ] {
        let mut file = b"PK\x03\x04".to_vec();
        file.resize(100, 0);
        file.extend(b"PK\x01\x02".iter().cycle().take(room));
        let end = file.len() as u64;
        file.extend(b"PK\x06\x06");
        file.extend(44_u64.to_le_bytes());
        file.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for number in [count, count, room as u64, 100] {
            file.extend(number.to_le_bytes());
        }
        file.extend(b"PK\x06\x07\0\0\0\0");
        file.extend(end.to_le_bytes());
        file.extend(1_u32.to_le_bytes());
        file.extend(b"PK\x05\x06\0\0\0\0");
        file.extend([0xff; 12]);
        file.extend([0, 0]);
        let code = if count == 70_000 {
            REFUSED
        } else {
            "weights_corrupt"
        };
        refused(file, code, words);
    }
}

#[test]
fn the_search_for_a_zip_directory_ends() {
    // Thousands of end-of-directory records, each with a comment up to the end of the file.
    let mut file = b"PK\x03\x04".to_vec();
    file.resize(4 << 20, b'P');
    for _ in 0..3000 {
        let mut end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec();
        end.extend(46_u32.to_le_bytes());
        end.extend(0_u32.to_le_bytes());
        end.extend(0xf000_u16.to_le_bytes());
        file.extend(end);
    }
    file.resize(file.len() + 0xf000, 0);
    // The directory must be where its end record says.
    refused(file, "weights_corrupt", "its zip directory cannot be read");
}
