//! Sentence embeddings by a BERT encoder in the manner of all-MiniLM-L6-v2: mean over the tokens,
//! then unit length. Reads a folder with `config.json`, `tokenizer.json` and `model.safetensors`.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use candle_core::{D, DType, Device, Result as CandleResult, Tensor};
use candle_nn::ops::softmax_last_dim;
use candle_nn::{Embedding, LayerNorm, Linear, Module};
use serde::Deserialize;
use sn1_actors::ports::EngineError;
use tokenizers::{Tokenizer, TruncationParams};

use super::load_error::{LoadError, LoadProblem};

/// What the model was trained on; longer texts are cut.
const MAX_TOKENS: usize = 256;
/// Longer texts are cut before they are tokenised: 256 bytes a token, which only whitespace exceeds.
const MAX_BYTES: usize = MAX_TOKENS * 256;
/// Texts that run together, padded to the longest.
const BATCH: usize = 8;
/// Bounds on the files, some ten times what this kind of model has.
const MAX_JSON_BYTES: u64 = 1 << 24;
const MAX_WEIGHT_BYTES: u64 = 1 << 30;

/// The fields of `config.json` that matter here.
#[derive(Clone, Debug, Deserialize)]
struct Config {
    hidden_act: String,
    hidden_size: usize,
    intermediate_size: usize,
    layer_norm_eps: f64,
    max_position_embeddings: usize,
    num_attention_heads: usize,
    num_hidden_layers: usize,
    #[serde(default)]
    pad_token_id: u32,
    type_vocab_size: usize,
    vocab_size: usize,
}

struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attention_output: Linear,
    attention_norm: LayerNorm,
    intermediate: Linear,
    output: Linear,
    output_norm: LayerNorm,
}

/// An embedding model.
pub(super) struct MiniLm {
    tokenizer: Tokenizer,
    config: Config,
    words: Embedding,
    /// Position and segment, which is always the first, added together.
    places: Tensor,
    embedding_norm: LayerNorm,
    layers: Vec<Layer>,
}

impl MiniLm {
    pub(super) fn load(folder: &Path) -> Result<Self, LoadError> {
        let path = folder.join("config.json");
        let config = read(&path, MAX_JSON_BYTES).and_then(|bytes| {
            serde_json::from_slice(&bytes).map_err(|e| LoadProblem::Damaged(e.to_string()))
        });
        let config: Config = config.map_err(|problem| problem.at(&path))?;
        config.check().map_err(|problem| problem.at(&path))?;
        let path = folder.join("tokenizer.json");
        let tokenizer = read_tokenizer(&path, &config).map_err(|problem| problem.at(&path))?;
        let path = folder.join("model.safetensors");
        let tensors = read(&path, MAX_WEIGHT_BYTES).and_then(|bytes| {
            candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
                .map_err(|e| LoadProblem::Damaged(e.to_string()))
        });
        tensors
            .and_then(|tensors| Self::assemble(config, tokenizer, Tensors(tensors)))
            .map_err(|problem| problem.at(&path))
    }

