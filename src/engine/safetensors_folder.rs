//! A language model's folder as transformers writes it: `config.json` and the weights, in
//! `model.safetensors` or in the shards that `model.safetensors.index.json` names.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use super::load_error::LoadProblem;
use super::model_config::ModelConfig;
use super::model_file::TensorName;
use super::raw_tensor::RawTensor;
use super::safetensors::Safetensors;

const WHOLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
/// Some ten times what the largest open models have.
const MAX_INDEX_BYTES: u64 = 1 << 24;
const MAX_SHARDS: usize = 256;

/// A model's weights by tensor, spread over files that are all open.
#[derive(Debug)]
pub(super) struct SafetensorsFolder {
    config: ModelConfig,
    shards: Vec<(String, Safetensors)>,
    /// Which of the shards a tensor lies in.
    places: HashMap<String, usize>,
}

/// What matters of `model.safetensors.index.json`: which file each tensor lies in.
#[derive(Debug, Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl SafetensorsFolder {
    pub(super) fn open(folder: &Path) -> Result<Self, LoadProblem> {
        let config = ModelConfig::read(folder)?;
        // Where both are there, transformers takes the whole one.
        let index = match folder.join(WHOLE).exists() {
            true => Index { weight_map: BTreeMap::new() },
            false => read_index(folder).map_err(|problem| problem.within(INDEX))?,
        };
        let mut names: BTreeSet<&str> = index.weight_map.values().map(String::as_str).collect();
        if index.weight_map.is_empty() {
            names.insert(WHOLE);
        }
        let mut shards = Vec::new();
        let mut places = HashMap::new();
        for (number, name) in names.into_iter().enumerate() {
            let shard = Safetensors::open(&folder.join(name)).map_err(|p| p.within(name))?;
            for tensor in shard.tensor_names() {
                if places.insert(tensor.to_owned(), number).is_some() {
                    let cause = format!("tensor {tensor} is in two files");
                    return Err(LoadProblem::Damaged(cause).within(name));
                }
            }
            shards.push((name.to_owned(), shard));
        }
        for (tensor, file) in &index.weight_map {
            if places.get(tensor).is_none_or(|number| shards[*number].0 != *file) {
                return Err(LoadProblem::MissingTensor(tensor.clone()).within(file));
            }
        }
        let this = Self { config, shards, places };
        this.check_names()?;
        Ok(this)
    }

    /// Refuses tensors that a model of this architecture has no use for: it would be another model
    /// without them.
    fn check_names(&self) -> Result<(), LoadProblem> {
        let known = |name: &str| {
            name.ends_with("rotary_emb.inv_freq")
                || !(name.ends_with(".bias") || name.contains("q_norm") || name.contains("k_norm"))
        };
        if let Some(name) = self.places.keys().find(|name| !known(name)) {
            return Err(LoadProblem::Unsupported(format!("it uses the tensor {name}")));
        }
        let head = TensorName::Head.in_safetensors();
        if !self.config.ties_head() && !self.places.contains_key(&head) {
            return Err(LoadProblem::MissingTensor(head));
        }
        Ok(())
    }

    pub(super) fn config(&self) -> &ModelConfig {
        &self.config
    }

    pub(super) fn has(&self, name: TensorName) -> bool {
        let tied = name == TensorName::Head && self.config.ties_head();
        !tied && self.places.contains_key(&name.in_safetensors())
    }

    /// The tensors' shapes.
    pub(super) fn shapes(&self) -> impl Iterator<Item = &[usize]> {
        self.shards.iter().flat_map(|(_, shard)| shard.shapes())
    }

    pub(super) fn shape(&self, name: &str) -> Result<&[usize], LoadProblem> {
        self.shards[self.place(name)?].1.shape(name)
    }

    /// A tensor of this shape as it lies in its file.
    pub(super) fn raw(&mut self, name: &str, shape: &[usize]) -> Result<RawTensor, LoadProblem> {
        let number = self.place(name)?;
        let (file, shard) = &mut self.shards[number];
        shard.raw(name, shape).map_err(|problem| problem.within(file))
    }

    fn place(&self, name: &str) -> Result<usize, LoadProblem> {
        self.places.get(name).copied().ok_or_else(|| LoadProblem::MissingTensor(name.into()))
    }
}

fn read_index(folder: &Path) -> Result<Index, LoadProblem> {
    let bytes = read_bounded(&folder.join(INDEX), MAX_INDEX_BYTES)?;
    let index: Index =
        serde_json::from_slice(&bytes).map_err(|e| LoadProblem::Damaged(e.to_string()))?;
    let files: BTreeSet<&String> = index.weight_map.values().collect();
    if files.is_empty() || files.len() > MAX_SHARDS {
        return Err(LoadProblem::Damaged(format!("it names {} files", files.len())));
    }
    for file in files {
        // It comes from outside, and must not lead out of the folder.
        if !is_plain(file) || !file.ends_with(".safetensors") {
            return Err(LoadProblem::Damaged(format!("it names the file {file:?}")));
        }
    }
    Ok(index)
}

fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    name.len() <= 128 && name.chars().all(plain) && !name.starts_with('.')
}

/// A small file of a model's folder, refused where it is larger than `max` bytes.
pub(super) fn read_bounded(path: &Path, max: u64) -> Result<Vec<u8>, LoadProblem> {
    // A pipe would hold the program up.
    if !fs::metadata(path)?.is_file() {
        return Err(LoadProblem::Unsupported("it is no regular file".into()));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        return Err(LoadProblem::Unsupported(format!("it is larger than {max} bytes")));
    }
    Ok(bytes)
}
