//! Walks the part of Python's pickle that describes a dictionary of numbers, texts, lists and float
//! tensors. Nothing is ever looked up, called or built but these.
//!
//! What is remembered for later (`memo`) are texts and names only: containers would have to be shared
//! to be right, and copied would let a short file grow without bound.

use std::collections::BTreeMap;

const MOST_OPCODES: usize = 1 << 20;
const MOST_VALUES: usize = 1 << 18;
const LONGEST_TEXT: usize = 1 << 12;

/// Why a pickle was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused(pub(super) String);

/// What a pickle may hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    /// That a number is there is allowed; nobody asks for it.
    Float,
    Text(String),
    List(Vec<Value>),
    Tuple(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    Name(Name),
    Storage(Storage),
    Tensor(Tensor),
}

/// The names of Python that are known here. They stand for themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    RebuildTensor,
    OrderedDict,
    Storage(ElementType),
}

/// What a storage consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ElementType {
    Float,
    Double,
}

/// Numbers in an entry of the zip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Storage {
    pub(super) element: ElementType,
    /// The entry's name.
    pub(super) key: String,
    /// How many numbers.
    pub(super) count: usize,
}

/// A contiguous run of a storage: a tensor of one dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tensor {
    pub(super) storage: Storage,
    pub(super) offset: usize,
    pub(super) length: usize,
}

/// Reads one pickle.
pub(super) fn read(program: &[u8]) -> Result<Value, Refused> {
    let mut reader = Reader { rest: program, ..Reader::default() };
    for _ in 0..MOST_OPCODES {
        let [opcode] = reader.array()?;
        if opcode == b'.' {
            return reader.pop();
        }
        reader.step(opcode)?;
        if reader.stack.len() > MOST_VALUES || reader.memo.len() > MOST_VALUES {
            break;
        }
    }
    Err(refused("its pickle is too long"))
}

fn refused(what: impl Into<String>) -> Refused {
    Refused(what.into())
}

#[derive(Default)]
struct Reader<'a> {
    rest: &'a [u8],
    stack: Vec<Value>,
    /// Heights of the stack at which a group of values began.
    marks: Vec<usize>,
    memo: BTreeMap<u32, Value>,
    /// The next number of the opcode that counts by itself.
    memoized: u32,
}