    fn assemble(
        config: Config,
        tokenizer: Tokenizer,
        mut tensors: Tensors,
    ) -> Result<Self, LoadProblem> {
        let (width, hidden, eps) =
            (config.hidden_size, config.intermediate_size, config.layer_norm_eps);
        let tensors = &mut tensors;
        let words =
            tensors.take("embeddings.word_embeddings.weight", &[config.vocab_size, width])?;
        let positions = tensors.take(
            "embeddings.position_embeddings.weight",
            &[config.max_position_embeddings, width],
        )?;
        let segments = tensors
            .take("embeddings.token_type_embeddings.weight", &[config.type_vocab_size, width])?;
        let places = segments.narrow(0, 0, 1).and_then(|segment| positions.broadcast_add(&segment));
        let mut layers = Vec::new();
        for number in 0..config.num_hidden_layers {
            let of = |name: &str| format!("encoder.layer.{number}.{name}");
            layers.push(Layer {
                query: tensors.linear(&of("attention.self.query"), width, width)?,
                key: tensors.linear(&of("attention.self.key"), width, width)?,
                value: tensors.linear(&of("attention.self.value"), width, width)?,
                attention_output: tensors.linear(&of("attention.output.dense"), width, width)?,
                attention_norm: tensors.norm(&of("attention.output.LayerNorm"), width, eps)?,
                intermediate: tensors.linear(&of("intermediate.dense"), width, hidden)?,
                output: tensors.linear(&of("output.dense"), hidden, width)?,
                output_norm: tensors.norm(&of("output.LayerNorm"), width, eps)?,
            });
        }
        Ok(Self {
            tokenizer,
            words: Embedding::new(words, width),
            places: places.map_err(|e| LoadProblem::Damaged(e.to_string()))?,
            embedding_norm: tensors.norm("embeddings.LayerNorm", width, eps)?,
            layers,
            config,
        })
    }

    /// As [`sn1_actors::ports::StepEngine::embed`].
    pub(super) fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EngineError> {
        let mut ids = Vec::new();
        for text in texts {
            let mut end = text.len().min(MAX_BYTES);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            let text = &text[..end];
            let encoding = self.tokenizer.encode_fast(text, true);
            let encoding = encoding.map_err(|e| EngineError::Request(e.to_string()))?;
            ids.push(encoding.get_ids().to_vec());
        }
        // Texts of like length together need little padding.
        let mut order: Vec<usize> = (0..ids.len()).collect();
        order.sort_by_key(|i| ids[*i].len());
        let mut embeddings = vec![Vec::new(); ids.len()];
        for batch in order.chunks(BATCH) {
            let tokens: Vec<&[u32]> = batch.iter().map(|i| ids[*i].as_slice()).collect();
            let vectors =
                self.forward(&tokens).map_err(|e| EngineError::Recoverable(e.to_string()))?;
            for (i, vector) in batch.iter().zip(vectors) {
                embeddings[*i] = vector;
            }
        }
        Ok(embeddings)
    }

    fn forward(&self, texts: &[&[u32]]) -> CandleResult<Vec<Vec<f32>>> {
        let longest = texts.iter().map(|ids| ids.len()).max().unwrap_or(0);
        let shape = (texts.len(), longest);
        let (mut tokens, mut mask) = (Vec::new(), Vec::new());
        for ids in texts {
            let padding = longest - ids.len();
            tokens.extend_from_slice(ids);
            tokens.extend(std::iter::repeat_n(self.config.pad_token_id, padding));
            mask.extend(std::iter::repeat_n(1.0_f32, ids.len()));
            mask.extend(std::iter::repeat_n(0.0_f32, padding));
        }
        let tokens = Tensor::from_vec(tokens, shape, &Device::Cpu)?;
        let mask = Tensor::from_vec(mask, shape, &Device::Cpu)?;
        // 0 where attention may look, hugely negative where there is padding.
        let bias = ((&mask - 1.0)? * f64::from(f32::MAX))?.unsqueeze(1)?.unsqueeze(1)?;

        let places = self.places.narrow(0, 0, longest)?;
        let x = self.words.forward(&tokens)?.broadcast_add(&places)?;
        let mut x = self.embedding_norm.forward(&x)?;
        for layer in &self.layers {
            x = layer.forward(&x, &bias, self.config.num_attention_heads)?;
        }
        let sums = x.broadcast_mul(&mask.unsqueeze(D::Minus1)?)?.sum(1)?;
        let means = sums.broadcast_div(&mask.sum_keepdim(1)?)?;
        means.broadcast_div(&means.sqr()?.sum_keepdim(1)?.sqrt()?)?.to_vec2()
    }
}

