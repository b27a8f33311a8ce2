use std::collections::HashMap;

use super::entry::{Checkpoint, Entry};
use super::faults::{corrupt, refused};
use super::machine::Machine;
use super::value::{Arena, Id, Value};
use super::{limits, state};
use crate::error::{Result, shown};
use crate::weights::Source;

/// First pickle in files from before PyTorch 1.6: this number, little-endian.
pub const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
/// Second pickle.
const PROTOCOL: i64 = 1001;

/// Reads the `torch.save` format from before PyTorch 1.6: five pickles (magic number, protocol,
/// system info, object, storage keys), then each storage as its element count in 8 bytes and its
/// elements.
///
/// Source: `_legacy_save` and `_legacy_load` in `torch/serialization.py`.
pub fn read(source: &dyn Source) -> Result<Checkpoint> {
    let length = source.len().min(limits::PICKLE_BYTES as u64);
    let bytes = source.read(0, length as usize)?;
    let mut machine = Machine::new(&bytes, length < source.len());
    let magic = machine.run()?;
    if !matches!(machine.arena.get(magic), Value::Long(number) if *number == MAGIC) {
        return Err(corrupt("it is a pickle, but not one written by torch.save"));
    }
    let protocol = machine.run()?;
    if !matches!(machine.arena.get(protocol), Value::Int(PROTOCOL)) {
        return Err(corrupt("its protocol is not torch.save's"));
    }
    let system = machine.run()?;
    if !is_little_endian(&machine.arena, system) {
        return Err(refused("its numbers are not little-endian"));
    }
    let top = machine.run()?;
    let keys = machine.run()?;
    let starts = storages(source, &machine.arena, keys, machine.position() as u64)?;
    let dict = state::find(&machine.arena, top)?;
    let entries = dict
        .tensors
        .iter()
        .map(|&(name, tensor)| match starts.get(tensor.storage.key) {
            Some(start) => Entry::new(name, tensor, *start, tensor.storage.bytes),
            None => Err(corrupt(format!(
                "the storage of {} is missing",
                shown(name)
            ))),
        });
    Ok(Checkpoint {
        entries: entries.collect::<Result<_>>()?,
        taken: dict.path,
        passed_over: dict.others,
    })
}

/// Where each storage's elements begin; the first storage is at `at`.
fn storages<'a>(
    source: &dyn Source,
    arena: &Arena<'a>,
    keys: Id,
    mut at: u64,
) -> Result<HashMap<&'a str, u64>> {
    let mut starts = HashMap::new();
    let Some(keys) = arena.items(keys) else {
        return Err(corrupt("it has no list of storages"));
    };
    for key in keys {
        let storage = arena.text(*key).and_then(|key| arena.storage(key));
        let Some(storage) = storage else {
            return Err(corrupt("its list of storages has one that no tensor uses"));
        };
        let short = || corrupt(format!("its storage {} is cut short", shown(storage.key)));
        let count = source.read(at, 8).map_err(|_| short())?;
        let count = count.first_chunk().map(|count| i64::from_le_bytes(*count));
        if count.and_then(|count| u64::try_from(count).ok()) != Some(storage.elements) {
            return Err(corrupt(format!(
                "its storage {} is not as long as its pickle says",
                shown(storage.key)
            )));
        }
        let start = at.checked_add(8).ok_or_else(short)?;
        at = start.checked_add(storage.bytes).ok_or_else(short)?;
        if at > source.len() {
            return Err(short());
        }
        if starts.insert(storage.key, start).is_some() {
            return Err(corrupt("its list of storages names one twice"));
        }
    }
    Ok(starts)
}

/// Byte order of the machine that wrote the file, from the third pickle, a dict.
fn is_little_endian(arena: &Arena, system: Id) -> bool {
    let Value::Dict(entries) = arena.get(system) else {
        return false;
    };
    let order = entries
        .iter()
        .find(|(key, _)| arena.text(*key) == Some("little_endian"));
    matches!(
        order.map(|(_, value)| arena.get(*value)),
        Some(Value::Bool(true))
    )
}
