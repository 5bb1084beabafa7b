//! Reads `state.pt` of the original validator (original-system.md §1.4): a zip that `torch.save`
//! wrote, with the numbers of a tensor in one entry and a pickle that says how to put it together.
//!
//! The pickle is a program, and Python would run whatever it says. Here it is walked by a reader that
//! knows numbers, texts, lists and the one way a tensor is rebuilt (`pickle`), and refuses the rest.
//! Every size is bounded.

mod pickle;

use std::collections::BTreeMap;
use std::io::{Read, Seek};

use sn1_actors::domain::{Hotkey, Score};
use zip::ZipArchive;

use super::portable::PortableState;
use pickle::{ElementType, Tensor, Value};

/// The pickle of a thousand hotkeys has a tenth of this.
const LARGEST_PICKLE: u64 = 1 << 20;
/// A subnet has no more slots.
const MOST_NEURONS: usize = 1 << 16;
/// torch writes a handful.
const MOST_ENTRIES: usize = 1_000;

/// A file is no state of the original validator, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no state.pt of the original validator: {0}")]
pub struct NotTorchState(String);

/// Whether a file begins as one that `torch.save` writes.
#[must_use]
pub fn is_zip(text: &[u8]) -> bool {
    text.starts_with(b"PK\x03\x04")
}

/// Reads the keys `step`, `scores` and `hotkeys`; others are passed over.
///
/// # Errors
/// [`NotTorchState`].
pub fn read(file: impl Read + Seek) -> Result<PortableState, NotTorchState> {
    let mut archive = ZipArchive::new(file).map_err(|error| NotTorchState(error.to_string()))?;
    if archive.len() > MOST_ENTRIES {
        return Err(NotTorchState(format!("it has {} entries", archive.len())));
    }
    let folder = archive
        .file_names()
        .flatten()
        .find_map(|name| name.strip_suffix("/data.pkl").map(str::to_owned))
        .ok_or_else(|| NotTorchState("it has no data.pkl".into()))?;
    if archive.index_for_name(&format!("{folder}/byteorder")).is_some()
        && entry(&mut archive, &format!("{folder}/byteorder"), 16)? != b"little"
    {
        return Err(NotTorchState("its numbers are not little-endian".into()));
    }
    let program = entry(&mut archive, &format!("{folder}/data.pkl"), LARGEST_PICKLE)?;
    let Value::Dict(state) = pickle::read(&program).map_err(|error| NotTorchState(error.0))? else {
        return Err(NotTorchState("it holds no dictionary".into()));
    };
    let of_key = |wanted: &str| {
        let is_it = |key: &Value| matches!(key, Value::Text(key) if key == wanted);
        let found = state.iter().find(|(key, _)| is_it(key)).map(|(_, value)| value);
        found.ok_or_else(|| NotTorchState(format!("it has no `{wanted}`")))
    };
    let steps = match of_key("step")? {
        Value::Int(step) => u64::try_from(*step).ok(),
        _ => None,
    };
    let steps = steps.ok_or_else(|| NotTorchState("its `step` is no count".into()))?;
    let Value::Tensor(tensor) = of_key("scores")? else {
        return Err(NotTorchState("its `scores` are no tensor".into()));
    };
    let scores = numbers(&mut archive, &folder, tensor)?;
    let hotkeys = hotkeys(of_key("hotkeys")?)?;
    if hotkeys.len() != scores.len() {
        let (hotkeys, scores) = (hotkeys.len(), scores.len());
        return Err(NotTorchState(format!("it has {hotkeys} hotkeys and {scores} scores")));
    }
    let count = hotkeys.len();
    let scores: BTreeMap<Hotkey, Score> = hotkeys.into_iter().zip(scores).collect();
    if scores.len() < count {
        return Err(NotTorchState("it has a hotkey twice".into()));
    }
    Ok(PortableState::from_scores(steps, scores))
}

fn hotkeys(value: &Value) -> Result<Vec<Hotkey>, NotTorchState> {
    let Value::List(values) = value else {
        return Err(NotTorchState("its `hotkeys` are no list".into()));
    };
    let hotkey = |value: &Value| match value {
        Value::Text(text) => Hotkey::parse(text).map_err(|error| NotTorchState(error.to_string())),
        _ => Err(NotTorchState("one of its `hotkeys` is no text".into())),
    };
    values.iter().map(hotkey).collect()
}

/// The numbers of a tensor of one dimension. NaN and what is outside of 0 to 1 become scores as
/// everywhere.
fn numbers<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    folder: &str,
    tensor: &Tensor,
) -> Result<Vec<Score>, NotTorchState> {
    let Tensor { storage, offset, length } = tensor;
    let width = match storage.element {
        ElementType::Float => 4,
        ElementType::Double => 8,
    };
    if storage.count > MOST_NEURONS {
        return Err(NotTorchState(format!("its `scores` are {}", storage.count)));
    }
    let size = storage.count * width;
    // The key is a name within the zip; it goes nowhere near the file system.
    let bytes = entry(archive, &format!("{folder}/data/{}", storage.key), size as u64)?;
    let end = offset.checked_add(*length).filter(|end| *end <= storage.count);
    let (Some(end), true) = (end, bytes.len() == size) else {
        return Err(NotTorchState("its `scores` are cut off".into()));
    };
    let number = |bytes: &[u8]| match storage.element {
        ElementType::Float => bytes.try_into().map(f32::from_le_bytes).map(f64::from).ok(),
        ElementType::Double => bytes.try_into().map(f64::from_le_bytes).ok(),
    };
    let wanted = bytes.get(offset * width..end * width).unwrap_or_default();
    Ok(wanted.chunks_exact(width).filter_map(number).map(Score::new).collect())
}

/// The whole of an entry, which must not be longer than `most`.
fn entry<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    name: &str,
    most: u64,
) -> Result<Vec<u8>, NotTorchState> {
    let failure = |cause: &dyn std::fmt::Display| NotTorchState(format!("its {name:?}: {cause}"));
    let entry = archive.by_name(name).map_err(|error| failure(&error))?;
    let mut bytes = Vec::new();
    entry.take(most + 1).read_to_end(&mut bytes).map_err(|error| failure(&error))?;
    if bytes.len() as u64 > most {
        return Err(failure(&format!("longer than {most} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