impl Layer {
    /// `x` is (texts, tokens, width), as is the result; `bias` (texts, 1, 1, tokens).
    fn forward(&self, x: &Tensor, bias: &Tensor, heads: usize) -> CandleResult<Tensor> {
        let (texts, tokens, width) = x.dims3()?;
        let head_width = width / heads;
        let split = |projection: &Linear| {
            let projected = projection.forward(x)?.reshape((texts, tokens, heads, head_width))?;
            projected.transpose(1, 2)?.contiguous()
        };
        let (query, key, value) = (split(&self.query)?, split(&self.key)?, split(&self.value)?);
        let scores = (query.matmul(&key.t()?)? / (head_width as f64).sqrt())?;
        let weights = softmax_last_dim(&scores.broadcast_add(bias)?)?;
        let attended = weights.matmul(&value)?.transpose(1, 2)?.reshape((texts, tokens, width))?;
        let x = self.attention_norm.forward(&(x + self.attention_output.forward(&attended)?)?)?;
        let hidden = self.intermediate.forward(&x)?.gelu_erf()?;
        self.output_norm.forward(&(&x + self.output.forward(&hidden)?)?)
    }
}

impl Config {
    fn check(&self) -> Result<(), LoadProblem> {
        if self.hidden_act != "gelu" {
            return Err(LoadProblem::Unsupported(format!("activation {}", self.hidden_act)));
        }
        if self.num_attention_heads == 0
            || self.hidden_size == 0
            || !self.hidden_size.is_multiple_of(self.num_attention_heads)
            || self.max_position_embeddings < MAX_TOKENS
            || self.type_vocab_size == 0
            || self.num_hidden_layers > 1 << 10
        {
            return Err(LoadProblem::Damaged(format!("its sizes are impossible: {self:?}")));
        }
        Ok(())
    }
}

fn read_tokenizer(path: &Path, config: &Config) -> Result<Tokenizer, LoadProblem> {
    let damaged = |e: tokenizers::Error| LoadProblem::Damaged(e.to_string());
    let mut tokenizer = Tokenizer::from_bytes(read(path, MAX_JSON_BYTES)?).map_err(damaged)?;
    if tokenizer.get_vocab_size(true) > config.vocab_size {
        return Err(LoadProblem::Damaged("it has more tokens than the model".into()));
    }
    let truncation = TruncationParams { max_length: MAX_TOKENS, ..TruncationParams::default() };
    tokenizer.with_truncation(Some(truncation)).map_err(damaged)?;
    tokenizer.with_padding(None);
    Ok(tokenizer)
}

fn read(path: &Path, max: u64) -> Result<Vec<u8>, LoadProblem> {
    let mut bytes = Vec::new();
    File::open(path)?.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        return Err(LoadProblem::Unsupported(format!("it is larger than {max} bytes")));
    }
    Ok(bytes)
}

/// The tensors of a safetensors file by their names.
struct Tensors(HashMap<String, Tensor>);

impl Tensors {
    fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, LoadProblem> {
        let tensor = self.0.remove(name);
        let tensor = tensor.ok_or_else(|| LoadProblem::MissingTensor(name.into()))?;
        if tensor.dims() != shape {
            return Err(LoadProblem::WrongShape {
                tensor: name.into(),
                found: tensor.dims().to_vec(),
                expected: shape.to_vec(),
            });
        }
        tensor.to_dtype(DType::F32).map_err(|e| LoadProblem::Unsupported(format!("{name}: {e}")))
    }

    fn linear(&mut self, name: &str, inputs: usize, outputs: usize) -> Result<Linear, LoadProblem> {
        let weight = self.take(&format!("{name}.weight"), &[outputs, inputs])?;
        let bias = self.take(&format!("{name}.bias"), &[outputs])?;
        Ok(Linear::new(weight, Some(bias)))
    }

    fn norm(&mut self, name: &str, width: usize, eps: f64) -> Result<LayerNorm, LoadProblem> {
        let weight = self.take(&format!("{name}.weight"), &[width])?;
        let bias = self.take(&format!("{name}.bias"), &[width])?;
        Ok(LayerNorm::new(weight, bias, eps))
    }
}
