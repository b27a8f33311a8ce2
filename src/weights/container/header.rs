use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::rc::Rc;

use safetensors::tensor::{Dtype, Metadata};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Stored;
use crate::error::{Error, Result, one_line};
use crate::weights::Source;

/// Maximum header length in bytes: a hundred times that of the largest known model, yet cheap to
/// parse in a browser.
const MAX_HEADER: usize = 16 << 20;
/// Size in bytes of the header's length field.
const PREFIX: usize = 8;
/// Maximum name length and number of axes of a tensor: several times those of any model, and short
/// enough to display.
const MAX_NAME: usize = 512;
const MAX_SIDES: usize = 16;

/// The metadata of a file, and the location of each tensor.
type Header = (HashMap<String, String>, BTreeMap<String, Stored>);

/// Reads and checks the header.
pub fn read(source: &Rc<dyn Source>) -> Result<Header> {
    let corrupt = |what: &str| Error::WeightsCorrupt(what.to_owned());
    let too_short = || corrupt("it is shorter than a header");
    if source.len() < PREFIX as u64 {
        return Err(too_short());
    }
    let prefix = source.read(0, PREFIX)?;
    let prefix = prefix.first_chunk().ok_or_else(too_short)?;
    let length = usize::try_from(u64::from_le_bytes(*prefix))
        .ok()
        .filter(|&length| length <= MAX_HEADER)
        .ok_or_else(|| corrupt("its header is too long, or it has none"))?;
    let data = (PREFIX + length) as u64;
    if source.len() < data {
        return Err(corrupt("it ends in the middle of its header"));
    }
    let header = source.read(PREFIX as u64, length)?;
    let header =
        std::str::from_utf8(&header).map_err(|_| corrupt("its header is not UTF-8 text"))?;
    let json = |e: serde_json::Error| corrupt(&format!("its header: {}", one_line(e)));
    let too_large = |e| too_large(header, usize::MAX as u64).unwrap_or_else(|| json(e));
    // Given duplicate names, the safetensors reader silently keeps one.
    serde_json::from_str::<DistinctKeys>(header).map_err(json)?;
    let header: Metadata = serde_json::from_str(header).map_err(too_large)?;
    if header.data_len() as u64 != source.len() - data {
        return Err(corrupt(
            "its data is longer or shorter than its header says",
        ));
    }
    let tensors = header.tensors();
    for (name, info) in &tensors {
        if name.len() > MAX_NAME || info.shape.len() > MAX_SIDES {
            return Err(corrupt(
                "a tensor has too long a name or too many dimensions",
            ));
        }
        if name.contains(char::is_control) {
            return Err(corrupt("a tensor's name contains control characters"));
        }
    }
    let tensors = tensors
        .into_iter()
        .map(|(name, info)| {
            let start = data + info.data_offsets.0 as u64;
            let shape = info.shape.clone();
            (name, Stored::new(shape, info.dtype, source.clone(), start))
        })
        .collect();
    Ok((header.metadata().clone().unwrap_or_default(), tensors))
}

/// A tensor's header entry, in integers that may exceed this machine's address space.
#[derive(Deserialize)]
struct Extent {
    dtype: Option<Dtype>,
    shape: Option<Vec<u64>>,
    data_offsets: Option<(u64, u64)>,
}

/// Why the safetensors reader, which counts in machine addresses up to `most`, rejects a valid
/// header: a tensor has too many bits (512 MiB with 32-bit addresses), or the file too many bytes
/// (4 GiB). `None` for an invalid header.
fn too_large(header: &str, most: u64) -> Option<Error> {
    let extents: BTreeMap<String, Extent> = serde_json::from_str(header).ok()?;
    let extent = |extent: Extent| {
        let bits = extent.dtype?.bitsize() as u64;
        let values = extent
            .shape?
            .into_iter()
            .try_fold(1_u64, u64::checked_mul)?;
        let (start, end) = extent.data_offsets?;
        let bits = values.checked_mul(bits)?;
        (end.checked_sub(start)? == bits / 8).then_some((bits, end))
    };
    let (mut largest, mut data) = (0, 0);
    for (bits, end) in extents.into_values().filter_map(extent) {
        (largest, data) = (bits.max(largest), end.max(data));
    }
    let too_large = |needed, limit| Some(Error::ModelTooLarge { needed, limit });
    match (largest > most, data > most) {
        (true, _) => too_large(largest / 8, most / 8),
        (false, true) => too_large(data, most),
        (false, false) => None,
    }
}

/// A JSON object without duplicate keys, also in its metadata.
struct DistinctKeys;

impl<'de> Deserialize<'de> for DistinctKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Keys)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = DistinctKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<DistinctKeys, A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == "__metadata__" {
                map.next_value::<Option<DistinctKeys>>()?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            if let Some(twice) = seen.replace(key) {
                let message = format!("`{twice}` occurs twice");
                return Err(serde::de::Error::custom(message));
            }
        }
        Ok(DistinctKeys)
    }
}

#[cfg(test)]
#[path = "header_tests.rs"]
mod tests;
