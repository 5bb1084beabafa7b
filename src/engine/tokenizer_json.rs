//! `tokenizer.json`, the tokenizer of transformers' models, run by the crate `tokenizers`.
//!
//! The file is not handed to the crate as it is. Parts of it that models of ours have are let
//! through one by one: others may panic on odd settings, or make a text grow without bound. The
//! names of special tokens are taken out of the vocabulary, so that no text can become one, and
//! text is decoded here where tokens can be single bytes.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::{Map, Value};
use sn1_actors::ports::CodecError;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::{DecoderWrapper, NormalizerWrapper, PreTokenizerWrapper, Tokenizer};

use super::load_error::LoadProblem;
use super::sentence_piece::join_pieces;

/// Parts of a sequence, and characters of a regular expression.
const MAX_PARTS: usize = 8;
const MAX_PATTERN: usize = 1024;

/// A token that the file adds to its model's vocabulary.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct AddedToken {
    pub(super) id: u32,
    /// Its name as text.
    pub(super) content: String,
    /// Whether it is no text.
    #[serde(default)]
    pub(super) special: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
    #[serde(default)]
    single_word: bool,
}

/// How ids become text.
#[derive(Debug)]
enum Decoding {
    /// Pieces with `▁` for a space and tokens for bytes; whether a first space is taken away.
    Pieces { strip: bool },
    /// As the crate does it.
    Crate,
}

/// A tokenizer out of a `tokenizer.json`.
#[derive(Debug)]
pub(super) struct JsonTokenizer {
    start: Tokenizer,
    /// For what follows a control token, where that differs.
    later: Option<Tokenizer>,
    decoding: Decoding,
    names: HashMap<u32, String>,
    ids: HashMap<String, u32>,
    added: Vec<AddedToken>,
}

impl JsonTokenizer {
    /// `vocabulary` is how many tokens the model has; added tokens beyond are left out.
    pub(super) fn parse(bytes: &[u8], vocabulary: usize) -> Result<Self, LoadProblem> {
        let file: Map<String, Value> =
            serde_json::from_slice(bytes).map_err(|e| LoadProblem::Damaged(e.to_string()))?;
        let part = |key: &str| file.get(key).filter(|part| !part.is_null());
        let added = part("added_tokens").cloned().unwrap_or_else(|| Value::Array(Vec::new()));
        let mut added: Vec<AddedToken> = serde_json::from_value(added)
            .map_err(|e| LoadProblem::Damaged(format!("added_tokens: {e}")))?;
        added.retain(|token| (token.id as usize) < vocabulary && !token.content.is_empty());
        if let Some(token) = added.iter().find(|t| t.lstrip || t.rstrip || t.single_word) {
            return Err(LoadProblem::Unsupported(format!(
                "token {:?} changes what is beside it",
                token.content
            )));
        }
        let model = part("model").ok_or_else(|| LoadProblem::MissingMetadata("model".into()))?;
        let model = Model::check(model, vocabulary)?;
        let decoder = part("decoder");
        let decoding = decoding(decoder)?;
        let mut start = Tokenizer::new(model.build(&added)?);
        if let Some(normalizer) = part("normalizer") {
            check(normalizer, "normalizer", is_plain_normalizer)?;
            let normalizer: NormalizerWrapper = parsed(normalizer, "normalizer")?;
            start
                .with_normalizer(Some(normalizer))
                .map_err(|e| LoadProblem::Damaged(format!("normalizer: {e}")))?;
        }
        if let Some(decoder) = decoder {
            start.with_decoder(Some(parsed::<DecoderWrapper>(decoder, "decoder")?));
        }
        let mut later = None;
        if let Some(pre_tokenizer) = part("pre_tokenizer") {
            check(pre_tokenizer, "pre_tokenizer", is_plain_pre_tokenizer)?;
            let mut inner = pre_tokenizer.clone();
            if never_prepend(&mut inner) {
                let mut other = start.clone();
                other.with_pre_tokenizer(Some(parsed::<PreTokenizerWrapper>(&inner, "it")?));
                later = Some(other);
            }
            let parsed: PreTokenizerWrapper = parsed(pre_tokenizer, "pre_tokenizer")?;
            start.with_pre_tokenizer(Some(parsed));
        }
        let mut ids = model.vocabulary;
        let mut names: HashMap<u32, String> =
            ids.iter().map(|(name, id)| (*id, name.clone())).collect();
        for token in &added {
            ids.insert(token.content.clone(), token.id);
            names.insert(token.id, token.content.clone());
        }
        Ok(Self { start, later, decoding, names, ids, added })
    }

    /// The tokens that the file adds: its control tokens, and text that is always one token.
    pub(super) fn added(&self) -> &[AddedToken] {
        &self.added
    }

    /// The token of that name.
    pub(super) fn id(&self, name: &str) -> Option<u32> {
        self.ids.get(name).copied()
    }

