use std::collections::HashSet;

use super::value::{Arena, Id, Tensor, Value};
use super::{corrupt, limits, refused, shown};
use crate::error::Result;

/// Where a training script keeps the model's own parameters, the likeliest first.
const KEYS: [&str; 4] = ["state_dict", "model", "module", "ema"];

/// Tensors by name.
pub type Named<'r, 'a> = Vec<(&'a str, &'r Tensor<'a>)>;

/// The tensors of a checkpoint's state dict: what lies under one of [`KEYS`], or at the top, or in
/// the only dict of tensors one level below. What else a checkpoint holds is passed over.
///
/// # Errors
/// [`WeightsCorrupt`](crate::Error::WeightsCorrupt) where there is none, or no telling which.
pub fn tensors<'r, 'a>(arena: &'r Arena<'a>, top: Id) -> Result<Named<'r, 'a>> {
    let Value::Dict(entries) = arena.get(top) else {
        return Err(corrupt(format!(
            "it holds {} where a dict of tensors should be",
            arena.get(top).what()
        )));
    };
    for key in KEYS {
        // Of two entries of one name, the later replaced the earlier in Python.
        let mut found = entries.iter().rev();
        if let Some((_, value)) = found.find(|(found, _)| arena.text(*found) == Some(key)) {
            let tensors = named(arena, *value)?;
            if !tensors.is_empty() {
                return Ok(tensors);
            }
        }
    }
    let own = named(arena, top)?;
    if !own.is_empty() {
        return Ok(own);
    }
    // Each once, as a small file can name one large dict any number of times.
    let mut seen = HashSet::new();
    let mut only = None;
    for (key, value) in entries {
        let Some(key) = arena.text(*key) else {
            continue;
        };
        if !seen.insert(*value) {
            continue;
        }
        let tensors = named(arena, *value)?;
        match only {
            _ if tensors.is_empty() => {}
            None => only = Some((key, tensors)),
            Some((other, _)) => {
                return Err(corrupt(format!(
                    "it holds tensors under {} and {}, and neither name is a model's",
                    shown(other),
                    shown(key)
                )));
            }
        }
    }
    match only {
        Some((_, tensors)) => Ok(tensors),
        None => Err(corrupt("it holds no tensors by name")),
    }
}

/// The tensors among the values of a dict, those of nested dicts left out.
fn named<'r, 'a>(arena: &'r Arena<'a>, id: Id) -> Result<Named<'r, 'a>> {
    let Value::Dict(entries) = arena.get(id) else {
        return Ok(Vec::new());
    };
    let mut names = HashSet::new();
    let mut tensors = Vec::new();
    for (key, value) in entries {
        if let (Some(name), Value::Tensor(tensor)) = (arena.text(*key), arena.get(*value)) {
            if names.len() == limits::TENSORS {
                return Err(refused(format!(
                    "it holds more than {} tensors",
                    limits::TENSORS
                )));
            }
            if !names.insert(name) {
                return Err(corrupt(format!("it holds {} twice", shown(name))));
            }
            tensors.push((name, &**tensor));
        }
    }
    Ok(tensors)
}
