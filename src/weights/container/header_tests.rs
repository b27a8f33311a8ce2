//! Random headers: parsing must agree with what the header and the file length say.

use proptest::prelude::*;

use crate::weights::Container;

use super::*;

fn file(header: &[u8], data: usize) -> Vec<u8> {
    let length = (header.len() as u64).to_le_bytes();
    [&length, header, &vec![0; data]].concat()
}

fn open(file: Vec<u8>) -> Result<Container> {
    Container::open(Rc::new(file))
}

/// Reads every tensor: the number of values must match the shape, unless its type is unsupported.
fn read_all(container: &Container) -> Result<(), TestCaseError> {
    for name in container.names() {
        let count = container.shape(name).unwrap().iter().product::<usize>();
        match container.values(name) {
            Ok(values) => prop_assert_eq!(values.len(), count),
            Err(error) => prop_assert_eq!(error.code(), "weights_mismatch"),
        }
    }
    Ok(())
}

/// A tensor as stated in a header.
#[derive(Debug, Clone)]
struct Stated {
    name: String,
    dtype: &'static str,
    bits: u64,
    shape: Vec<u64>,
    range: [u64; 2],
}

impl Stated {
    fn json(&self) -> String {
        let Self { name, dtype, .. } = self;
        let ([start, end], shape) = (self.range, &self.shape);
        format!(
            r#""{name}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{start},{end}]}}"#
        )
    }

    /// Bytes needed for the shape, unless that overflows.
    fn size(&self) -> Option<u64> {
        let count = self.shape.iter().copied().try_fold(1, u64::checked_mul)?;
        let bits = count.checked_mul(self.bits)?;
        (bits % 8 == 0).then_some(bits / 8)
    }
}

/// The format's rules, implemented independently of the reader.
fn is_in_order(tensors: &[Stated], data: u64) -> bool {
    let names: BTreeSet<&str> = tensors.iter().map(|t| t.name.as_str()).collect();
    let mut ranges: Vec<[u64; 2]> = tensors.iter().map(|t| t.range).collect();
    ranges.sort_unstable();
    let ends = [0].into_iter().chain(ranges.iter().map(|range| range[1]));
    let starts = ranges.iter().map(|range| range[0]).chain([data]);
    names.len() == tensors.len()
        && starts.eq(ends)
        && tensors.iter().all(|t| {
            let [start, end] = t.range;
            end.checked_sub(start) == t.size() && t.size().is_some()
        })
}

