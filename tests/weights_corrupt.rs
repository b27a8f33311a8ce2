//! Weight files that are no safetensors files, or damaged ones: none loads, none does harm.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod support;

use burn::tensor::Device;
use support::{TINY, code};
use tesserae::Result;
use tesserae::weights::{self, Loaded};

fn load(bytes: impl Into<Vec<u8>>) -> Result<Loaded> {
    weights::load(bytes.into(), &Device::flex())
}

/// A file of a header and some data, whatever they are.
fn raw(header: &[u8], data: &[u8]) -> Vec<u8> {
    let length = (header.len() as u64).to_le_bytes();
    [&length, header, data].concat()
}

/// The header of the tiny model as JSON, and its data.
fn header() -> (serde_json::Value, &'static [u8]) {
    let length = u64::from_le_bytes(TINY[..8].try_into().unwrap()) as usize;
    let json = serde_json::from_slice(&TINY[8..8 + length]).unwrap();
    (json, &TINY[8 + length..])
}

#[test]
fn what_is_no_safetensors_file_is_corrupt() {
    let files: [&[u8]; 7] = [
        b"",
        b"\0",
        b"Just some words that somebody wrote down, with no tensors in them.\n",
        b"<!DOCTYPE html><html><head><title>404 Not Found</title></head></html>",
        b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0archive/data.pkl and what follows it",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0",
        &[0xff; 64],
    ];
    for bytes in files {
        assert_eq!(code(load(bytes)), "weights_corrupt", "{bytes:?}");
    }
}

#[test]
fn a_file_cut_short_anywhere_is_corrupt() {
    let cuts = (0..400).chain((400..TINY.len()).step_by(491));
    for cut in cuts.chain([TINY.len() - 1]) {
        assert_eq!(code(load(&TINY[..cut])), "weights_corrupt", "at {cut}");
    }
}

#[test]
fn bytes_after_the_end_are_corrupt() {
    for extra in [1, 2, 4096] {
        let bytes = [TINY, &vec![0; extra]].concat();
        assert_eq!(code(load(bytes)), "weights_corrupt", "{extra}");
    }
}

#[test]
fn a_broken_header_is_corrupt() {
    let (json, data) = header();
    // The parts are right, so that each case below is refused for its own fault.
    assert!(load(raw(json.to_string().as_bytes(), data)).is_ok());

    for length in [TINY.len() as u64, u64::from(u32::MAX), u64::MAX] {
        let bytes = [&length.to_le_bytes(), &TINY[8..]].concat();
        assert_eq!(code(load(bytes)), "weights_corrupt", "a header of {length}");
    }
    let broken: [&[u8]; 6] = [
        b"not json",
        b"",
        b"[]",
        b"{\"a\":",
        b"\xff\xfe{}",
        b"{\"a\":{\"dtype\":\"F7\",\"shape\":[1],\"data_offsets\":[0,1]}}",
    ];
    for header in broken {
        assert_eq!(
            code(load(raw(header, data))),
            "weights_corrupt",
            "{header:?}"
        );
    }
}

#[test]
fn ranges_that_are_not_the_data_are_corrupt() {
    let (json, data) = header();
    let name = "decoder.conv_in.weight";
    let [start, end]: [u64; 2] =
        serde_json::from_value(json[name]["data_offsets"].clone()).unwrap();
    let faults = [
        ("overlapping the one before", start - 2, end - 2),
        ("with a gap before", start + 2, end + 2),
        ("backwards", end, start),
        ("too long for its shape", start, end + 2),
        ("past the file", 1 << 40, (1 << 40) + end - start),
        ("at the end of all numbers", u64::MAX - 1, u64::MAX),
    ];
    for (fault, start, end) in faults {
        let mut json = json.clone();
        json[name]["data_offsets"] = serde_json::json!([start, end]);
        let bytes = raw(json.to_string().as_bytes(), data);
        assert_eq!(code(load(bytes)), "weights_corrupt", "a range {fault}");
    }
    let mut json = json;
    json[name]["shape"] = serde_json::json!([u64::MAX, u64::MAX, 3, 3]);
    let bytes = raw(json.to_string().as_bytes(), data);
    assert_eq!(
        code(load(bytes)),
        "weights_corrupt",
        "a shape that overflows"
    );
}
