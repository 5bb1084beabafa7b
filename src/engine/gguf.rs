//! Reads GGUF files (versions 2 and 3, little-endian), the format of llama.cpp's models.
//!
//! candle has a reader too; this one is ours because a model file comes from outside: every count
//! is checked against what is left of the file before anything is allocated, arithmetic cannot
//! overflow, and every error names what was being read. Tensors are dequantised by candle.
//! Layout: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use candle_core::quantized::GgmlDType;

use super::load_error::{LoadProblem, of_shape};
use super::raw_tensor::RawTensor;

/// More entries than any model has: the largest vocabularies have some 2^18 tokens.
const MAX_ARRAY: u64 = 1 << 22;
/// Longer than any key, tensor name, token or chat template.
const MAX_STRING: u64 = 1 << 20;
/// GGML's own bound.
const MAX_DIMENSIONS: u32 = 4;

/// A metadata value. Integers of every width are one case, as are both widths of float.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Integer(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    Integers(Vec<i64>),
    Texts(Vec<String>),
    Floats(Vec<f32>),
    /// An array of booleans or wider floats, which nothing here needs.
    Skipped,
}

/// Where a tensor lies and what it is.
#[derive(Clone, Debug)]
struct TensorInfo {
    /// Outermost dimension first (GGUF stores the innermost first).
    shape: Vec<usize>,
    dtype: GgmlDType,
    /// From the file's start.
    start: u64,
    bytes: usize,
}

/// An open GGUF file: its metadata in memory, its tensors still on disk.
#[derive(Debug)]
pub(super) struct Gguf {
    file: BufReader<File>,
    metadata: HashMap<String, Value>,
    tensors: HashMap<String, TensorInfo>,
}

impl Gguf {
    pub(super) fn open(path: &Path) -> Result<Self, LoadProblem> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut reader = Reader { file: BufReader::new(file), at: 0, length };
        match reader.array::<4>("its magic number") {
            Ok(magic) if magic == *b"GGUF" => {}
            Ok(_) | Err(LoadProblem::Truncated(_)) => return Err(LoadProblem::NotGguf),
            Err(problem) => return Err(problem),
        }
        match reader.u32("its version")? {
            2 | 3 => {}
            version => return Err(LoadProblem::Unsupported(format!("GGUF version {version}"))),
        }
        let tensor_count = reader.u64("its tensor count")?;
        let entry_count = reader.u64("its metadata count")?;
        // A tensor takes at least name length, dimension count, type and offset; an entry at least
        // key length, type and one byte.
        reader.needs(tensor_count, 24, "its list of tensors")?;
        reader.needs(entry_count, 13, "its metadata")?;

