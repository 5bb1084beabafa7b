//! What kind of encoder a folder holds: sizes, pooling, and how long a text may be.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::engine::load_error::{LoadError, LoadProblem};

/// The largest JSON file that is read, in bytes: some ten times what this kind of model has.
pub(super) const MAX_JSON_BYTES: u64 = 1 << 24;
/// More layers than any model of this kind has.
const MAX_LAYERS: usize = 1 << 10;

/// How the vector of a text is made of those of its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pooling {
    /// Their mean, as all-MiniLM-L6-v2 has it.
    Mean,
    /// That of the first, `[CLS]`, as UAE-Large-V1 has it.
    Cls,
}

/// All that is known of an encoder besides its weights and its tokenizer.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) sizes: Sizes,
    pub(super) pooling: Pooling,
    /// What the model was trained on; longer texts are cut.
    pub(super) max_tokens: usize,
}

/// The fields of `config.json` that matter here.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Sizes {
    hidden_act: String,
    #[serde(rename = "hidden_size")]
    pub(super) width: usize,
    #[serde(rename = "intermediate_size")]
    pub(super) hidden: usize,
    #[serde(rename = "layer_norm_eps")]
    pub(super) epsilon: f32,
    #[serde(rename = "max_position_embeddings")]
    pub(super) positions: usize,
    #[serde(rename = "num_attention_heads")]
    pub(super) heads: usize,
    #[serde(rename = "num_hidden_layers")]
    pub(super) layers: usize,
    #[serde(rename = "type_vocab_size")]
    pub(super) segments: usize,
    #[serde(rename = "vocab_size")]
    pub(super) vocabulary: usize,
}

/// `1_Pooling/config.json` of sentence-transformers: one flag a kind in older files, one word in
/// newer ones.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PoolingFile {
    pooling_mode: Option<String>,
    pooling_mode_cls_token: bool,
    pooling_mode_mean_tokens: bool,
    pooling_mode_max_tokens: bool,
    pooling_mode_mean_sqrt_len_tokens: bool,
    pooling_mode_weightedmean_tokens: bool,
    pooling_mode_lasttoken: bool,
}

/// `sentence_bert_config.json` of sentence-transformers.
#[derive(Debug, Deserialize)]
struct LengthFile {
    max_seq_length: Option<usize>,
}

impl Config {
    /// Reads what `folder` says of its encoder. Pooling and length stand in files of
    /// sentence-transformers, which a folder may lack. An encoder of BERT-large's size is then
    /// taken for UAE-Large-V1: `[CLS]`, 512 tokens; any other for all-MiniLM-L6-v2: mean, 256.
    pub(super) fn read(folder: &Path) -> Result<Self, LoadError> {
        let sizes: Sizes = required(&folder.join("config.json"), Sizes::check)?;
        let is_large = sizes.width == 1_024 && sizes.layers == 24;
        let pooling = optional(&folder.join("1_Pooling/config.json"), PoolingFile::pooling)?;
        let pooling = pooling.unwrap_or(if is_large { Pooling::Cls } else { Pooling::Mean });
        let length = |file: LengthFile| match file.max_seq_length {
            Some(0) => Err(LoadProblem::Damaged("its texts have no tokens".into())),
            length => Ok(length),
        };
        let length = optional(&folder.join("sentence_bert_config.json"), length)?.flatten();
        let length = length.unwrap_or(if is_large { 512 } else { 256 });
        Ok(Self { max_tokens: length.min(sizes.positions), sizes, pooling })
    }
}

impl Sizes {
    fn check(self) -> Result<Self, LoadProblem> {
        if self.hidden_act != "gelu" {
            return Err(LoadProblem::Unsupported(format!("activation {}", self.hidden_act)));
        }
        if self.heads == 0
            || self.width == 0
            || self.hidden == 0
            || self.positions == 0
            || self.segments == 0
            || !self.width.is_multiple_of(self.heads)
            || self.layers > MAX_LAYERS
            || !(self.epsilon >= 0.0 && self.epsilon < 1.0)
        {
            return Err(LoadProblem::Damaged(format!("its sizes are impossible: {self:?}")));
        }
        Ok(self)
    }
}

impl PoolingFile {
    fn pooling(self) -> Result<Pooling, LoadProblem> {
        let flags = [
            ("cls", self.pooling_mode_cls_token),
            ("mean", self.pooling_mode_mean_tokens),
            ("max", self.pooling_mode_max_tokens),
            ("mean_sqrt_len_tokens", self.pooling_mode_mean_sqrt_len_tokens),
            ("weightedmean", self.pooling_mode_weightedmean_tokens),
            ("lasttoken", self.pooling_mode_lasttoken),
        ];
        let set: Vec<&str> = flags.iter().filter(|(_, set)| *set).map(|(name, _)| *name).collect();
        let mode = self.pooling_mode.unwrap_or_else(|| set.join("+"));
        match mode.as_str() {
            "mean" => Ok(Pooling::Mean),
            "cls" => Ok(Pooling::Cls),
            other => Err(LoadProblem::Unsupported(format!("pooling {other:?}"))),
        }
    }
}

fn required<File: DeserializeOwned, Read>(
    path: &Path,
    check: impl FnOnce(File) -> Result<Read, LoadProblem>,
) -> Result<Read, LoadError> {
    let parse = |bytes: Vec<u8>| {
        serde_json::from_slice(&bytes).map_err(|e| LoadProblem::Damaged(e.to_string()))
    };
    read(path, MAX_JSON_BYTES).and_then(parse).and_then(check).map_err(|problem| problem.at(path))
}

fn optional<File: DeserializeOwned, Read>(
    path: &Path,
    check: impl FnOnce(File) -> Result<Read, LoadProblem>,
) -> Result<Option<Read>, LoadError> {
    match required(path, check) {
        Err(LoadError { problem: LoadProblem::Missing, .. }) => Ok(None),
        read => read.map(Some),
    }
}

/// A whole file of at most `max` bytes.
pub(super) fn read(path: &Path, max: u64) -> Result<Vec<u8>, LoadProblem> {
    let mut bytes = Vec::new();
    File::open(path)?.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        return Err(LoadProblem::Unsupported(format!("it is larger than {max} bytes")));
    }
    Ok(bytes)
}
