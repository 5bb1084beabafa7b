//! Sentence embeddings by a BERT encoder, such as all-MiniLM-L6-v2 and UAE-Large-V1. Reads a folder
//! with `config.json`, `tokenizer.json` and `model.safetensors`, and what sentence-transformers
//! puts beside them if it is there.
//!
//! Texts run together without padding: their tokens are rows of one matrix, and only attention
//! knows where a text begins and ends. A text's vector is the same to the bit whatever else runs
//! with it. Left out: other poolings than mean and `[CLS]`, and pairs of texts.

mod attention;
mod config;
mod functions;
#[cfg(test)]
mod tests;
mod weights;

use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

use sn1_actors::ports::EngineError;
use sn1_actors::text::boundary::floor;
use tokenizers::{Tokenizer, TruncationParams};

use self::attention::HeadAttention;
use self::config::{Config, MAX_JSON_BYTES, Pooling, read};
use self::functions::{AddAndGelu, AddAndNorm};
use self::weights::{Layer, Norm, Weights};
use super::kernels::Isa;
use super::load_error::{LoadError, LoadProblem};
use super::thread_team::ThreadTeam;

/// Longer texts are cut before they are tokenised: bytes a token, which only whitespace exceeds.
const MAX_TOKEN_BYTES: usize = 256;
/// Tokens that run together; only a longer text exceeds it.
const BATCH_ROWS: usize = 512;
/// Rows that a thread takes at a time where each row is worked on by itself.
const CHUNK_ROWS: usize = 16;

/// An embedding model.
pub(super) struct Bert {
    tokenizer: Tokenizer,
    config: Config,
    weights: Weights,
}

impl Bert {
    /// Reads the model in `folder`.
    pub(super) fn load(folder: &Path) -> Result<Self, LoadError> {
        let config = Config::read(folder)?;
        let path = folder.join("tokenizer.json");
        let tokenizer = read_tokenizer(&path, &config).map_err(|problem| problem.at(&path))?;
        let path = folder.join("model.safetensors");
        let weights = Weights::read(&path, &config.sizes).map_err(|problem| problem.at(&path))?;
        Ok(Self { tokenizer, config, weights })
    }

    /// As [`sn1_actors::ports::StepEngine::embed`]: a vector of unit length a text.
    pub(super) fn embed(
        &self,
        team: &mut ThreadTeam,
        isa: Isa,
        texts: &[String],
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let slots: Vec<OnceLock<_>> = texts.iter().map(|_| OnceLock::new()).collect();
        team.for_each(texts.len(), |i| {
            slots[i].get_or_init(|| self.tokens(&texts[i]));
        });
        let tokens = slots.into_iter().filter_map(OnceLock::into_inner);
        let tokens = tokens.collect::<Result<Vec<Vec<u32>>, EngineError>>()?;

        // The longest first: the short ones then fill the batches evenly.
        let mut order: Vec<usize> = (0..tokens.len()).collect();
        order.sort_by_key(|i| std::cmp::Reverse(tokens[*i].len()));
        let mut vectors = vec![Vec::new(); texts.len()];
        let mut rest = order.as_slice();
        while !rest.is_empty() {
            let mut rows = 0;
            let fits = |i: &&usize| {
                rows += tokens[**i].len();
                rows <= BATCH_ROWS
            };
            let count = rest.iter().take_while(fits).count().max(1);
            let (batch, later) = rest.split_at(count);
            let batch_tokens: Vec<&[u32]> = batch.iter().map(|i| tokens[*i].as_slice()).collect();
            for (i, vector) in batch.iter().zip(self.encode(team, isa, &batch_tokens)) {
                vectors[*i] = vector;
            }
            rest = later;
        }
        Ok(vectors)
    }

    /// At least one token, and none that there is no vector for.
    fn tokens(&self, text: &str) -> Result<Vec<u32>, EngineError> {
        let end = floor(text, self.config.max_tokens * MAX_TOKEN_BYTES);
        let encoding = self.tokenizer.encode_fast(&text[..end], true);
        let encoding = encoding.map_err(|e| EngineError::Request(e.to_string()))?;
        let tokens = encoding.get_ids().to_vec();
        let vocabulary = self.config.sizes.vocabulary;
        match tokens.iter().find(|token| **token as usize >= vocabulary) {
            Some(token) => Err(EngineError::Request(format!(
                "token {token} is beyond the embedding model's vocabulary of {vocabulary}"
            ))),
            None if tokens.is_empty() => Err(EngineError::Request("a text has no tokens".into())),
            None => Ok(tokens),
        }
    }

