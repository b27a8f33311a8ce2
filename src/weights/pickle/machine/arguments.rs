use super::{Machine, op};
use crate::error::Result;
use crate::weights::pickle::cursor::text;
use crate::weights::pickle::faults::{corrupt, refused};
use crate::weights::pickle::limits;
use crate::weights::pickle::value::{Global, Value};

/// Opcodes that read arguments.
impl<'a> Machine<'a> {
    pub(super) fn protocol(&mut self) -> Result<()> {
        match self.cursor.byte()? {
            0..=5 => Ok(()),
            newer => Err(corrupt(format!("its pickle has protocol {newer}"))),
        }
    }

    pub(super) fn memo_index(&mut self, opcode: u8) -> Result<usize> {
        match opcode {
            op::BINGET | op::BINPUT => Ok(self.cursor.byte()?.into()),
            op::LONG_BINGET | op::LONG_BINPUT => {
                Ok(u32::from_le_bytes(self.cursor.array()?) as usize)
            }
            _ => number(self.cursor.line()?),
        }
    }

    /// Bytes preceded by their length, which is `width` bytes long.
    pub(super) fn counted(&mut self, width: usize) -> Result<&'a [u8]> {
        let mut count = [0; 8];
        count[..width].copy_from_slice(self.cursor.take(width)?);
        self.cursor.sized(u64::from_le_bytes(count))
    }

    pub(super) fn unicode(&mut self, width: usize) -> Result<()> {
        let text = text(self.counted(width)?)?;
        self.make(Value::Text(text))
    }

    /// A Python 2 string, which may be text or bytes.
    pub(super) fn old_string(&mut self, width: usize) -> Result<()> {
        let value = match str::from_utf8(self.counted(width)?) {
            Ok(text) => Value::Text(text),
            Err(_) => Value::Plain,
        };
        self.make(value)
    }

    pub(super) fn bytes(&mut self, width: usize) -> Result<()> {
        self.counted(width)?;
        self.make(Value::Plain)
    }

    /// Protocol 0: a line, quoted for STRING. Names never contain escapes.
    pub(super) fn line_of_text(&mut self, opcode: u8) -> Result<()> {
        let mut line = text(self.cursor.line()?)?;
        if opcode == op::STRING {
            line = line.trim_matches(['\'', '"']);
        }
        self.make(if line.contains('\\') {
            Value::Plain
        } else {
            Value::Text(line)
        })
    }

    /// Protocol 0: an integer or a bool as text.
    pub(super) fn decimal(&mut self) -> Result<()> {
        let line = self.cursor.line()?;
        let value = match line {
            b"00" => Value::Bool(false),
            b"01" => Value::Bool(true),
            _ => Value::Int(number(line.strip_suffix(b"L").unwrap_or(line))?),
        };
        self.make(value)
    }

    pub(super) fn global(&mut self) -> Result<Value<'a>> {
        let module = text(self.cursor.line()?)?;
        let name = text(self.cursor.line()?)?;
        global(module, name)
    }
}

/// A class, from its module and name.
pub(super) fn global<'a>(module: &'a str, name: &'a str) -> Result<Value<'a>> {
    if module.len().max(name.len()) > limits::NAME {
        return Err(refused(format!(
            "its pickle names a class in more than {} bytes",
            limits::NAME
        )));
    }
    Ok(Value::Global(Box::new(Global { module, name })))
}

/// An integer of any length, two's complement, little-endian.
pub(super) fn long(bytes: &[u8]) -> Value<'_> {
    let negative = bytes.last().is_some_and(|byte| *byte >= 0x80);
    let mut wide = [if negative { 0xff } else { 0 }; 8];
    match wide.get_mut(..bytes.len()) {
        Some(low) => low.copy_from_slice(bytes),
        None => return Value::Long(bytes),
    }
    Value::Int(i64::from_le_bytes(wide))
}

fn number<T: std::str::FromStr>(line: &[u8]) -> Result<T> {
    let number = str::from_utf8(line).ok().and_then(|line| line.parse().ok());
    number.ok_or_else(|| corrupt("its pickle contains a malformed number"))
}
