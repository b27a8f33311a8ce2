mod arguments;
mod op;
mod step;

use super::cursor::Cursor;
use super::faults::{corrupt, refused};
use super::limits;
use super::value::{Arena, Id, Value};
use crate::error::{Error, Result};

/// Pickle's stack machine. It only creates values in the [`Arena`]: where Python would import or
/// call something, [`build`](super::build) decides what the value represents.
///
/// Source: `pickletools.py` of CPython, which documents each opcode and its effect on the stack.
#[derive(Debug)]
pub struct Machine<'a> {
    /// The values created by the pickles so far.
    pub arena: Arena<'a>,
    cursor: Cursor<'a>,
    stack: Vec<Id>,
    /// Stack heights of the marks.
    marks: Vec<usize>,
    memo: Vec<Option<Id>>,
    opcodes: usize,
}

impl<'a> Machine<'a> {
    /// Starts at the first of `bytes`. `clipped` means that the file continues past the length
    /// limit.
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

    /// End of the last pickle that was run.
    pub fn position(&self) -> usize {
        self.cursor.position()
    }

    /// Runs one pickle to its end and returns the result.
    ///
    /// # Errors
    /// [`Error::PickleRefused`] past a limit or where code would run, [`Error::WeightsCorrupt`] if
    /// it is not a valid pickle.
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

    /// Stack height below which nothing may be popped.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Id> {
        let [value] = self.several()?;
        Ok(value)
    }

    /// Pops the last `N` values.
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

    /// POP removes a mark if there are no values above it.
    fn discard(&mut self) -> Result<()> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(drop)
    }

    /// Pops the last mark and the values above it.
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

    /// Python's pickler numbers memo slots from 0.
    fn keep(&mut self, index: usize) -> Result<()> {
        let top = self.top()?;
        if index >= limits::MEMO {
            return Err(refused(format!(
                "its pickle memoizes more than {} values",
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
