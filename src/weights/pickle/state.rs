use std::collections::HashSet;

use super::faults::{corrupt, refused};
use super::limits;
use super::value::{Arena, Id, Tensor, Value};
use crate::error::{Result, shown};
use crate::weights::nest;

/// Nesting depth of dicts to search, from the top.
const DEPTH: usize = 3;
/// Maximum number of other models to report.
const OTHERS: usize = 8;

/// A checkpoint's state dict.
#[derive(Debug)]
pub struct StateDict<'r, 'a> {
    /// Its tensors by name.
    pub tensors: Vec<(&'a str, &'r Tensor<'a>)>,
    /// The keys that lead to it, joined with dots; empty at the top.
    pub path: String,
    /// Locations of other models.
    pub others: Vec<String>,
}

/// A dict that contains tensors.
struct Found<'a> {
    id: Id,
    keys: Keys<'a>,
    /// Whether they are an autoencoder's.
    is_model: bool,
}

/// The keys that lead to a dict, outermost first; unused ones are empty. They are joined only for
/// chosen dicts, since in a small file one long key can lead to many dicts.
type Keys<'a> = [&'a str; DEPTH - 1];

impl Found<'_> {
    fn rank(&self) -> usize {
        nest::rank(self.keys)
    }

    fn path(&self) -> String {
        let keys = self.keys.into_iter().filter(|key| !key.is_empty());
        keys.collect::<Vec<_>>().join(".")
    }
}

/// Finds a checkpoint's state dict: among the dicts that contain an autoencoder or, failing that,
/// all that contain tensors at the top and one level below, the one whose keys rank first by
/// [`nest::rank`]. Anything else is skipped.
///
/// # Errors
/// [`WeightsCorrupt`](crate::Error::WeightsCorrupt) if there is none, or the choice is ambiguous.
pub fn find<'r, 'a>(arena: &'r Arena<'a>, top: Id) -> Result<StateDict<'r, 'a>> {
    let Value::Dict(_) = arena.get(top) else {
        return Err(corrupt(format!(
            "it contains {} instead of a dict of tensors",
            arena.get(top).what()
        )));
    };
    let mut found = dicts(arena, top);
    if found.iter().any(|dict| dict.is_model) {
        found.retain(|dict| dict.is_model);
    } else {
        found.retain(|dict| dict.keys[1].is_empty());
    }
    found.sort_by_key(Found::rank);
    let mut found = found.into_iter();
    let Some(first) = found.next() else {
        return Err(corrupt("it contains no named tensors"));
    };
    let others: Vec<Found> = found.collect();
    if let Some(other) = others.first()
        && other.rank() == first.rank()
    {
        return Err(corrupt(format!(
            "it contains tensors under {} and {}, and neither name says which are a model's",
            shown(&first.path()),
            shown(&other.path())
        )));
    }
    Ok(StateDict {
        tensors: named(arena, first.id)?,
        path: first.path(),
        others: others
            .iter()
            .filter(|dict| dict.is_model)
            .take(OTHERS)
            .map(Found::path)
            .collect(),
    })
}

/// All dicts near the top that contain tensors; each once, as a small file can refer to one large
/// dict any number of times.
fn dicts<'a>(arena: &Arena<'a>, top: Id) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    let mut seen = HashSet::from([top]);
    let mut level: Vec<(Id, Keys)> = vec![(top, Keys::default())];
    for depth in 0..DEPTH {
        let mut next = Vec::new();
        for (id, keys) in level {
            let Value::Dict(entries) = arena.get(id) else {
                continue;
            };
            let short = |name: &&str| name.len() <= limits::NAME;
            let named = |(key, value): &(Id, Id)| Some((arena.text(*key).filter(short)?, *value));
            // For duplicate keys, Python keeps the last entry.
            for (key, value) in entries.iter().filter_map(named).rev() {
                if depth + 1 < DEPTH
                    && matches!(arena.get(value), Value::Dict(_))
                    && seen.insert(value)
                {
                    let mut keys = keys;
                    keys[depth] = key;
                    next.push((value, keys));
                }
            }
            let tensor = |(key, value): &(Id, Id)| {
                arena.text(*key).is_some() && matches!(arena.get(*value), Value::Tensor(_))
            };
            let mut tensors = entries.iter().filter(|entry| tensor(entry)).peekable();
            if tensors.peek().is_some() {
                let names = tensors.filter_map(named).map(|(name, _)| name);
                let is_model = nest::is_model(names.take(limits::TENSORS));
                found.push(Found { id, keys, is_model });
            }
        }
        next.reverse();
        level = next;
    }
    found
}

/// The tensors among a dict's values, excluding nested dicts.
fn named<'r, 'a>(arena: &'r Arena<'a>, id: Id) -> Result<Vec<(&'a str, &'r Tensor<'a>)>> {
    let Value::Dict(entries) = arena.get(id) else {
        return Ok(Vec::new());
    };
    let mut names = HashSet::new();
    let mut tensors = Vec::new();
    for (key, value) in entries {
        if let (Some(name), Value::Tensor(tensor)) = (arena.text(*key), arena.get(*value)) {
            if names.len() == limits::TENSORS {
                return Err(refused(format!(
                    "it contains more than {} tensors",
                    limits::TENSORS
                )));
            }
            if !names.insert(name) {
                return Err(corrupt(format!("it contains {} twice", shown(name))));
            }
            tensors.push((name, &**tensor));
        }
    }
    Ok(tensors)
}
