//! Variants of valid checkpoints: dicts, objects next to them, number types, views.

use safetensors::tensor::Dtype;
use tesserae::weights::pickle::{self, Entry};

use crate::assemble::{Pickle, checkpoint, floats, legacy, legacy_head, state};

const SIX: [f32; 6] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];

/// The contents of a checkpoint with this pickle and one storage of six numbers.
fn read(pickle: Pickle) -> Vec<Entry> {
    let read = pickle::read(&checkpoint(pickle.stop(), &[("0", &floats(&SIX))]));
    read.unwrap().entries
}

fn names(pickle: Pickle) -> Vec<String> {
    read(pickle).into_iter().map(|entry| entry.name).collect()
}

/// Sets a tensor of all six numbers under a name.
fn set(pickle: Pickle, name: &str) -> Pickle {
    pickle.text(name).tensor(6, 0, &[6], &[1]).raw(b"s")
}

/// Sets a dict with one tensor under a name.
fn nest(pickle: Pickle, name: &str, tensor: &str) -> Pickle {
    set(pickle.text(name).raw(b"}"), tensor).raw(b"s")
}

#[test]
fn a_view_is_found_where_it_lies() {
    let pickle = state(|p| p.tensor(6, 1, &[2, 2], &[1, 3]));
    let data = floats(&SIX);
    for file in [
        checkpoint(pickle.clone(), &[("0", &data)]),
        legacy(&pickle, &[("0", 6, &data)]),
    ] {
        let entries = pickle::read(&file).unwrap().entries;
        let [entry] = entries.as_slice() else {
            panic!("{entries:?}");
        };
        assert_eq!(entry.name, "w");
        assert_eq!((&*entry.shape, &*entry.strides), (&[2, 2][..], &[1, 3][..]));
        assert_eq!(entry.dtype, Dtype::F32);
        let place = file.windows(data.len()).position(|bytes| bytes == data);
        assert_eq!(entry.start, place.unwrap() as u64 + 4);
        assert!(!entry.is_contiguous());
        assert_eq!(entry.bytes(&file).unwrap(), floats(&[1.0, 4.0, 2.0, 5.0]));
    }
}

