//! Reads one safetensors file: its header into memory, a tensor's bytes when they are asked for.
//!
//! There is a crate for it, which wants the whole file in memory or mapped; ours reads with seek,
//! and a file that changes or ends under it is an error and no signal. As in `gguf`, a file comes
//! from outside: the header is bounded before it is read, and the tensors must fill the file
//! exactly, without holes and overlaps.
//! Layout: <https://github.com/huggingface/safetensors#format>.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use candle_core::quantized::GgmlDType;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::load_error::{LoadProblem, of_shape};
use super::raw_tensor::RawTensor;

/// Some hundred times the header of a model of seven billion in one file.
const MAX_HEADER: u64 = 1 << 24;
const MAX_DIMENSIONS: usize = 8;

/// A tensor as the header describes it.
#[derive(Clone, Debug, Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    /// Begin and end, from the header's end.
    data_offsets: (u64, u64),
}

/// Where a tensor lies and what it is.
#[derive(Clone, Debug)]
struct TensorInfo {
    shape: Vec<usize>,
    /// Absent for a type that models of ours do not have.
    dtype: Option<GgmlDType>,
    /// From the file's start.
    start: u64,
    bytes: usize,
}

/// An open safetensors file.
#[derive(Debug)]
pub(super) struct Safetensors {
    file: File,
    tensors: HashMap<String, TensorInfo>,
}

impl Safetensors {
    pub(super) fn open(path: &Path) -> Result<Self, LoadProblem> {
        let metadata = std::fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(LoadProblem::Unsupported("it is no regular file".into()));
        }
        let length = metadata.len();
        let mut file = BufReader::new(File::open(path)?);
        let header = read_header(&mut file, length)?;
        let data = 8 + header.len() as u64;
        let Header(entries) = serde_json::from_slice(&header)
            .map_err(|e| LoadProblem::Damaged(format!("its header: {e}")))?;
        check_places(&entries, length - data)?;
        let mut tensors = HashMap::new();
        for (name, entry) in entries {
            let info = entry.check(&name, data)?;
            if tensors.contains_key(&name) {
                return Err(LoadProblem::Damaged(format!("tensor {name} is there twice")));
            }
            tensors.insert(name, info);
        }
        Ok(Self { file: file.into_inner(), tensors })
    }

    /// The tensors' names.
    pub(super) fn tensor_names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The tensors' shapes.
    pub(super) fn shapes(&self) -> impl Iterator<Item = &[usize]> {
        self.tensors.values().map(|info| info.shape.as_slice())
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
        let dtype = info.dtype.ok_or_else(|| {
            LoadProblem::Unsupported(format!("tensor {name} is neither f32 nor f16 nor bf16"))
        })?;
        let mut bytes = vec![0; info.bytes];
        self.file.seek(SeekFrom::Start(info.start))?;
        self.file.read_exact(&mut bytes)?;
        Ok(RawTensor { name: name.into(), dtype, shape: info.shape.clone(), bytes })
    }
}

fn read_header(file: &mut impl Read, length: u64) -> Result<Vec<u8>, LoadProblem> {
    let truncated = || LoadProblem::Truncated("its header".into());
    let left = length.checked_sub(8).ok_or_else(truncated)?;
    let mut size = [0; 8];
    file.read_exact(&mut size)?;
    let size = u64::from_le_bytes(size);
    if size > MAX_HEADER {
        return Err(LoadProblem::Damaged(format!("its header would have {size} bytes")));
    }
    if size > left {
        return Err(truncated());
    }
    let mut header = vec![0; size as usize];
    file.read_exact(&mut header)?;
    Ok(header)
}

/// The tensors lie side by side from the header's end to the file's.
fn check_places(entries: &[(String, Entry)], data: u64) -> Result<(), LoadProblem> {
    let mut places: Vec<_> = entries.iter().map(|(name, e)| (e.data_offsets, name)).collect();
    places.sort_unstable();
    let mut at = 0;
    for ((begin, end), name) in places {
        if begin != at || end < begin {
            return Err(LoadProblem::Damaged(format!(
                "tensor {name} lies at {begin}..{end} where {at} is next"
            )));
        }
        if end > data {
            return Err(LoadProblem::Truncated(format!("tensor {name}")));
        }
        at = end;
    }
    if at != data {
        return Err(LoadProblem::Damaged(format!("its last {} bytes are no tensor's", data - at)));
    }
    Ok(())
}

impl Entry {
    /// What the entry of that name says, if it fits together; `data` is where the tensors begin.
    fn check(self, name: &str, data: u64) -> Result<TensorInfo, LoadProblem> {
        let damaged = |cause: &str| LoadProblem::Damaged(format!("tensor {name} {cause}"));
        let dtype = match self.dtype.as_str() {
            "F32" => Some(GgmlDType::F32),
            "F16" => Some(GgmlDType::F16),
            "BF16" => Some(GgmlDType::BF16),
            _ => None,
        };
        let (begin, end) = self.data_offsets;
        let bytes = usize::try_from(end - begin).map_err(|_| damaged("is too large"))?;
        if self.shape.len() > MAX_DIMENSIONS {
            return Err(damaged(&format!("has {} dimensions", self.shape.len())));
        }
        let elements = self.shape.iter().try_fold(1_usize, |n, size| n.checked_mul(*size));
        let elements = elements.ok_or_else(|| damaged("is too large"))?;
        if let Some(dtype) = dtype
            && elements.checked_mul(dtype.type_size()) != Some(bytes)
        {
            return Err(damaged(&format!(
                "has {bytes} bytes, which is not what {:?} of {} takes",
                self.shape, self.dtype
            )));
        }
        Ok(TensorInfo { shape: self.shape, dtype, start: data + begin, bytes })
    }
}

/// The header's entries in its order, so that one that is there twice is seen.
struct Header(Vec<(String, Entry)>);

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut entries = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                map.next_value::<IgnoredAny>()?;
            } else {
                let entry = map
                    .next_value()
                    .map_err(|e| A::Error::custom(format_args!("tensor {name}: {e}")))?;
                entries.push((name, entry));
            }
        }
        Ok(Header(entries))
    }
}
