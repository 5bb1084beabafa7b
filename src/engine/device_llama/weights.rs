//! The weights of a llama model on a device, of the shapes that its hyperparameters ask for.

use candle_core::{DType, Device, Tensor};

use super::super::gguf::Gguf;
use super::super::hyperparameters::Hyperparameters;
use super::super::load_error::LoadProblem;
use super::device_problem;

/// One transformer block. Matrices have a row an output.
pub(super) struct Layer {
    pub(super) attention_norm: Tensor,
    /// Queries, keys, values.
    pub(super) qkv: Tensor,
    pub(super) attention_output: Tensor,
    pub(super) ffn_norm: Tensor,
    pub(super) gate_up: Tensor,
    pub(super) down: Tensor,
}

/// All weights of a model.
pub(super) struct Weights {
    pub(super) vocabulary: usize,
    pub(super) embedding: Tensor,
    pub(super) layers: Vec<Layer>,
    pub(super) output_norm: Tensor,
    /// Absent where the embedding serves as head.
    pub(super) head: Option<Tensor>,
}

impl Weights {
    pub(super) fn read(
        gguf: &mut Gguf,
        sizes: &Hyperparameters,
        device: &Device,
        dtype: DType,
    ) -> Result<Self, LoadProblem> {
        let (width, hidden) = (sizes.width, sizes.hidden);
        // As many tokens as the file has embeddings: its length bounds them.
        let vocabulary = match gguf.shape("token_embd.weight")? {
            [vocabulary, _] => *vocabulary,
            shape => {
                return Err(LoadProblem::WrongShape {
                    tensor: "token_embd.weight".into(),
                    found: shape.to_vec(),
                    expected: vec![shape.iter().product(), width],
                });
            }
        };
        let untied = gguf.shape("output.weight").is_ok();
        let mut source = Source { gguf, device, dtype };
        let embedding = source.stacked(&[("token_embd.weight", vocabulary)], width)?;
        let head = match untied {
            true => Some(source.stacked(&[("output.weight", vocabulary)], width)?),
            false => None,
        };
        let layers = (0..sizes.layers)
            .map(|number| {
                let name = |part: &str| format!("blk.{number}.{part}.weight");
                let (query_width, kv_width) = (sizes.query_width(), sizes.kv_width());
                Ok(Layer {
                    attention_norm: source.vector(&name("attn_norm"), width)?,
                    qkv: source.stacked(
                        &[
                            (&name("attn_q"), query_width),
                            (&name("attn_k"), kv_width),
                            (&name("attn_v"), kv_width),
                        ],
                        width,
                    )?,
                    attention_output: source
                        .stacked(&[(&name("attn_output"), width)], query_width)?,
                    ffn_norm: source.vector(&name("ffn_norm"), width)?,
                    gate_up: source.stacked(
                        &[(&name("ffn_gate"), hidden), (&name("ffn_up"), hidden)],
                        width,
                    )?,
                    down: source.stacked(&[(&name("ffn_down"), width)], hidden)?,
                })
            })
            .collect::<Result<_, LoadProblem>>()?;
        let output_norm = source.vector("output_norm.weight", width)?;
        Ok(Self { vocabulary, embedding, layers, output_norm, head })
    }
}

/// Takes tensors from the file to the device, one by one: the processor never holds all.
struct Source<'a> {
    gguf: &'a mut Gguf,
    device: &'a Device,
    dtype: DType,
}

impl Source<'_> {
    fn vector(&mut self, name: &str, length: usize) -> Result<Tensor, LoadProblem> {
        let numbers = self.gguf.raw(name, &[length])?.to_f32()?;
        self.upload(numbers, &[length])
    }

    /// One matrix out of several of so many outputs that take the same input, one below the other.
    fn stacked(&mut self, parts: &[(&str, usize)], inputs: usize) -> Result<Tensor, LoadProblem> {
        let mut numbers = Vec::new();
        for (name, outputs) in parts {
            numbers.extend(self.gguf.raw(name, &[*outputs, inputs])?.to_f32()?);
        }
        let outputs = parts.iter().map(|(_, outputs)| outputs).sum();
        self.upload(numbers, &[outputs, inputs])
    }

    /// Converts on the processor, so that the device never holds the same weights twice.
    fn upload(&self, numbers: Vec<f32>, shape: &[usize]) -> Result<Tensor, LoadProblem> {
        Tensor::from_vec(numbers, shape, &Device::Cpu)
            .and_then(|tensor| tensor.to_dtype(self.dtype)?.to_device(self.device))
            .map_err(device_problem)
    }
}