impl Reader<'_> {
    fn step(&mut self, opcode: u8) -> Result<(), Refused> {
        match opcode {
            0x80 => {
                let [version] = self.array()?;
                if !(2..=5).contains(&version) {
                    return Err(refused(format!("its pickle is of protocol {version}")));
                }
            }
            // A frame only says how much follows.
            0x95 => drop(self.array::<8>()?),
            b'(' => self.marks.push(self.stack.len()),
            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'J' => {
                let number = i32::from_le_bytes(self.array()?);
                self.push(Value::Int(number.into()));
            }
            b'K' => {
                let [number] = self.array()?;
                self.push(Value::Int(number.into()));
            }
            b'M' => {
                let number = u16::from_le_bytes(self.array()?);
                self.push(Value::Int(number.into()));
            }
            0x8a => self.long()?,
            b'G' => {
                self.array::<8>()?;
                self.push(Value::Float);
            }
            b'X' => {
                let length = u32::from_le_bytes(self.array()?);
                self.text(length as usize)?;
            }
            0x8c => {
                let [length] = self.array()?;
                self.text(length.into())?;
            }
            b')' => self.push(Value::Tuple(Vec::new())),
            0x85..=0x87 => {
                let values = self.last(usize::from(opcode - 0x84))?;
                self.push(Value::Tuple(values));
            }
            b't' => {
                let values = self.since_mark()?;
                self.push(Value::Tuple(values));
            }
            b']' => self.push(Value::List(Vec::new())),
            b'a' => {
                let values = self.last(1)?;
                self.append(values)?;
            }
            b'e' => {
                let values = self.since_mark()?;
                self.append(values)?;
            }
            b'}' => self.push(Value::Dict(Vec::new())),
            b's' => {
                let values = self.last(2)?;
                self.set_items(values)?;
            }
            b'u' => {
                let values = self.since_mark()?;
                self.set_items(values)?;
            }
            b'c' => self.global()?,
            0x93 => {
                let values = self.last(2)?;
                let [Value::Text(module), Value::Text(name)] = values.as_slice() else {
                    return Err(refused("its pickle names something with no text"));
                };
                self.push(Value::Name(known(module, name)?));
            }
            b'Q' => {
                let id = self.pop()?;
                self.push(Value::Storage(storage(&id)?));
            }
            b'R' => {
                let values = self.last(2)?;
                self.push(reduced(&values)?);
            }
            b'q' => {
                let [number] = self.array()?;
                self.remember(number.into());
            }
            b'r' => {
                let number = u32::from_le_bytes(self.array()?);
                self.remember(number);
            }
            0x94 => {
                self.remember(self.memoized);
                self.memoized = self.memoized.saturating_add(1);
            }
            b'h' => {
                let [number] = self.array()?;
                self.recall(number.into())?;
            }
            b'j' => {
                let number = u32::from_le_bytes(self.array()?);
                self.recall(number)?;
            }
            other => return Err(refused(format!("its pickle does {other:#04x}"))),
        }
        Ok(())
    }

    fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    fn pop(&mut self) -> Result<Value, Refused> {
        self.last(1)?.pop().ok_or_else(|| refused("its pickle takes what is not there"))
    }

    /// The last values, which must all be of the group that began last.
    fn last(&mut self, count: usize) -> Result<Vec<Value>, Refused> {
        let from = self.marks.last().copied().unwrap_or(0);
        match self.stack.len().checked_sub(count) {
            Some(at) if at >= from => Ok(self.stack.split_off(at)),
            Some(_) | None => Err(refused("its pickle takes what is not there")),
        }
    }

    fn since_mark(&mut self) -> Result<Vec<Value>, Refused> {
        let mark =
            self.marks.pop().ok_or_else(|| refused("its pickle ends what it never began"))?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn append(&mut self, values: Vec<Value>) -> Result<(), Refused> {
        match self.stack.last_mut() {
            Some(Value::List(list)) => list.extend(values),
            _ => return Err(refused("its pickle appends to no list")),
        }
        Ok(())
    }

    fn set_items(&mut self, values: Vec<Value>) -> Result<(), Refused> {
        let Some(Value::Dict(dict)) = self.stack.last_mut() else {
            return Err(refused("its pickle sets items of no dictionary"));
        };
        let mut values = values.into_iter();
        while let Some(key) = values.next() {
            let value = values.next().ok_or_else(|| refused("its pickle has a key too many"))?;
            dict.push((key, value));
        }
        Ok(())
    }

    fn take(&mut self, count: usize) -> Result<&[u8], Refused> {
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or_else(|| refused("its pickle is cut off"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Refused> {
        self.take(N)?.try_into().map_err(|_| refused("its pickle is cut off"))
    }

    fn text(&mut self, length: usize) -> Result<(), Refused> {
        if length > LONGEST_TEXT {
            return Err(refused(format!("its pickle has a text of {length} bytes")));
        }
        let text = std::str::from_utf8(self.take(length)?).map(str::to_owned);
        self.push(Value::Text(text.map_err(|_| refused("its pickle has a text that is none"))?));
        Ok(())
    }

    fn long(&mut self) -> Result<(), Refused> {
        let [length] = self.array()?;
        let bytes = self.take(length.into())?;
        let negative = bytes.last().is_some_and(|last| *last >= 0x80);
        let mut wide = if negative { [0xff; 8] } else { [0; 8] };
        let low = wide.get_mut(..bytes.len()).ok_or_else(|| refused("it has a huge number"))?;
        low.copy_from_slice(bytes);
        self.push(Value::Int(i64::from_le_bytes(wide)));
        Ok(())
    }

    fn global(&mut self) -> Result<(), Refused> {
        let (module, name) = (self.line()?, self.line()?);
        self.push(Value::Name(known(&module, &name)?));
        Ok(())
    }

    fn line(&mut self) -> Result<String, Refused> {
        let end = self.rest.iter().take(LONGEST_TEXT).position(|byte| *byte == b'\n');
        let line = self.take(end.ok_or_else(|| refused("its pickle has an endless name"))?)?;
        let line = String::from_utf8_lossy(line).into_owned();
        self.take(1)?;
        Ok(line)
    }

    fn remember(&mut self, number: u32) {
        match self.stack.last() {
            Some(value @ (Value::Text(_) | Value::Name(_))) => {
                self.memo.insert(number, value.clone());
            }
            _ => drop(self.memo.remove(&number)),
        }
    }

    fn recall(&mut self, number: u32) -> Result<(), Refused> {
        let value = self.memo.get(&number).cloned();
        self.push(value.ok_or_else(|| refused("its pickle uses a part twice"))?);
        Ok(())
    }
}

fn known(module: &str, name: &str) -> Result<Name, Refused> {
    match (module, name) {
        ("torch._utils", "_rebuild_tensor_v2") => Ok(Name::RebuildTensor),
        ("collections", "OrderedDict") => Ok(Name::OrderedDict),
        ("torch", "FloatStorage") => Ok(Name::Storage(ElementType::Float)),
        ("torch", "DoubleStorage") => Ok(Name::Storage(ElementType::Double)),
        _ => Err(refused(format!("it wants to call {module:?} {name:?}, which no score needs"))),
    }
}

/// `("storage", the kind, the entry's name, the device it was on, how many)`.
fn storage(id: &Value) -> Result<Storage, Refused> {
    if let Value::Tuple(parts) = id
        && let [word, Value::Name(Name::Storage(element)), Value::Text(key), _, Value::Int(count)] =
            parts.as_slice()
        && matches!(word, Value::Text(word) if word == "storage")
        && let Ok(count) = usize::try_from(*count)
    {
        return Ok(Storage { element: *element, key: key.clone(), count });
    }
    Err(refused("its pickle names a storage in an unknown way"))
}

/// The two calls that are known: an ordered dictionary of nothing, and a tensor of a storage with
/// offset, sizes, strides, and more that does not matter here.
fn reduced(call: &[Value]) -> Result<Value, Refused> {
    let [Value::Name(name), Value::Tuple(arguments)] = call else {
        return Err(refused("its pickle calls what is no name"));
    };
    match (name, arguments.as_slice()) {
        (Name::OrderedDict, []) => Ok(Value::Dict(Vec::new())),
        (
            Name::RebuildTensor,
            [
                Value::Storage(storage),
                Value::Int(offset),
                Value::Tuple(sizes),
                Value::Tuple(strides),
                ..,
            ],
        ) => {
            let ([Value::Int(length)], [Value::Int(1)]) = (sizes.as_slice(), strides.as_slice())
            else {
                return Err(refused("it has a tensor of another shape than one row"));
            };
            let count =
                |number: &i64| usize::try_from(*number).map_err(|_| refused("it counts down"));
            let (offset, length) = (count(offset)?, count(length)?);
            Ok(Value::Tensor(Tensor { storage: storage.clone(), offset, length }))
        }
        (Name::OrderedDict | Name::RebuildTensor | Name::Storage(_), _) => {
            Err(refused("its pickle calls something in an unknown way"))
        }
    }
}