/// Random tensors, mostly valid, in any order; and the number of data bytes that follow.
fn stated() -> impl Strategy<Value = (Vec<Stated>, u64)> {
    let side = prop_oneof![20 => 0..4u64, 1 => Just(1 << 31), 1 => Just(1 << 63)];
    let dtype = prop::sample::select(vec![
        ("F32", 32),
        ("F16", 16),
        ("BF16", 16),
        ("I8", 8),
        ("BOOL", 8),
        ("F64", 64),
        ("F4", 4),
    ]);
    let shape = prop::collection::vec(side, 0..4);
    let slip = prop_oneof![30 => Just((0i64, 0i64)), 1 => (-3..4i64, -3..4i64)];
    let again = prop::bool::weighted(0.03);
    let one = (dtype, shape, slip, again);
    let more = prop_oneof![9 => Just(0i64), 1 => -3..4i64];
    (prop::collection::vec(one, 0..6), more).prop_flat_map(|(tensors, more)| {
        let mut start = 0u64;
        let mut stated = Vec::new();
        for (i, ((dtype, bits), shape, slip, again)) in tensors.into_iter().enumerate() {
            let name = if again { 0 } else { i };
            let mut tensor = Stated {
                name: format!("t{name}"),
                dtype,
                bits,
                shape,
                range: [0, 0],
            };
            let end = start.saturating_add(tensor.size().unwrap_or(8).min(1 << 20));
            tensor.range = [
                start.saturating_add_signed(slip.0),
                end.saturating_add_signed(slip.1),
            ];
            stated.push(tensor);
            start = end;
        }
        let data = start.saturating_add_signed(more).min(1 << 20);
        (Just(stated).prop_shuffle(), Just(data))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10_000) })]

    #[test]
    fn a_header_is_taken_exactly_if_it_is_in_order((tensors, data) in stated()) {
        let entries: Vec<String> = tensors.iter().map(Stated::json).collect();
        let header = format!("{{{}}}", entries.join(","));
        match open(file(header.as_bytes(), data as usize)) {
            Ok(container) => {
                prop_assert!(is_in_order(&tensors, data), "{} takes {} bytes", header, data);
                prop_assert_eq!(container.names().count(), tensors.len());
                for tensor in &tensors {
                    let shape = container.shape(&tensor.name).unwrap();
                    prop_assert!(shape.iter().map(|side| *side as u64).eq(tensor.shape.iter().copied()));
                }
                read_all(&container)?;
            }
            Err(error) => {
                prop_assert_eq!(error.code(), "weights_corrupt");
                prop_assert!(!is_in_order(&tensors, data), "{}: {} for {}", error, header, data);
            }
        }
    }

    /// The same with a config of this project, where int8 tensors have scales.
    #[test]
    fn scales_are_paired_or_refused((tensors, data) in stated(), scales in prop::bool::weighted(0.7)) {
        let mut entries = vec![r#""__metadata__":{"config":"{}"}"#.to_owned()];
        for (i, tensor) in tensors.iter().enumerate() {
            let mut tensor = tensor.clone();
            if scales && i % 2 == 1 {
                tensor.name = format!("{}.scale", tensors[i - 1].name);
            }
            entries.push(tensor.json());
        }
        match open(file(format!("{{{}}}", entries.join(",")).as_bytes(), data as usize)) {
            Ok(container) => read_all(&container)?,
            Err(error) => prop_assert!(["weights_corrupt", "weights_mismatch"].contains(&error.code())),
        }
    }

    #[test]
    fn arbitrary_bytes_are_refused_or_read(
        words in prop::collection::vec(prop_oneof![
            10 => prop::sample::select(vec![
                "{", "}", "[", "]", ":", ",", "\"", "\"a\"", "\"dtype\":\"F32\",", "\"shape\":[1],", "\"shape\":[],",
                "\"data_offsets\":[0,4]", "\"__metadata__\":", "\"config\":\"\"", "0", "-1", "1e9", "\\u0061", "null", " ",
            ]).prop_map(|word| word.as_bytes().to_vec()),
            1 => prop::collection::vec(any::<u8>(), 0..8),
        ], 0..24),
        length in prop::option::weighted(0.2, any::<u64>()),
        data in 0..9usize,
    ) {
        let mut file = file(&words.concat(), data);
        if let Some(length) = length {
            file[..8].copy_from_slice(&(length >> (length % 64)).to_le_bytes());
        }
        match open(file) {
            Ok(container) => read_all(&container)?,
            Err(error) => prop_assert!(["weights_corrupt", "weights_mismatch"].contains(&error.code())),
        }
    }
}

#[test]
fn a_tensor_past_32_bits_of_addresses_is_too_large_and_not_damaged() {
    let header = |dtype: &str, shape: &str, end: u64| {
        format!(
            r#"{{"__metadata__": {{"format": "pt"}}, "w": {{"dtype": "{dtype}", "shape": {shape},
                "data_offsets": [0, {end}]}}}}"#
        )
    };
    let most = u64::from(u32::MAX);
    let told = |header: &str| too_large(header, most);
    let expected = Some(Error::ModelTooLarge {
        needed: 1 << 29,
        limit: most / 8,
    });
    assert_eq!(told(&header("F32", "[65536, 2048]", 1 << 29)), expected);
    assert_eq!(told(&header("F16", "[134217728, 2]", 1 << 29)), expected);
    assert_eq!(
        told(&header("F32", "[65536, 2047]", (1 << 29) - (1 << 18))),
        None
    );
    // Inconsistent lengths mean a damaged file, as do lengths that overflow.
    assert_eq!(told(&header("F32", "[65536, 2048]", 1 << 28)), None);
    assert_eq!(
        told(&header("F32", "[4294967296, 4294967296]", 1 << 29)),
        None
    );
    assert_eq!(told("{"), None);
}

#[test]
fn data_past_32_bits_of_addresses_is_too_large_and_not_damaged() {
    // Tensors of 256 MiB, none too large on its own.
    let header = |count: u64| {
        let tensor = |i: u64| {
            let (start, end) = (i << 28, (i + 1) << 28);
            format!(
                r#""t{i}": {{"dtype": "F32", "shape": [8192, 8192], "data_offsets": [{start}, {end}]}}"#
            )
        };
        let tensors: Vec<String> = (0..count).map(tensor).collect();
        format!("{{{}}}", tensors.join(","))
    };
    let most = u64::from(u32::MAX);
    assert_eq!(too_large(&header(15), most), None);
    let error = too_large(&header(17), most).unwrap();
    assert_eq!(error.code(), "model_too_large");
    assert!(error.to_string().contains("4352 MB"), "{error}");
    assert_eq!(too_large(&header(17), u64::MAX), None);
}
