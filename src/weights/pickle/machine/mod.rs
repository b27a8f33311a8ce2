mod arguments;
mod op;
mod step;

use super::cursor::Cursor;
use super::value::{Arena, Id, Value};
use super::{corrupt, limits, refused};
use crate::error::{Error, Result};

/// Pickle's stack machine. It makes values of the [`Arena`] and nothing else: where Python would
/// import or call, [`build`](super::build) decides what the value stands for.
///
/// Source: `pickletools.py` of CPython, which documents each opcode and its effect on the stack.
#[derive(Debug)]
pub struct Machine<'a> {
    /// What the pickles that were run have made.
    pub arena: Arena<'a>,
    cursor: Cursor<'a>,
    stack: Vec<Id>,
    /// Heights of the stack where a mark lies.
    marks: Vec<usize>,
    memo: Vec<Option<Id>>,
    opcodes: usize,
}

impl<'a> Machine<'a> {
    /// Starts at the first of `bytes`. `clipped` says that the file goes on past the limit.
    pub fn new(bytes: &'a [u8], clipped: bool) -> Self {
        Self {
            arena: Arena::default(),
            cursor: Cursor::new(bytes, clipped),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Vec::new(),
            opcodes: 0,
        }
    }

    /// Where the pickle that was run last ended.
    pub fn position(&self) -> usize {
        self.cursor.position()
    }

    /// Runs one pickle to its end and returns what it comes to.
    ///
    /// # Errors
    /// [`Error::PickleRefused`] past a limit or where code would run, [`Error::WeightsCorrupt`] for
    /// what is no pickle.
    pub fn run(&mut self) -> Result<Id> {
        self.stack.clear();
        self.marks.clear();
        self.memo.clear();
        loop {
            let opcode = self.cursor.byte()?;
            self.opcodes += 1;
            if self.opcodes > limits::OPCODES {
                return Err(refused(format!(
                    "its pickle has more than {} opcodes",
                    limits::OPCODES
                )));
            }
            if opcode == op::STOP {
                return self.pop();
            }
            self.step(opcode)?;
        }
    }

    fn make(&mut self, value: Value<'a>) -> Result<()> {
        let id = self.arena.add(value)?;
        self.push(id)
    }

    fn push(&mut self, id: Id) -> Result<()> {
        if self.stack.len() == limits::STACK {
            return Err(refused(format!(
                "its pickle stacks more than {} values",
                limits::STACK
            )));
        }
        self.stack.push(id);
        Ok(())
    }

    fn mark(&mut self) -> Result<()> {
        if self.marks.len() == limits::LEVELS as usize {
            return Err(refused(format!(
                "its pickle nests deeper than {} levels",
                limits::LEVELS
            )));
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    /// Height of the stack under which nothing may be taken.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Id> {
        let [value] = self.several()?;
        Ok(value)
    }

    /// The last `N` values, taken off the stack.
    fn several<const N: usize>(&mut self) -> Result<[Id; N]> {
        match self.stack[self.floor()..].last_chunk() {
            Some(values) => {
                let values = *values;
                self.stack.truncate(self.stack.len() - N);
                Ok(values)
            }
            None => Err(underflow()),
        }
    }

    fn top(&self) -> Result<Id> {
        let above = &self.stack[self.floor()..];
        above.last().copied().ok_or_else(underflow)
    }

    /// POP takes a mark off where nothing lies on it.
    fn discard(&mut self) -> Result<()> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(drop)
    }

    /// The values above the last mark, taken off the stack with it.
    fn above_mark(&mut self) -> Result<Vec<Id>> {
        match self.marks.pop() {
            Some(height) => Ok(self.stack.split_off(height)),
            None => Err(corrupt("its pickle looks for a mark that is not there")),
        }
    }

    fn tuple<const N: usize>(&mut self) -> Result<()> {
        let items = self.several::<N>()?;
        self.make(Value::Tuple(items.into()))
    }

    /// Python's pickler counts the places up from 0.
    fn keep(&mut self, index: usize) -> Result<()> {
        let top = self.top()?;
        if index >= limits::MEMO {
            return Err(refused(format!(
                "its pickle keeps more than {} values",
                limits::MEMO
            )));
        }
        if index >= self.memo.len() {
            self.memo.resize(index + 1, None);
        }
        self.memo[index] = Some(top);
        Ok(())
    }
}

fn underflow() -> Error {
    corrupt("its pickle takes a value from an empty stack")
}