        let mut metadata = HashMap::new();
        for _ in 0..entry_count {
            let key = reader.string("a metadata key")?;
            let kind = reader.u32(&key)?;
            let value = reader.value(kind, &key)?;
            if metadata.contains_key(&key) {
                return Err(LoadProblem::Damaged(format!("metadata entry {key} is there twice")));
            }
            metadata.insert(key, value);
        }
        let mut tensors = HashMap::new();
        for _ in 0..tensor_count {
            let name = reader.string("a tensor's name")?;
            let info = reader.tensor_info(&name)?;
            if tensors.contains_key(&name) {
                return Err(LoadProblem::Damaged(format!("tensor {name} is there twice")));
            }
            tensors.insert(name, info);
        }
        let alignment = match metadata.get("general.alignment") {
            None => 32,
            Some(&Value::Integer(a)) if (1..=1 << 16).contains(&a) => a.unsigned_abs(),
            Some(_) => return Err(LoadProblem::Damaged("general.alignment is impossible".into())),
        };
        let data = reader.at.div_ceil(alignment) * alignment;
        for (name, info) in &mut tensors {
            let end = data.checked_add(info.start).and_then(|s| s.checked_add(info.bytes as u64));
            match end {
                Some(end) if end <= length => info.start += data,
                _ => return Err(LoadProblem::Truncated(format!("tensor {name}"))),
            }
        }
        Ok(Self { file: reader.file, metadata, tensors })
    }

    /// The text under `key`.
    pub(super) fn text(&self, key: &str) -> Result<&str, LoadProblem> {
        match self.required(key)? {
            Value::Text(text) => Ok(text),
            other => Err(wrong_kind(key, "a text", other)),
        }
    }

    /// The texts under `key`.
    pub(super) fn texts(&self, key: &str) -> Result<&[String], LoadProblem> {
        match self.required(key)? {
            Value::Texts(texts) => Ok(texts),
            other => Err(wrong_kind(key, "an array of texts", other)),
        }
    }

    /// The integers under `key`.
    pub(super) fn integers(&self, key: &str) -> Result<&[i64], LoadProblem> {
        match self.required(key)? {
            Value::Integers(integers) => Ok(integers),
            other => Err(wrong_kind(key, "an array of integers", other)),
        }
    }

    /// The floats under `key`.
    pub(super) fn floats(&self, key: &str) -> Result<&[f32], LoadProblem> {
        match self.required(key)? {
            Value::Floats(floats) => Ok(floats),
            other => Err(wrong_kind(key, "an array of floats", other)),
        }
    }

    /// The boolean under `key`, if there is one.
    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, LoadProblem> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(wrong_kind(key, "a boolean", other)),
        }
    }

    /// The whole number under `key`, if there is one; refused above `max`.
    pub(super) fn count(&self, key: &str, max: usize) -> Result<Option<usize>, LoadProblem> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(Value::Integer(n)) => match usize::try_from(*n) {
                Ok(n) if n <= max => Ok(Some(n)),
                _ => Err(LoadProblem::Damaged(format!("{key} is {n}, which is impossible"))),
            },
            Some(other) => Err(wrong_kind(key, "a whole number", other)),
        }
    }

    /// As [`Self::count`], where the model cannot do without.
    pub(super) fn required_count(&self, key: &str, max: usize) -> Result<usize, LoadProblem> {
        self.count(key, max)?.ok_or_else(|| LoadProblem::MissingMetadata(key.into()))
    }

    /// The number under `key`, if there is one; refused where it is not positive and finite.
    pub(super) fn positive(&self, key: &str) -> Result<Option<f32>, LoadProblem> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(Value::Float(x)) => match *x as f32 {
                x if x > 0.0 && x.is_finite() => Ok(Some(x)),
                _ => Err(LoadProblem::Damaged(format!("{key} is {x}, which is impossible"))),
            },
            Some(other) => Err(wrong_kind(key, "a number", other)),
        }
    }

    /// The metadata under `key`, whatever its kind.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.metadata.get(key)
    }

    fn required(&self, key: &str) -> Result<&Value, LoadProblem> {
        self.metadata.get(key).ok_or_else(|| LoadProblem::MissingMetadata(key.into()))
    }

    /// The tensors' names.
    pub(super) fn tensor_names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The tensors' types and shapes.
    pub(super) fn tensors(&self) -> impl Iterator<Item = (GgmlDType, &[usize])> {
        self.tensors.values().map(|info| (info.dtype, info.shape.as_slice()))
    }

    /// A tensor's shape, outermost dimension first.
    pub(super) fn shape(&self, name: &str) -> Result<&[usize], LoadProblem> {
        match self.tensors.get(name) {
            Some(info) => Ok(&info.shape),
            None => Err(LoadProblem::MissingTensor(name.into())),
        }
    }

    /// A tensor of this shape as it lies in the file.
    pub(super) fn raw(&mut self, name: &str, shape: &[usize]) -> Result<RawTensor, LoadProblem> {
        let info = of_shape(name, self.tensors.get(name), |info| &info.shape, shape)?;
        let mut bytes = vec![0; info.bytes];
        self.file.seek(SeekFrom::Start(info.start))?;
        self.file.read_exact(&mut bytes)?;
        Ok(RawTensor { name: name.into(), dtype: info.dtype, shape: info.shape.clone(), bytes })
    }
}

fn wrong_kind(key: &str, wanted: &str, found: &Value) -> LoadProblem {
    let found = match found {
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Bool(_) => "a boolean",
        Value::Text(_) => "a text",
        Value::Integers(_) | Value::Texts(_) | Value::Floats(_) | Value::Skipped => "an array",
    };
    LoadProblem::Damaged(format!("metadata entry {key} is {found} where {wanted} is needed"))
}

/// Reads forward and knows how much is left.
struct Reader {
    file: BufReader<File>,
    at: u64,
    length: u64,
}

impl Reader {
    /// Refuses `count` things of at least `each` bytes where the file cannot hold them.
    fn needs(&self, count: u64, each: u64, what: &str) -> Result<(), LoadProblem> {
        if count.saturating_mul(each) > self.length.saturating_sub(self.at) {
            return Err(LoadProblem::Truncated(what.into()));
        }
        Ok(())
    }

    fn bytes(&mut self, into: &mut [u8], what: &str) -> Result<(), LoadProblem> {
        self.needs(into.len() as u64, 1, what)?;
        self.file.read_exact(into)?;
        self.at += into.len() as u64;
        Ok(())
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], LoadProblem> {
        let mut bytes = [0; N];
        self.bytes(&mut bytes, what)?;
        Ok(bytes)
    }

    fn u32(&mut self, what: &str) -> Result<u32, LoadProblem> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    fn u64(&mut self, what: &str) -> Result<u64, LoadProblem> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    fn string(&mut self, what: &str) -> Result<String, LoadProblem> {
        let length = self.u64(what)?;
        self.needs(length, 1, what)?;
        if length > MAX_STRING {
            return Err(LoadProblem::Damaged(format!("{what} is {length} bytes long")));
        }
        let mut bytes = vec![0; length as usize];
        self.bytes(&mut bytes, what)?;
        String::from_utf8(bytes).map_err(|_| LoadProblem::Damaged(format!("{what} is no UTF-8")))
    }

