//! A language model's file, of whichever kind: one GGUF file, or a folder as transformers writes
//! it. Whoever builds a model asks for tensors by what they are for; the names they have in the
//! file, which errors use, are this module's.

use std::path::Path;

use super::gguf::Gguf;
use super::hyperparameters::Hyperparameters;
use super::load_error::LoadProblem;
use super::raw_tensor::RawTensor;
use super::safetensors_folder::SafetensorsFolder;

/// A tensor of the llama architecture by its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TensorName {
    /// (tokens, width).
    Embedding,
    /// (width).
    OutputNorm,
    /// (tokens, width); absent where the embedding serves as head.
    Head,
    /// A tensor of the layer of that number, from 0.
    Layer(usize, LayerTensor),
}

/// A tensor of a layer. Shapes are (outputs, inputs), those of the norms (width).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LayerTensor {
    AttentionNorm,
    Query,
    Key,
    Value,
    AttentionOutput,
    FfnNorm,
    Gate,
    Up,
    Down,
}

impl TensorName {
    /// Its name in a GGUF file.
    pub(super) fn in_gguf(self) -> String {
        match self {
            Self::Embedding => "token_embd.weight".into(),
            Self::OutputNorm => "output_norm.weight".into(),
            Self::Head => "output.weight".into(),
            Self::Layer(number, tensor) => format!("blk.{number}.{}.weight", tensor.in_gguf()),
        }
    }

    /// Its name in transformers' files.
    pub(super) fn in_safetensors(self) -> String {
        match self {
            Self::Embedding => "model.embed_tokens.weight".into(),
            Self::OutputNorm => "model.norm.weight".into(),
            Self::Head => "lm_head.weight".into(),
            Self::Layer(number, tensor) => {
                format!("model.layers.{number}.{}.weight", tensor.in_safetensors())
            }
        }
    }
}

impl LayerTensor {
    fn in_gguf(self) -> &'static str {
        match self {
            Self::AttentionNorm => "attn_norm",
            Self::Query => "attn_q",
            Self::Key => "attn_k",
            Self::Value => "attn_v",
            Self::AttentionOutput => "attn_output",
            Self::FfnNorm => "ffn_norm",
            Self::Gate => "ffn_gate",
            Self::Up => "ffn_up",
            Self::Down => "ffn_down",
        }
    }

    fn in_safetensors(self) -> &'static str {
        match self {
            Self::AttentionNorm => "input_layernorm",
            Self::Query => "self_attn.q_proj",
            Self::Key => "self_attn.k_proj",
            Self::Value => "self_attn.v_proj",
            Self::AttentionOutput => "self_attn.o_proj",
            Self::FfnNorm => "post_attention_layernorm",
            Self::Gate => "mlp.gate_proj",
            Self::Up => "mlp.up_proj",
            Self::Down => "mlp.down_proj",
        }
    }
}

/// An open model file: its metadata in memory, its tensors still on disk.
#[derive(Debug)]
pub(super) enum ModelFile {
    Gguf(Gguf),
    Safetensors(SafetensorsFolder),
}

impl ModelFile {
    /// A folder is taken for one of transformers', anything else for a GGUF file.
    pub(super) fn open(path: &Path) -> Result<Self, LoadProblem> {
        if path.is_dir() {
            return Ok(Self::Safetensors(SafetensorsFolder::open(path)?));
        }
        Ok(Self::Gguf(Gguf::open(path)?))
    }

    pub(super) fn hyperparameters(&self) -> Result<Hyperparameters, LoadProblem> {
        match self {
            Self::Gguf(gguf) => Hyperparameters::of_gguf(gguf),
            Self::Safetensors(folder) => Hyperparameters::of_config(folder.config())
                .map_err(|problem| problem.within("config.json")),
        }
    }

    /// Whether the model has this tensor, which for the head is a question. A head that is in the
    /// file but that its configuration ties to the embedding is none, as in transformers.
    pub(super) fn has(&self, name: TensorName) -> bool {
        match self {
            Self::Gguf(gguf) => gguf.shape(&name.in_gguf()).is_ok(),
            Self::Safetensors(folder) => folder.has(name),
        }
    }

    /// A tensor's shape, outermost dimension first.
    pub(super) fn shape(&self, name: TensorName) -> Result<&[usize], LoadProblem> {
        match self {
            Self::Gguf(gguf) => gguf.shape(&name.in_gguf()),
            Self::Safetensors(folder) => folder.shape(&name.in_safetensors()),
        }
    }

    /// A tensor of this shape as it lies in the file; only its own bytes are read.
    pub(super) fn raw(
        &mut self,
        name: TensorName,
        shape: &[usize],
    ) -> Result<RawTensor, LoadProblem> {
        match self {
            Self::Gguf(gguf) => gguf.raw(&name.in_gguf(), shape),
            Self::Safetensors(folder) => folder.raw(&name.in_safetensors(), shape),
        }
    }

    /// How many tokens the embedding has, which the file's length bounds; its width must be as
    /// given.
    pub(super) fn vocabulary(&self, width: usize) -> Result<usize, LoadProblem> {
        match self.shape(TensorName::Embedding)? {
            [vocabulary, found] if *found == width => Ok(*vocabulary),
            shape => Err(LoadProblem::WrongShape {
                tensor: match self {
                    Self::Gguf(_) => TensorName::Embedding.in_gguf(),
                    Self::Safetensors(_) => TensorName::Embedding.in_safetensors(),
                },
                found: shape.to_vec(),
                expected: vec![shape.iter().product::<usize>() / width.max(1), width],
            }),
        }
    }
}
