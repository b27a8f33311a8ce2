use std::collections::HashMap;

use safetensors::tensor::Dtype;

use super::{corrupt, limits, refused};
use crate::error::Result;

/// A value of an [`Arena`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id(u32);

/// What a pickle makes, as far as tensors and their names need it.
#[derive(Debug)]
pub enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// An integer of more than 8 bytes: two's complement, little-endian.
    Long(&'a [u8]),
    Text(&'a str),
    Tuple(Box<[Id]>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Box<Global<'a>>),
    Storage(Box<Storage<'a>>),
    Tensor(Box<Tensor<'a>>),
    /// A number or string that no tensor and no name is made of.
    Plain,
    /// An object or a set: that it is one is all that is known of it.
    Object,
}

/// A name that Python would import.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Global<'a> {
    pub module: &'a str,
    pub name: &'a str,
}

/// A run of bytes that tensors view.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Storage<'a> {
    pub key: &'a str,
    /// Type of its elements, where it is one that is read.
    pub dtype: Option<Dtype>,
    pub elements: u64,
    pub bytes: u64,
}

/// A view of a storage, not yet held against it.
#[derive(Debug)]
pub struct Tensor<'a> {
    pub storage: Storage<'a>,
    pub dtype: Dtype,
    /// Element of the storage that comes first.
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

/// All the values of a file's pickles. They refer to each other by number, so that values within
/// values cost no recursion, neither when they are made nor when they are dropped.
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
    /// 1 more than the deepest value within.
    levels: u32,
    /// Values within and itself, as often as they occur.
    unfolded: u32,
}

impl<'a> Arena<'a> {
    /// The value of this number.
    pub fn get(&self, id: Id) -> &Value<'a> {
        &self.nodes[id.0 as usize].value
    }

    /// Keeps a value.
    ///
    /// # Errors
    /// [`Error::PickleRefused`](crate::Error::PickleRefused) past a limit.
    pub fn add(&mut self, value: Value<'a>) -> Result<Id> {
        if self.nodes.len() == limits::VALUES {
            return Err(refused(format!(
                "its pickle makes more than {} values",
                limits::VALUES
            )));
        }
        if let Value::Tensor(_) = value {
            self.tensors += 1;
            if self.tensors > limits::TENSORS {
                return Err(refused(format!(
                    "its pickle makes more than {} tensors",
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
            // Foreign lists take items too, of which nothing is wanted.
            Value::Object => {}
            other => return Err(corrupt(format!("its pickle appends to {}", other.what()))),
        }
        Ok(())
    }

    /// Sets entries of a dict: keys and values in turn.
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

    /// A storage of this file: the same each time that its key is met.
    pub fn add_storage(&mut self, storage: Storage<'a>) -> Result<Id> {
        let held = *self.storages.entry(storage.key).or_insert(storage);
        if held != storage {
            return Err(corrupt("its pickle describes a storage in two ways"));
        }
        self.add(Value::Storage(Box::new(storage)))
    }

    /// The storage of this key.
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

    /// A size, position or count: no negative number.
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

    /// Levels of the deepest of some new items, and to how many values they come.
    fn within(&mut self, items: &[Id]) -> Result<(u32, u32)> {
        self.items += items.len();
        if self.items > limits::ITEMS {
            return Err(refused(format!(
                "its pickle holds more than {} items",
                limits::ITEMS
            )));
        }
        let nodes = items.iter().map(|item| &self.nodes[item.0 as usize]);
        Ok(nodes.fold((0, 0), |(levels, unfolded), item| {
            let unfolded = item.unfolded.saturating_add(unfolded);
            (item.levels.max(levels), unfolded)
        }))
    }

    /// Counts what `parent` is about to hold. A value that grows after another came to hold it makes
    /// that one's count too low: the counts tell a bomb early, and no walk may rely on them.
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
                "its pickle unfolds to more than {} values",
                limits::UNFOLDED
            )));
        }
        Ok(())
    }
}

impl Value<'_> {
    /// What it is, for a sentence.
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