    /// The vectors of texts that run together.
    fn encode(&self, team: &mut ThreadTeam, isa: Isa, texts: &[&[u32]]) -> Vec<Vec<f32>> {
        let width = self.config.sizes.width;
        let mut ranges = Vec::new();
        let mut x = Vec::new();
        for tokens in texts {
            let first = x.len() / width;
            ranges.push(first..first + tokens.len());
            for token in *tokens {
                x.extend_from_slice(&self.weights.words[*token as usize * width..][..width]);
            }
        }
        let places = ranges.iter().flat_map(|text| &self.weights.places[..text.len() * width]);
        let places: Vec<f32> = places.copied().collect();
        add_and_norm(team, isa, &mut x, &places, &vec![0.0; width], &self.weights.norm);
        let mut buffers = Buffers::default();
        for layer in &self.weights.layers {
            self.run_layer(team, isa, layer, &ranges, &mut x, &mut buffers);
        }
        ranges.into_iter().map(|text| self.pool(&x[text.start * width..text.end * width])).collect()
    }

    fn run_layer(
        &self,
        team: &mut ThreadTeam,
        isa: Isa,
        layer: &Layer,
        texts: &[Range<usize>],
        x: &mut [f32],
        buffers: &mut Buffers,
    ) {
        let (width, heads) = (self.config.sizes.width, self.config.sizes.heads);
        let Buffers { qkv, attended, hidden, update } = buffers;
        layer.qkv.matrix.multiply(team, isa, x, qkv);
        attended.resize(x.len(), 0.0);
        team.for_each_panel(attended, width, width / heads, |head, out| {
            let (bias, head_width) = (layer.qkv.bias.as_slice(), width / heads);
            isa.run(HeadAttention { qkv, bias, head, head_width, texts, out });
        });
        layer.attention_output.matrix.multiply(team, isa, attended, update);
        add_and_norm(team, isa, x, update, &layer.attention_output.bias, &layer.attention_norm);
        layer.intermediate.matrix.multiply(team, isa, x, hidden);
        let bias = layer.intermediate.bias.as_slice();
        team.for_each_chunk(hidden, CHUNK_ROWS * bias.len(), |_, rows| {
            isa.run(AddAndGelu { rows, bias });
        });
        layer.output.matrix.multiply(team, isa, hidden, update);
        add_and_norm(team, isa, x, update, &layer.output.bias, &layer.output_norm);
    }

    /// The vector of one text, given those of its tokens.
    fn pool(&self, rows: &[f32]) -> Vec<f32> {
        let width = self.config.sizes.width;
        let mut vector = rows[..width].to_vec();
        if self.config.pooling == Pooling::Mean {
            for row in rows[width..].chunks_exact(width) {
                vector.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
        }
        // The mean and the sum have the same direction.
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        vector.iter_mut().for_each(|x| *x /= length.max(f32::MIN_POSITIVE));
        vector
    }
}

/// What layers need while they run, kept from one to the next.
#[derive(Default)]
struct Buffers {
    qkv: Vec<f32>,
    attended: Vec<f32>,
    hidden: Vec<f32>,
    update: Vec<f32>,
}

fn add_and_norm(
    team: &mut ThreadTeam,
    isa: Isa,
    x: &mut [f32],
    update: &[f32],
    bias: &[f32],
    norm: &Norm,
) {
    let chunk = CHUNK_ROWS * bias.len();
    team.for_each_chunk(x, chunk, |index, rows| {
        let update = &update[index * chunk..][..rows.len()];
        isa.run(AddAndNorm { rows, update, bias, norm });
    });
}

fn read_tokenizer(path: &Path, config: &Config) -> Result<Tokenizer, LoadProblem> {
    let damaged = |e: tokenizers::Error| LoadProblem::Damaged(e.to_string());
    let mut tokenizer = Tokenizer::from_bytes(read(path, MAX_JSON_BYTES)?).map_err(damaged)?;
    if tokenizer.get_vocab_size(true) > config.sizes.vocabulary {
        return Err(LoadProblem::Damaged("it has more tokens than the model".into()));
    }
    let truncation =
        TruncationParams { max_length: config.max_tokens, ..TruncationParams::default() };
    tokenizer.with_truncation(Some(truncation)).map_err(damaged)?;
    tokenizer.with_padding(None);
    Ok(tokenizer)
}