#[test]
fn views_of_every_rank_are_put_in_order() {
    type Case = (i64, &'static [i64], &'static [i64], &'static [f32]);
    let cases: [Case; 6] = [
        (5, &[], &[], &[5.0]),
        (0, &[3, 2], &[2, 1], &SIX),
        (0, &[2, 3], &[1, 2], &[0.0, 2.0, 4.0, 1.0, 3.0, 5.0]),
        (1, &[1, 3, 1], &[77, 2, 99], &[1.0, 3.0, 5.0]),
        (
            0,
            &[1, 2, 3, 1, 1, 1, 1, 1],
            &[6, 3, 1, 1, 1, 1, 1, 1],
            &SIX,
        ),
        (6, &[3, 0], &[0, 1], &[]),
    ];
    for (offset, shape, strides, expected) in cases {
        let pickle = state(|p| p.tensor(6, offset, shape, strides));
        let file = checkpoint(pickle, &[("0", &floats(&SIX))]);
        let entry = &pickle::read(&file).unwrap().entries[0];
        assert_eq!(entry.bytes(&file).unwrap(), floats(expected), "{shape:?}");
    }
}

#[test]
fn the_state_dict_is_found() {
    let new = || Pickle::new().raw(b"}");
    assert_eq!(names(set(set(new(), "b"), "a")), ["b", "a"]);
    let several = nest(
        nest(nest(new(), "ema", "e"), "model", "m"),
        "state_dict",
        "s",
    );
    // As in LlamaGen's own script.
    assert_eq!(names(several), ["e"]);
    assert_eq!(names(nest(nest(new(), "ema", "e"), "model", "m")), ["e"]);
    assert_eq!(
        names(nest(nest(new(), "model", "m"), "state_dict", "s")),
        ["s"]
    );
    assert_eq!(names(nest(nest(new(), "other", "o"), "module", "m")), ["m"]);
    // `model` contains no tensors, so the top level is used.
    let own = set(new().text("model").raw(b"}s"), "w");
    assert_eq!(names(own), ["w"]);
    assert_eq!(names(nest(new(), "vqvae", "v")), ["v"]);
    // An optimizer's state is nested deeper, keyed by number.
    let state = new()
        .text("optimizer")
        .raw(b"}")
        .text("state")
        .raw(b"}K\x00}");
    let state = set(state, "exp_avg").raw(b"sss");
    assert_eq!(names(nest(state, "model", "m")), ["m"]);
}

#[test]
fn the_dict_with_the_autoencoder_is_taken_whatever_its_key() {
    const ENCODER: &str = "encoder.down.0.block.0.conv1.weight";
    let new = || Pickle::new().raw(b"}");
    let found = |pickle: Pickle| {
        let read = pickle::read(&checkpoint(pickle.stop(), &[("0", &floats(&SIX))])).unwrap();
        (read.taken, read.passed_over)
    };
    // `ema` may be an average of something else.
    let pickle = nest(nest(new(), "ema", "w"), "model", ENCODER);
    assert_eq!(found(pickle), ("model".to_owned(), vec![]));
    for key in [
        "params_ema",
        "ema_state_dict",
        "state_dict_ema",
        "generator",
        "mine",
    ] {
        let pickle = nest(nest(new(), "discriminator", "main.0.weight"), key, ENCODER);
        assert_eq!(found(pickle), (key.to_owned(), vec![]));
    }
    let pickle = nest(nest(new(), "params", ENCODER), "params_ema", ENCODER);
    let both = ("params_ema".to_owned(), vec!["params".to_owned()]);
    assert_eq!(found(pickle), both);
    let deep = nest(new().text("state_dict").raw(b"}"), "generator", ENCODER).raw(b"s");
    assert_eq!(found(deep), ("state_dict.generator".to_owned(), vec![]));
}

#[test]
fn no_state_dict_is_an_error_of_its_own() {
    let refuse = |pickle: Pickle, words: &str| {
        let error = pickle::read(&checkpoint(pickle.stop(), &[])).unwrap_err();
        assert_eq!(error.code(), "weights_corrupt");
        assert!(error.to_string().contains(words), "{error}");
    };
    let new = || Pickle::new().raw(b"}");
    refuse(new(), "it contains no named tensors");
    refuse(new().text("w").raw(b"Ns"), "it contains no named tensors");
    refuse(Pickle::new().raw(b"]"), "it contains a list instead");
    refuse(
        Pickle::new().tensor(6, 0, &[6], &[1]),
        "it contains a tensor instead",
    );
    refuse(
        nest(nest(new(), "g", "a"), "d", "a"),
        "tensors under `g` and `d`",
    );
    refuse(set(set(new(), "w"), "w"), "it contains `w` twice");
}

#[test]
fn objects_beside_the_state_dict_do_no_harm() {
    let object = |p: Pickle, class: &str| p.global(class).raw(b")\x81}").text("a").raw(b"K\x01sb");
    let mut pickle = Pickle::new().raw(b"}");
    let classes = [
        "pytorch_lightning.utilities.parsing.AttributeDict",
        "lightning.fabric.utilities.data.AttributeDict",
        "omegaconf.dictconfig.DictConfig",
        "argparse.Namespace",
        "torch.optim.lr_scheduler.LambdaLR",
        "collections.Counter",
        "types.SimpleNamespace",
    ];
    for class in classes {
        pickle = object(pickle.text(class), class).raw(b"s");
    }
    // A dict of an unknown class accepts entries; a class used as a key is only named.
    let dict = pickle
        .text("hyper_parameters")
        .global(classes[0])
        .raw(b")\x81(");
    let dict = dict.text("lr").raw(b"G\0\0\0\0\0\0\0\0u").raw(b"s");
    let callbacks = dict.text("callbacks").raw(b"}").global("main.ImageLogger");
    let scalar = callbacks
        .raw(b"}ss")
        .text("best")
        .global("numpy.core.multiarray.scalar");
    let scalar = scalar
        .global("numpy.dtype")
        .text("f8")
        .raw(b"\x85R")
        .raw(b"C\x010\x86Rs");
    let path = scalar
        .text("path")
        .global("pathlib.PosixPath")
        .text("a")
        .raw(b"\x85Rs");
    let set = path
        .text("set")
        .global("builtins.set")
        .raw(b"](K\x01e\x85Rs");
    let size = set.text("type").global("_operator.getitem").raw(b"(");
    let size = size.global("typing.List").global("typing.Any").raw(b"tRs");
    let bytes = size
        .text("bytes")
        .global("_codecs.encode")
        .text("a")
        .text("latin1");
    let new = bytes.raw(b"\x86Rs").text("new").raw(b"\x8f(K\x01\x90s");
    assert_eq!(names(nest(new, "state_dict", "s")), ["s"]);
}

#[test]
fn parameters_and_ordered_dicts_are_what_they_hold() {
    let ordered = || Pickle::new().global("collections.OrderedDict").raw(b")R");
    // The attribute that `state_dict()` adds, by BUILD.
    let with = set(ordered(), "w").raw(b"}").text("_metadata").raw(b"}sb");
    assert_eq!(names(with), ["w"]);
    // An old one is created from a list of pairs.
    let list = Pickle::new().global("collections.OrderedDict").raw(b"]](");
    let list = list.text("w").tensor(6, 0, &[6], &[1]).raw(b"ea\x85R");
    assert_eq!(names(list), ["w"]);

    for class in [
        "torch._utils._rebuild_parameter",
        "torch.nn.parameter.Parameter",
    ] {
        let parameter = Pickle::new().raw(b"}").text("w").global(class).raw(b"(");
        let parameter = parameter.tensor(6, 0, &[6], &[1]).raw([0x88]);
        let parameter = parameter.global("collections.OrderedDict").raw(b")RtRs");
        assert_eq!(names(parameter), ["w"], "{class}");
    }
    let kept = Pickle::new()
        .raw(b"}")
        .text("w")
        .global("torch._tensor._rebuild_from_type_v2");
    let kept = kept
        .raw(b"(")
        .global("torch._utils._rebuild_tensor_v2")
        .global("torch.Tensor");
    let kept = kept
        .raw(b"(")
        .storage("torch.FloatStorage", "0", 6)
        .raw(b"K\0");
    let size = kept
        .global("torch.Size")
        .ints(&[6])
        .raw(b"\x85R")
        .ints(&[1]);
    assert_eq!(names(size.raw(b"\x89Nt}tRs")), ["w"]);
}

#[test]
fn number_types_are_told_apart() {
    let classes = [
        ("torch.FloatStorage", 4, Dtype::F32),
        ("torch.cuda.FloatStorage", 4, Dtype::F32),
        ("torch.HalfStorage", 2, Dtype::F16),
        ("torch.BFloat16Storage", 2, Dtype::BF16),
        ("torch.DoubleStorage", 8, Dtype::F64),
        ("torch.LongStorage", 8, Dtype::I64),
        ("torch.IntStorage", 4, Dtype::I32),
        ("torch.ShortStorage", 2, Dtype::I16),
        ("torch.CharStorage", 1, Dtype::I8),
        ("torch.ByteStorage", 1, Dtype::U8),
        ("torch.BoolStorage", 1, Dtype::BOOL),
        ("torch.storage.UntypedStorage", 1, Dtype::U8),
    ];
    for (class, size, dtype) in classes {
        let data: Vec<u8> = (0..3 * size).collect();
        let pickle = state(|p| p.view(class, 3, 1, &[2], &[1]));
        for file in [
            checkpoint(pickle.clone(), &[("0", &data)]),
            legacy(&pickle, &[("0", 3, &data)]),
        ] {
            let entry = &pickle::read(&file).unwrap().entries[0];
            assert_eq!(entry.dtype, dtype, "{class}");
            assert_eq!(entry.bytes(&file).unwrap(), data[usize::from(size)..]);
        }
    }
    // The third version stores the type separately from the storage, which consists of bytes.
    let third = state(|p| {
        let args = p.global("torch._utils._rebuild_tensor_v3").raw(b"(");
        let args = args.storage("torch.storage.UntypedStorage", "0", 24).int(4);
        let args = args.ints(&[2]).ints(&[1]).raw(b"\x89N");
        args.global("torch.float32").raw(b"tR")
    });
    let file = checkpoint(third, &[("0", &floats(&SIX))]);
    let entry = &pickle::read(&file).unwrap().entries[0];
    assert_eq!(entry.dtype, Dtype::F32);
    assert_eq!(entry.bytes(&file).unwrap(), floats(&SIX[4..]));
    // Quantised tensors are not supported, nor are ones with the negation flag.
    let pickle = Pickle::new().raw(b"}").text("q");
    let pickle = pickle.global("torch._utils._rebuild_qtensor").raw(b"(");
    let pickle = pickle.storage("torch.QInt8Storage", "1", 6).raw(b"tRs");
    let pickle = pickle.text("n").global("torch._utils._rebuild_tensor_v2");
    let pickle = pickle
        .raw(b"(")
        .storage("torch.ByteStorage", "2", 6)
        .raw(b"K\0))\x89N}");
    let pickle = set(pickle.text("neg").raw(b"\x88stRs"), "w");
    assert_eq!(names(pickle), ["w"]);
}

#[test]
fn storages_follow_each_other_in_the_older_form() {
    let part = |p: Pickle, name: &str, class: &str, key: &str, elements: i64| {
        let args = p
            .text(name)
            .global("torch._utils._rebuild_tensor")
            .raw(b"(");
        let args = args.storage(class, key, elements).int(0);
        args.ints(&[elements]).ints(&[1]).raw(b"tRs")
    };
    let pickle = part(Pickle::new().raw(b"}"), "a", "torch.FloatStorage", "94", 2);
    let pickle = part(pickle, "b", "torch.HalfStorage", "12", 3);
    // Of an unsupported type, so it is skipped.
    let pickle = part(pickle, "c", "torch.ComplexDoubleStorage", "13", 1);
    let (a, b) = (floats(&[7.0, 8.0]), [1, 2, 3, 4, 5, 6]);
    let file = legacy(
        &pickle.stop(),
        &[("12", 3, &b), ("13", 1, &[9; 16]), ("94", 2, &a)],
    );
    let entries = pickle::read(&file).unwrap().entries;
    let bytes: Vec<_> = entries.iter().map(|e| e.bytes(&file).unwrap()).collect();
    assert_eq!(bytes, [a, b.to_vec()]);
}

#[test]
fn every_protocol_is_read() {
    // Each file contains `{"w": tensor}` with the name and the tensor's numbers encoded in that
    // protocol's way.
    let tensor = |p: Pickle| {
        let args = p.global("torch._utils._rebuild_tensor_v2").raw(b"(");
        args.storage("torch.FloatStorage", "0", 6)
    };
    let spellings: [(&[u8], &[u8]); 5] = [
        (b"(dS'w'\n", b"I0\n(I2\nL3L\nt(I3\nI1\ntI00\n(dtR"),
        (
            b"\x80\x01}U\x01w",
            b"K\0(K\x02M\x03\0t(J\x03\0\0\0K\x01tNNtR",
        ),
        (
            b"\x80\x02}Vw\n",
            b"K\0K\x02K\x03\x86K\x03\x8a\x01\x01\x86\x89NtR",
        ),
        (
            b"\x80\x04\x95\0\0\0\0\0\0\0\0}\x8c\x01w\x94",
            b"\x8a\0K\x02K\x03\x86\x94K\x03K\x01\x86\x89NtR",
        ),
        (
            b"\x80\x05}\x8d\x01\0\0\0\0\0\0\0w",
            b"K\0K\x02K\x03\x86K\x03\x8b\x01\0\0\0\x01\x86\x89NtR",
        ),
    ];
    for (name, numbers) in spellings {
        let pickle = tensor(Pickle(name.to_vec())).raw(numbers).raw(b"s");
        let entries = read(pickle);
        assert_eq!(entries[0].name, "w");
        assert_eq!(
            (&*entries[0].shape, &*entries[0].strides),
            (&[2, 3][..], &[3, 1][..])
        );
    }
}

#[test]
fn checkpoints_are_known_by_their_first_bytes() {
    let pickle = state(|p| p.tensor(0, 0, &[0], &[1]));
    for file in [checkpoint(pickle.clone(), &[]), legacy_head(true), pickle] {
        assert!(pickle::is_pickle(&file[..9]));
        assert!(pickle::is_pickle(&file));
    }
    // A safetensors file whose header is 640 bytes long.
    for other in [
        &b"\x80\x02\0\0\0\0\0\0{"[..],
        b"",
        b"P",
        b"\x80",
        b"\x89PNG\r\n\x1a\n",
    ] {
        assert!(!pickle::is_pickle(other), "{other:?}");
    }
}
