//! The sizes and constants of a llama model, read from a file's metadata and checked.

use super::gguf::{Gguf, Value};
use super::load_error::LoadProblem;
use super::model_config::{ModelConfig, ModelType};

/// Bounds far above any model of this architecture, so that products of two cannot overflow.
const MAX_LAYERS: usize = 1 << 10;
const MAX_WIDTH: usize = 1 << 17;
const MAX_HEADS: usize = 1 << 10;
const MAX_CONTEXT: usize = 1 << 22;
pub(super) const MAX_VOCABULARY: usize = 1 << 22;

/// Which floats of a head RoPE turns together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RopeLayout {
    /// Neighbours, as in GGUF files of this architecture.
    Interleaved,
    /// One of each half, as in transformers' files.
    Halves,
}

/// The sizes of a llama model.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hyperparameters {
    pub(super) layers: usize,
    pub(super) context: usize,
    /// Floats a token has between layers.
    pub(super) width: usize,
    /// Floats a token has within a feed-forward block.
    pub(super) hidden: usize,
    pub(super) heads: usize,
    /// Heads of keys and values; each serves `heads / kv_heads` query heads.
    pub(super) kv_heads: usize,
    pub(super) head_width: usize,
    /// How many floats of each head are rotated.
    pub(super) rope_width: usize,
    pub(super) rope_base: f32,
    pub(super) rope_layout: RopeLayout,
    /// A position sees so many, itself included; `None` means all before it.
    pub(super) sliding_window: Option<usize>,
    pub(super) epsilon: f32,
}

/// How many tokens a sequence can hold, by `config.json`.
pub(super) fn context_of_config(config: &ModelConfig) -> Result<usize, LoadProblem> {
    config.required_count("max_position_embeddings", MAX_CONTEXT)
}

/// How many tokens a sequence can hold, by the file's metadata.
pub(super) fn context_of_gguf(gguf: &Gguf) -> Result<usize, LoadProblem> {
    match gguf.text("general.architecture")? {
        "llama" => gguf.required_count("llama.context_length", MAX_CONTEXT),
        other => Err(LoadProblem::Unsupported(format!("the architecture {other}"))),
    }
}

impl Hyperparameters {
    pub(super) fn of_gguf(gguf: &Gguf) -> Result<Self, LoadProblem> {
        let context = context_of_gguf(gguf)?;
        if let Some(Value::Text(scaling)) = gguf.get("llama.rope.scaling.type")
            && scaling != "none"
        {
            return Err(LoadProblem::Unsupported(format!("RoPE scaled by {scaling}")));
        }
        let unknown = |name: &&str| *name == "rope_freqs.weight" || name.ends_with(".bias");
        if let Some(name) = gguf.tensor_names().find(unknown) {
            return Err(LoadProblem::Unsupported(format!("it uses the tensor {name}")));
        }
        let width = gguf.required_count("llama.embedding_length", MAX_WIDTH)?;
        let heads = gguf.required_count("llama.attention.head_count", MAX_HEADS)?;
        let kv_heads = gguf.count("llama.attention.head_count_kv", MAX_HEADS)?.unwrap_or(heads);
        let head_width = match gguf.count("llama.attention.key_length", MAX_WIDTH)? {
            Some(head_width) => head_width,
            None => width.checked_div(heads).unwrap_or(0),
        };
        let epsilon = "llama.attention.layer_norm_rms_epsilon";
        let this = Self {
            layers: gguf.required_count("llama.block_count", MAX_LAYERS)?,
            context,
            width,
            hidden: gguf.required_count("llama.feed_forward_length", MAX_WIDTH)?,
            heads,
            kv_heads,
            head_width,
            rope_width: gguf.count("llama.rope.dimension_count", MAX_WIDTH)?.unwrap_or(head_width),
            rope_base: gguf.positive("llama.rope.freq_base")?.unwrap_or(10_000.0),
            // llama.cpp's converter interleaves the rows of queries and keys.
            rope_layout: RopeLayout::Interleaved,
            sliding_window: gguf
                .count("llama.attention.sliding_window", MAX_CONTEXT)?
                .filter(|window| *window > 0),
            epsilon: gguf
                .positive(epsilon)?
                .ok_or_else(|| LoadProblem::MissingMetadata(epsilon.into()))?,
        };
        this.check()?;
        Ok(this)
    }

    pub(super) fn of_config(config: &ModelConfig) -> Result<Self, LoadProblem> {
        let width = config.required_count("hidden_size", MAX_WIDTH)?;
        let heads = config.required_count("num_attention_heads", MAX_HEADS)?;
        let kv_heads = config.count("num_key_value_heads", MAX_HEADS)?;
        let head_width = match config.count("head_dim", MAX_WIDTH)? {
            Some(head_width) => head_width,
            None => width.checked_div(heads).unwrap_or(0),
        };
        let missing = |key: &str| LoadProblem::MissingMetadata(key.into());
        // Where transformers' defaults differ by model type, no default is taken.
        let (kv_heads, sliding_window) = match config.model_type() {
            // transformers' llama does not look at a window.
            ModelType::Llama => (kv_heads.unwrap_or(heads), None),
            ModelType::Mistral if !config.mentions("sliding_window") => {
                return Err(missing("sliding_window"));
            }
            ModelType::Mistral => (
                kv_heads.ok_or_else(|| missing("num_key_value_heads"))?,
                config.count("sliding_window", MAX_CONTEXT)?,
            ),
        };
        let this = Self {
            layers: config.required_count("num_hidden_layers", MAX_LAYERS)?,
            context: context_of_config(config)?,
            width,
            hidden: config.required_count("intermediate_size", MAX_WIDTH)?,
            heads,
            kv_heads,
            head_width,
            rope_width: head_width,
            rope_base: config.rope_base()?,
            rope_layout: RopeLayout::Halves,
            sliding_window,
            epsilon: config.positive("rms_norm_eps")?.ok_or_else(|| missing("rms_norm_eps"))?,
        };
        this.check()?;
        Ok(this)
    }

    fn check(&self) -> Result<(), LoadProblem> {
        let sizes = [self.layers, self.context, self.width, self.hidden, self.heads];
        if sizes.contains(&0)
            || self.kv_heads == 0
            || self.head_width == 0
            || !self.heads.is_multiple_of(self.kv_heads)
            || !self.rope_width.is_multiple_of(2)
            || self.rope_width > self.head_width
            || self.sliding_window == Some(0)
        {
            return Err(LoadProblem::Damaged(format!("its sizes do not fit together: {self:?}")));
        }
        Ok(())
    }

    /// Floats in the queries of a token.
    pub(super) fn query_width(&self) -> usize {
        self.heads * self.head_width
    }

    /// Floats in the keys, or the values, of a token.
    pub(super) fn kv_width(&self) -> usize {
        self.kv_heads * self.head_width
    }
}
