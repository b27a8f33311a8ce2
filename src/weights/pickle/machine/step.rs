use super::arguments::{global, long};
use super::{Machine, op, underflow};
use crate::error::Result;
use crate::weights::pickle::build;
use crate::weights::pickle::faults::{corrupt, refused};
use crate::weights::pickle::value::{Id, Value};

impl Machine<'_> {
    /// Executes one opcode.
    pub(super) fn step(&mut self, opcode: u8) -> Result<()> {
        match opcode {
            op::PROTO => self.protocol(),
            // A hint of how much to read at once.
            op::FRAME => self.cursor.take(8).map(drop),
            op::MARK => self.mark(),
            op::POP => self.discard(),
            op::POP_MARK => self.above_mark().map(drop),
            op::DUP => {
                let top = self.top()?;
                self.push(top)
            }

            op::NONE => self.make(Value::None),
            op::NEWTRUE => self.make(Value::Bool(true)),
            op::NEWFALSE => self.make(Value::Bool(false)),
            op::INT | op::LONG => self.decimal(),
            op::BININT => {
                let value = i32::from_le_bytes(self.cursor.array()?);
                self.make(Value::Int(value.into()))
            }
            op::BININT1 => {
                let value = self.cursor.byte()?;
                self.make(Value::Int(value.into()))
            }
            op::BININT2 => {
                let value = u16::from_le_bytes(self.cursor.array()?);
                self.make(Value::Int(value.into()))
            }
            op::LONG1 | op::LONG4 => {
                let bytes = self.counted(if opcode == op::LONG1 { 1 } else { 4 })?;
                self.make(long(bytes))
            }
            op::FLOAT => {
                self.cursor.line()?;
                self.make(Value::Plain)
            }
            op::BINFLOAT => {
                self.cursor.take(8)?;
                self.make(Value::Plain)
            }

            op::UNICODE | op::STRING => self.line_of_text(opcode),
            op::SHORT_BINUNICODE => self.unicode(1),
            op::BINUNICODE => self.unicode(4),
            op::BINUNICODE8 => self.unicode(8),
            op::SHORT_BINSTRING => self.old_string(1),
            op::BINSTRING => self.old_string(4),
            op::SHORT_BINBYTES => self.bytes(1),
            op::BINBYTES => self.bytes(4),
            op::BINBYTES8 | op::BYTEARRAY8 => self.bytes(8),

            op::EMPTY_TUPLE => self.make(Value::Tuple([].into())),
            op::TUPLE => {
                let items = self.above_mark()?;
                self.make(Value::Tuple(items.into()))
            }
            op::TUPLE1 => self.tuple::<1>(),
            op::TUPLE2 => self.tuple::<2>(),
            op::TUPLE3 => self.tuple::<3>(),
            op::EMPTY_LIST => self.make(Value::List(Vec::new())),
            op::LIST => {
                let items = self.above_mark()?;
                let list = self.arena.add(Value::List(Vec::new()))?;
                self.arena.append(list, &items)?;
                self.push(list)
            }
            op::APPEND => {
                let item = self.pop()?;
                let list = self.top()?;
                self.arena.append(list, &[item])
            }
            op::APPENDS | op::ADDITEMS => {
                let items = self.above_mark()?;
                let list = self.top()?;
                self.arena.append(list, &items)
            }
            op::EMPTY_DICT => self.make(Value::Dict(Vec::new())),
            op::DICT => {
                let entries = self.above_mark()?;
                let dict = self.arena.add(Value::Dict(Vec::new()))?;
                self.arena.set(dict, &entries)?;
                self.push(dict)
            }
            op::SETITEM => {
                let entry = self.several::<2>()?;
                let dict = self.top()?;
                self.arena.set(dict, &entry)
            }
            op::SETITEMS => {
                let entries = self.above_mark()?;
                let dict = self.top()?;
                self.arena.set(dict, &entries)
            }
            op::EMPTY_SET => self.make(Value::Object),
            op::FROZENSET => {
                self.above_mark()?;
                self.make(Value::Object)
            }

            op::GET | op::BINGET | op::LONG_BINGET => {
                let index = self.memo_index(opcode)?;
                match self.memo.get(index) {
                    Some(Some(value)) => self.push(*value),
                    _ => Err(corrupt("its pickle reads a memo entry that it never wrote")),
                }
            }
            op::PUT | op::BINPUT | op::LONG_BINPUT => {
                let index = self.memo_index(opcode)?;
                self.keep(index)
            }
            op::MEMOIZE => self.keep(self.memo.len()),

            op::GLOBAL => {
                let global = self.global()?;
                self.make(global)
            }
            op::STACK_GLOBAL => {
                let [module, name] = self.several()?;
                match (self.arena.text(module), self.arena.text(name)) {
                    (Some(module), Some(name)) => self.make(global(module, name)?),
                    _ => Err(corrupt(
                        "its pickle names a class with something that is not a string",
                    )),
                }
            }
            op::REDUCE | op::NEWOBJ => {
                let [callable, args] = self.several()?;
                self.call(callable, args)
            }
            op::NEWOBJ_EX => {
                let [callable, args, _named] = self.several()?;
                self.call(callable, args)
            }
            op::INST => {
                let global = self.global()?;
                let callable = self.arena.add(global)?;
                let args = self.above_mark()?;
                let args = self.arena.add(Value::Tuple(args.into()))?;
                self.call(callable, args)
            }
            op::OBJ => {
                let items = self.above_mark()?;
                let Some((callable, args)) = items.split_first() else {
                    return Err(underflow());
                };
                let args = self.arena.add(Value::Tuple(args.into()))?;
                self.call(*callable, args)
            }
            op::BUILD => {
                let _state = self.pop()?;
                let object = self.top()?;
                build::set_state(&self.arena, object)
            }
            op::BINPERSID => {
                let id = self.pop()?;
                let value = build::persistent(&mut self.arena, id)?;
                self.push(value)
            }
            op::PERSID => Err(corrupt(
                "its pickle has a persistent id that is not a tuple",
            )),
            op::EXT1 | op::EXT2 | op::EXT4 => Err(refused(
                "its pickle would import a class from the extension registry",
            )),
            op::NEXT_BUFFER | op::READONLY_BUFFER => Err(corrupt(
                "its pickle asks for a buffer that is not in the file",
            )),
            unknown => Err(corrupt(format!(
                "its pickle has the unknown opcode {unknown:#04x}"
            ))),
        }
    }

    fn call(&mut self, callable: Id, args: Id) -> Result<()> {
        let value = build::call(&mut self.arena, callable, args)?;
        self.push(value)
    }
}
