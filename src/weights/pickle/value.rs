use std::collections::HashMap;

use safetensors::tensor::Dtype;

use super::faults::{corrupt, refused};
use super::limits;
use crate::error::Result;

/// Id of a value in an [`Arena`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id(u32);

/// A value created by a pickle, in as much detail as tensors and their names need.
#[derive(Debug)]
pub enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// An integer longer than 8 bytes: two's complement, little-endian.
    Long(&'a [u8]),
    Text(&'a str),
    Tuple(Box<[Id]>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Box<Global<'a>>),
    Storage(Box<Storage<'a>>),
    Tensor(Box<Tensor<'a>>),
    /// A number or string that is not needed for tensors or names.
    Plain,
    /// An object or a set, of which nothing else is known.
    Object,
}

/// A name that Python would import.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Global<'a> {
    pub module: &'a str,
    pub name: &'a str,
}

/// A range of bytes that tensors view.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Storage<'a> {
    pub key: &'a str,
    /// Element type, if it is supported.
    pub dtype: Option<Dtype>,
    pub elements: u64,
    pub bytes: u64,
}

/// A view of a storage, not yet checked against it.
#[derive(Debug)]
pub struct Tensor<'a> {
    pub storage: Storage<'a>,
    pub dtype: Dtype,
    /// Index of the first element in the storage.
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

/// All values of a file's pickles. They refer to each other by id, so creating and dropping nested
/// values takes no recursion.
#[derive(Debug, Default)]
pub struct Arena<'a> {
    nodes: Vec<Node<'a>>,
    storages: HashMap<&'a str, Storage<'a>>,
    tensors: usize,
    items: usize,
}

#[derive(Debug)]
struct Node<'a> {
    value: Value<'a>,
    /// 1 + the nesting depth of the values within.
    levels: u32,
    /// Number of values within, itself included, with shared ones counted each time.
    unfolded: u32,
}

impl<'a> Arena<'a> {
    /// The value with this id.
    pub fn get(&self, id: Id) -> &Value<'a> {
        &self.nodes[id.0 as usize].value
    }

    /// Adds a value.
    ///
    /// # Errors
    /// [`Error::PickleRefused`](crate::Error::PickleRefused) past a limit.
    pub fn add(&mut self, value: Value<'a>) -> Result<Id> {
        if self.nodes.len() == limits::VALUES {
            return Err(refused(format!(
                "its pickle creates more than {} values",
                limits::VALUES
            )));
        }
        if let Value::Tensor(_) = value {
            self.tensors += 1;
            if self.tensors > limits::TENSORS {
                return Err(refused(format!(
                    "its pickle creates more than {} tensors",
                    limits::TENSORS
                )));
            }
        }
        let within = match &value {
            Value::Tuple(items) => self.within(items)?,
            _ => (0, 0),
        };
        let id = Id(self.nodes.len() as u32);
        self.nodes.push(Node {
            value,
            levels: 1,
            unfolded: 1,
        });
        self.grow(id, within)?;
        Ok(id)
    }

    /// Appends to a list.
    pub fn append(&mut self, list: Id, items: &[Id]) -> Result<()> {
        let within = self.within(items)?;
        self.grow(list, within)?;
        match &mut self.nodes[list.0 as usize].value {
            Value::List(held) => held.extend_from_slice(items),
            // Objects can take list items too; they are ignored.
            Value::Object => {}
            other => return Err(corrupt(format!("its pickle appends to {}", other.what()))),
        }
        Ok(())
    }

    /// Sets dict entries, given as alternating keys and values.
    pub fn set(&mut self, dict: Id, entries: &[Id]) -> Result<()> {
        let within = self.within(entries)?;
        self.grow(dict, within)?;
        let (pairs, rest) = entries.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(corrupt("its pickle has a key without a value"));
        }
        match &mut self.nodes[dict.0 as usize].value {
            Value::Dict(held) => held.extend(pairs.iter().map(|[key, value]| (*key, *value))),
            Value::Object => {}
            other => {
                return Err(corrupt(format!(
                    "its pickle sets an entry of {}",
                    other.what()
                )));
            }
        }
        Ok(())
    }

    /// Adds a storage of this file: its description must be the same each time its key occurs.
    pub fn add_storage(&mut self, storage: Storage<'a>) -> Result<Id> {
        let held = *self.storages.entry(storage.key).or_insert(storage);
        if held != storage {
            return Err(corrupt("its pickle describes one storage in two ways"));
        }
        self.add(Value::Storage(Box::new(storage)))
    }

    /// The storage with this key.
    pub fn storage(&self, key: &str) -> Option<&Storage<'a>> {
        self.storages.get(key)
    }

    /// Items of a tuple or list.
    pub fn items(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Value::Tuple(items) => Some(items),
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// A non-negative integer: a size, position or count.
    pub fn size(&self, id: Id) -> Option<usize> {
        match self.get(id) {
            Value::Int(value) => usize::try_from(*value).ok(),
            _ => None,
        }
    }

    /// A string.
    pub fn text(&self, id: Id) -> Option<&'a str> {
        match self.get(id) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Maximum nesting depth of some new items, and their total unfolded size.
    fn within(&mut self, items: &[Id]) -> Result<(u32, u32)> {
        self.items += items.len();
        if self.items > limits::ITEMS {
            return Err(refused(format!(
                "its pickle contains more than {} items",
                limits::ITEMS
            )));
        }
        let nodes = items.iter().map(|item| &self.nodes[item.0 as usize]);
        Ok(nodes.fold((0, 0), |(levels, unfolded), item| {
            let unfolded = item.unfolded.saturating_add(unfolded);
            (item.levels.max(levels), unfolded)
        }))
    }

    /// Updates the counts of `parent` before items are added. If a value grows after it was added
    /// to another, that one's counts are too low: the counts detect bombs early, but no traversal
    /// may rely on them.
    fn grow(&mut self, parent: Id, (levels, unfolded): (u32, u32)) -> Result<()> {
        let node = &mut self.nodes[parent.0 as usize];
        node.levels = node.levels.max(levels + 1);
        node.unfolded = node.unfolded.saturating_add(unfolded);
        if node.levels > limits::LEVELS {
            return Err(refused(format!(
                "its pickle nests deeper than {} levels",
                limits::LEVELS
            )));
        }
        if node.unfolded > limits::UNFOLDED {
            return Err(refused(format!(
                "its pickle expands to more than {} values",
                limits::UNFOLDED
            )));
        }
        Ok(())
    }
}

impl Value<'_> {
    /// What it is, for error messages.
    pub fn what(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) | Self::Int(_) | Self::Long(_) => "a number",
            Self::Text(_) => "a string",
            Self::Tuple(_) => "a tuple",
            Self::List(_) => "a list",
            Self::Dict(_) => "a dict",
            Self::Global(_) => "a class",
            Self::Storage(_) => "a storage",
            Self::Tensor(_) => "a tensor",
            Self::Plain => "a plain value",
            Self::Object => "an object",
        }
    }
}