    /// The ids of a text without control tokens; `start` tells that nothing is before it.
    pub(super) fn encode(&self, text: &str, start: bool) -> Result<Vec<u32>, CodecError> {
        let later = self.later.as_ref().filter(|_| !start);
        let encoding = later.unwrap_or(&self.start).encode_fast(text, false);
        let encoding = encoding.map_err(|e| CodecError(e.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The text of these ids; unknown ids are left out.
    pub(super) fn decode(&self, ids: &[u32]) -> String {
        if let Decoding::Pieces { strip } = self.decoding {
            return join_pieces(ids.iter().filter_map(|id| self.names.get(id)), strip);
        }
        let added = |id: &u32| self.added.iter().find(|token| token.id == *id);
        let mut text = String::new();
        for run in ids.chunk_by(|a, b| added(a).is_some() == added(b).is_some()) {
            match run.first().and_then(added) {
                Some(_) => text.extend(run.iter().filter_map(added).map(|t| t.content.as_str())),
                // The decoders that are let through do not fail.
                None => text.push_str(&self.start.decode(run, false).unwrap_or_default()),
            }
        }
        text
    }
}

/// The file's `model`, checked.
struct Model {
    vocabulary: HashMap<String, u32>,
    merges: Vec<(String, String)>,
    unknown: Option<String>,
    fuse_unknown: bool,
    byte_fallback: bool,
    ignore_merges: bool,
}

/// The file's `model` as it is written.
#[derive(Deserialize)]
struct Bpe {
    dropout: Option<f32>,
    unk_token: Option<String>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    #[serde(default)]
    fuse_unk: bool,
    #[serde(default)]
    byte_fallback: bool,
    #[serde(default)]
    ignore_merges: bool,
    vocab: HashMap<String, u32>,
    merges: Vec<Merge>,
}

/// A merge, in the older or the newer way.
#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Spaced(String),
    Pair(String, String),
}

impl Model {
    fn check(model: &Value, vocabulary: usize) -> Result<Self, LoadProblem> {
        match model.get("type").and_then(Value::as_str) {
            Some("BPE") => {}
            other => return Err(LoadProblem::Unsupported(format!("the tokenizer {other:?}"))),
        }
        let bpe: Bpe = parsed(model, "model")?;
        let affix = |affix: &Option<String>| affix.as_ref().is_some_and(|affix| !affix.is_empty());
        if affix(&bpe.continuing_subword_prefix)
            || affix(&bpe.end_of_word_suffix)
            || bpe.dropout.is_some_and(|dropout| dropout != 0.0)
        {
            return Err(LoadProblem::Unsupported("BPE with affixes or dropout".into()));
        }
        if let Some((name, id)) = bpe.vocab.iter().find(|(_, id)| **id as usize >= vocabulary) {
            return Err(LoadProblem::Damaged(format!(
                "token {name:?} is number {id} of the model's {vocabulary}"
            )));
        }
        let mut merges = Vec::with_capacity(bpe.merges.len());
        for merge in bpe.merges {
            let (left, right) = match merge {
                Merge::Pair(left, right) => (left, right),
                Merge::Spaced(text) => match text.split_once(' ') {
                    Some((left, right)) => (left.to_owned(), right.to_owned()),
                    None => return Err(LoadProblem::Damaged(format!("merge {text:?}"))),
                },
            };
            // The crate panics on a merge whose result is longer than any token.
            let parts = [&left, &right, &format!("{left}{right}")];
            if left.is_empty()
                || right.is_empty()
                || !parts.iter().all(|part| bpe.vocab.contains_key(*part))
            {
                return Err(LoadProblem::Damaged(format!(
                    "merge {left:?} {right:?} is not of its vocabulary"
                )));
            }
            merges.push((left, right));
        }
        Ok(Self {
            vocabulary: bpe.vocab,
            merges,
            unknown: bpe.unk_token,
            fuse_unknown: bpe.fuse_unk,
            byte_fallback: bpe.byte_fallback,
            ignore_merges: bpe.ignore_merges,
        })
    }

    /// The model without its special tokens: what is unknown alone must still have an id, but no
    /// text can be merged into it.
    fn build(&self, added: &[AddedToken]) -> Result<BPE, LoadProblem> {
        let special: HashSet<&str> = added
            .iter()
            .filter(|token| token.special)
            .map(|token| token.content.as_str())
            .chain(self.unknown.as_deref())
            .collect();
        let is_unknown = |name: &str| self.unknown.as_deref() == Some(name);
        let vocabulary: Vocab = self
            .vocabulary
            .iter()
            .filter(|(name, _)| !special.contains(name.as_str()) || is_unknown(name))
            .map(|(name, id)| (name.clone(), *id))
            .collect();
        let merges = self.merges.iter().filter(|(left, right)| {
            let parts = [left.as_str(), right, &format!("{left}{right}")];
            !parts.iter().any(|part| special.contains(part))
        });
        let mut builder = BPE::builder()
            .vocab_and_merges(vocabulary, merges.cloned().collect())
            .fuse_unk(self.fuse_unknown)
            .byte_fallback(self.byte_fallback)
            .ignore_merges(self.ignore_merges);
        // The crate fails on unknown text where the unknown token is none of its vocabulary.
        if let Some(unknown) = &self.unknown {
            if !self.vocabulary.contains_key(unknown) {
                return Err(LoadProblem::Damaged(format!("unk_token {unknown:?} is no token")));
            }
            builder = builder.unk_token(unknown.clone());
        }
        builder.build().map_err(|e| LoadProblem::Damaged(format!("model: {e}")))
    }
}

fn parsed<'de, T: Deserialize<'de>>(part: &'de Value, what: &str) -> Result<T, LoadProblem> {
    T::deserialize(part).map_err(|e| LoadProblem::Damaged(format!("{what}: {e}")))
}

/// Refuses a part, or a part of a sequence, that is not `plain`.
fn check(part: &Value, what: &str, plain: fn(&Value) -> bool) -> Result<(), LoadProblem> {
    match sequence(part).iter().find(|part| !plain(part)) {
        None => Ok(()),
        Some(part) => {
            let kind = part.get("type").and_then(Value::as_str).unwrap_or("?");
            let kind: String = kind.chars().take(80).collect();
            Err(LoadProblem::Unsupported(format!("the {what} {kind}, or its settings")))
        }
    }
}

/// The parts of a sequence, or the part itself; of a sequence too long the whole, which is not
/// plain.
fn sequence(part: &Value) -> Vec<&Value> {
    let parts = ["normalizers", "pretokenizers", "decoders"].iter().find_map(|key| part.get(key));
    match parts {
        Some(Value::Array(parts)) if kind(part) == "Sequence" && parts.len() <= MAX_PARTS => {
            parts.iter().collect()
        }
        _ => vec![part],
    }
}

fn kind(part: &Value) -> &str {
    part.get("type").and_then(Value::as_str).unwrap_or("")
}

/// Replaces one text by another of about its length.
fn replaces(part: &Value, from: &str, to: &str) -> bool {
    kind(part) == "Replace" && part["pattern"]["String"] == *from && part["content"] == *to
}

fn is_plain_normalizer(part: &Value) -> bool {
    match kind(part) {
        "Prepend" => part["prepend"] == "▁",
        "Replace" => replaces(part, " ", "▁"),
        "NFC" => true,
        _ => false,
    }
}

fn is_plain_pre_tokenizer(part: &Value) -> bool {
    match kind(part) {
        "ByteLevel" | "Digits" => true,
        "Metaspace" => part["replacement"] == "▁",
        "Split" => {
            let pattern = part["pattern"]["Regex"].as_str().or(part["pattern"]["String"].as_str());
            pattern.is_some_and(|pattern| !pattern.is_empty() && pattern.len() <= MAX_PATTERN)
        }
        _ => false,
    }
}

fn is_plain_decoder(part: &Value) -> bool {
    match kind(part) {
        "ByteLevel" | "ByteFallback" | "Fuse" => true,
        "Metaspace" => part["replacement"] == "▁",
        "Replace" => replaces(part, "▁", " "),
        "Strip" => part["content"] == " " && part["start"] == 1 && part["stop"] == 0,
        _ => false,
    }
}

/// How text is decoded: by ourselves where tokens can be single bytes.
fn decoding(decoder: Option<&Value>) -> Result<Decoding, LoadProblem> {
    let Some(decoder) = decoder else {
        return Err(LoadProblem::MissingMetadata("decoder".into()));
    };
    check(decoder, "decoder", is_plain_decoder)?;
    let kinds: Vec<&str> = sequence(decoder).into_iter().map(kind).collect();
    Ok(match kinds.as_slice() {
        ["Replace", "ByteFallback", "Fuse"] => Decoding::Pieces { strip: false },
        ["Replace", "ByteFallback", "Fuse", "Strip"] => Decoding::Pieces { strip: true },
        _ => Decoding::Crate,
    })
}

/// Turns `first` into `never` wherever a space is put before the text's start only. Tells whether
/// it was there.
fn never_prepend(part: &mut Value) -> bool {
    if let Some(Value::Array(parts)) = part.get_mut("pretokenizers") {
        let mut found = false;
        for part in parts {
            found |= never_prepend(part);
        }
        return found;
    }
    let first = kind(part) == "Metaspace" && part["prepend_scheme"] == "first";
    if first {
        part["prepend_scheme"] = "never".into();
        if let Some(older) = part.get_mut("add_prefix_space") {
            *older = false.into();
        }
    }
    first
}