    fn integer(&mut self, kind: u32, what: &str) -> Result<Option<i64>, LoadProblem> {
        Ok(Some(match kind {
            0 => i64::from(self.array::<1>(what)?[0]),
            1 => i64::from(i8::from_le_bytes(self.array(what)?)),
            2 => i64::from(u16::from_le_bytes(self.array(what)?)),
            3 => i64::from(i16::from_le_bytes(self.array(what)?)),
            4 => i64::from(self.u32(what)?),
            5 => i64::from(i32::from_le_bytes(self.array(what)?)),
            10 => i64::try_from(self.u64(what)?)
                .map_err(|_| LoadProblem::Damaged(format!("{what} is beyond 2^63")))?,
            11 => i64::from_le_bytes(self.array(what)?),
            _ => return Ok(None),
        }))
    }

    fn value(&mut self, kind: u32, key: &str) -> Result<Value, LoadProblem> {
        if let Some(integer) = self.integer(kind, key)? {
            return Ok(Value::Integer(integer));
        }
        match kind {
            6 => Ok(Value::Float(f64::from(f32::from_le_bytes(self.array(key)?)))),
            7 => Ok(Value::Bool(self.array::<1>(key)?[0] != 0)),
            8 => Ok(Value::Text(self.string(key)?)),
            9 => self.array_value(key),
            12 => Ok(Value::Float(f64::from_le_bytes(self.array(key)?))),
            _ => Err(LoadProblem::Damaged(format!("metadata entry {key} has the type {kind}"))),
        }
    }

    fn array_value(&mut self, key: &str) -> Result<Value, LoadProblem> {
        let kind = self.u32(key)?;
        let count = self.u64(key)?;
        let each = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 | 10..=12 => 8,
            _ => return Err(LoadProblem::Damaged(format!("array {key} is of type {kind}"))),
        };
        self.needs(count, each, key)?;
        if count > MAX_ARRAY {
            return Err(LoadProblem::Damaged(format!("array {key} has {count} entries")));
        }
        match kind {
            8 => {
                let texts = (0..count).map(|_| self.string(key)).collect::<Result<_, _>>()?;
                Ok(Value::Texts(texts))
            }
            6 => {
                let mut bytes = vec![0; (count * each) as usize];
                self.bytes(&mut bytes, key)?;
                let (floats, _) = bytes.as_chunks::<4>();
                Ok(Value::Floats(floats.iter().map(|float| f32::from_le_bytes(*float)).collect()))
            }
            7 | 12 => {
                let mut skipped = vec![0; (count * each) as usize];
                self.bytes(&mut skipped, key)?;
                Ok(Value::Skipped)
            }
            _ => {
                let integers = (0..count)
                    .filter_map(|_| self.integer(kind, key).transpose())
                    .collect::<Result<_, _>>()?;
                Ok(Value::Integers(integers))
            }
        }
    }

    /// `start` is still relative to where the tensors begin.
    fn tensor_info(&mut self, name: &str) -> Result<TensorInfo, LoadProblem> {
        let damaged = |cause: &str| LoadProblem::Damaged(format!("tensor {name} {cause}"));
        let dimensions = self.u32(name)?;
        if dimensions == 0 || dimensions > MAX_DIMENSIONS {
            return Err(damaged(&format!("has {dimensions} dimensions")));
        }
        let mut shape = Vec::new();
        let mut elements = 1_usize;
        for _ in 0..dimensions {
            let size = usize::try_from(self.u64(name)?).ok().filter(|&size| size > 0);
            let size = size.ok_or_else(|| damaged("has an impossible size"))?;
            elements = elements.checked_mul(size).ok_or_else(|| damaged("is too large"))?;
            shape.insert(0, size);
        }
        let dtype = self.u32(name)?;
        let dtype = ggml_type(dtype)
            .ok_or_else(|| LoadProblem::Unsupported(format!("tensor {name} is of type {dtype}")))?;
        // Quantised blocks run along the innermost dimension.
        let innermost = shape.last().copied().unwrap_or(1);
        if !innermost.is_multiple_of(dtype.block_size()) {
            return Err(damaged("does not divide into its type's blocks"));
        }
        let bytes = (elements / dtype.block_size()).checked_mul(dtype.type_size());
        let bytes = bytes.ok_or_else(|| damaged("is too large"))?;
        let start = self.u64(name)?;
        Ok(TensorInfo { shape, dtype, start, bytes })
    }
}

/// The types that candle can dequantise, by their numbers in GGUF.
fn ggml_type(number: u32) -> Option<GgmlDType> {
    Some(match number {
        0 => GgmlDType::F32,
        1 => GgmlDType::F16,
        2 => GgmlDType::Q4_0,
        3 => GgmlDType::Q4_1,
        6 => GgmlDType::Q5_0,
        7 => GgmlDType::Q5_1,
        8 => GgmlDType::Q8_0,
        10 => GgmlDType::Q2K,
        11 => GgmlDType::Q3K,
        12 => GgmlDType::Q4K,
        13 => GgmlDType::Q5K,
        14 => GgmlDType::Q6K,
        30 => GgmlDType::BF16,
        _ => return None,
    })
}
