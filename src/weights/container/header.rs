use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::rc::Rc;

use safetensors::tensor::Metadata;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Stored;
use crate::error::{Error, Result};
use crate::weights::Source;

/// Longest header that is read, in bytes: a hundred times that of the largest known model, and
/// little enough to parse in a browser.
const MAX_HEADER: usize = 16 << 20;
/// Bytes that hold the header's length.
const PREFIX: usize = 8;

/// The metadata, and where each tensor lies.
pub fn read(source: &Rc<dyn Source>) -> Result<(HashMap<String, String>, Vec<(String, Stored)>)> {
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
        return Err(corrupt("it ends within its header"));
    }
    let header = source.read(PREFIX as u64, length)?;
    let header = std::str::from_utf8(&header).map_err(|_| corrupt("its header is not text"))?;
    let json = |e: serde_json::Error| Error::WeightsCorrupt(format!("its header: {e}"));
    // The format's own reader keeps one of two equal names and says nothing.
    serde_json::from_str::<DistinctKeys>(header).map_err(json)?;
    let header: Metadata = serde_json::from_str(header).map_err(json)?;
    if header.data_len() as u64 != source.len() - data {
        return Err(corrupt(
            "its data is longer or shorter than its header says",
        ));
    }
    let tensors = header
        .tensors()
        .into_iter()
        .map(|(name, info)| {
            let start = data + info.data_offsets.0 as u64;
            let shape = info.shape.clone();
            (name, Stored::new(shape, info.dtype, source.clone(), start))
        })
        .collect();
    Ok((header.metadata().clone().unwrap_or_default(), tensors))
}

/// A JSON object that has each of its keys once.
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
        f.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<DistinctKeys, A::Error> {
        let mut seen = BTreeSet::new();
        while let Some((key, IgnoredAny)) = map.next_entry::<String, _>()? {
            if let Some(twice) = seen.replace(key) {
                return Err(serde::de::Error::custom(format!(
                    "`{twice}` is there twice"
                )));
            }
        }
        Ok(DistinctKeys)
    }
}
