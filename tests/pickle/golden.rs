//! The contents of files written by PyTorch match, by name, what PyTorch reports.

use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, SafeTensors};
use tesserae::weights::pickle::{self, Entry};

const EXPECTED: &[u8] = include_bytes!("../golden/pickle_expected.safetensors");
const ZIP: &[u8] = include_bytes!("../golden/pickle_zip.ckpt");
const LEGACY: &[u8] = include_bytes!("../golden/pickle_legacy.pt");
const MODEL: &[u8] = include_bytes!("../golden/pickle_model.bin");

fn values(entry: &Entry, file: &Vec<u8>) -> Vec<f32> {
    let bytes = entry.bytes(file).unwrap();
    let (twos, fours) = (bytes.as_chunks::<2>().0, bytes.as_chunks::<4>().0);
    match entry.dtype {
        Dtype::F32 => fours.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Dtype::F16 => twos
            .iter()
            .map(|b| half::f16::from_le_bytes(*b).into())
            .collect(),
        Dtype::BF16 => twos
            .iter()
            .map(|b| half::bf16::from_le_bytes(*b).into())
            .collect(),
        other => panic!("{} is {other:?}", entry.name),
    }
}

/// Names of the tensors that are not floating-point.
fn integers() -> Vec<String> {
    let (_, header) = SafeTensors::read_metadata(EXPECTED).unwrap();
    let metadata = header.metadata().as_ref().unwrap();
    let text = metadata
        .values()
        .find(|text| text.contains("\"integers\""))
        .unwrap();
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    serde_json::from_value(json["integers"].clone()).unwrap()
}

/// Fails unless the file contains exactly the expected tensors; returns its entries by name.
fn holds(file: &[u8]) -> BTreeMap<String, Entry> {
    let expected = SafeTensors::deserialize(EXPECTED).unwrap();
    let file = file.to_vec();
    assert!(pickle::is_pickle(&file[..16]));
    let entries = pickle::read(&file).unwrap().entries;
    let count = entries.len();
    let mut entries: BTreeMap<_, _> = entries.into_iter().map(|e| (e.name.clone(), e)).collect();
    assert_eq!(entries.len(), count, "a name twice");
    let all = entries.clone();
    for name in integers() {
        assert_eq!(entries.remove(&name).unwrap().dtype, Dtype::I64, "{name}");
    }
    for (name, view) in expected.iter() {
        let name = name.strip_prefix("param.").unwrap();
        let entry = entries.remove(name).unwrap();
        assert_eq!(entry.shape, view.shape(), "{name}");
        let chunks = view.data().as_chunks::<4>().0;
        let wanted: Vec<f32> = chunks.iter().map(|b| f32::from_le_bytes(*b)).collect();
        assert_eq!(values(&entry, &file), wanted, "{name}");
    }
    assert!(entries.is_empty(), "and {:?}", entries.keys());
    all
}

#[test]
fn a_training_checkpoint_of_mixed_precision() {
    let entries = holds(ZIP);
    assert_eq!(entries["encoder.conv_in.weight"].dtype, Dtype::F16);
    assert_eq!(entries["decoder.conv_in.weight"].dtype, Dtype::BF16);
    assert_eq!(entries["quant_conv.weight"].dtype, Dtype::F32);
    assert!(!entries["decoder.conv_out.weight"].is_contiguous());
}

#[test]
fn the_form_before_zip_with_views() {
    let entries = holds(LEGACY);
    assert!(!entries["decoder.conv_in.weight"].is_contiguous());
    // Contiguous in one storage.
    let [weight, bias] =
        ["weight", "bias"].map(|part| &entries[&format!("encoder.norm_out.{part}")]);
    assert_eq!(bias.start - weight.start, 4 * weight.shape[0] as u64);
}

#[test]
fn an_ordered_dict_of_parameters() {
    let entries = holds(MODEL);
    assert!(entries.values().all(Entry::is_contiguous));
}
