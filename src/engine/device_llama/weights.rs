//! The weights of a llama model on a device, of the shapes that its hyperparameters ask for.

use candle_core::{DType, Device, Tensor};

use super::super::hyperparameters::Hyperparameters;
use super::super::load_error::LoadProblem;
use super::super::model_file::LayerTensor as L;
use super::super::model_file::{ModelFile, TensorName};
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
        file: &mut ModelFile,
        sizes: &Hyperparameters,
        device: &Device,
        dtype: DType,
    ) -> Result<Self, LoadProblem> {
        let vocabulary = file.vocabulary(sizes.width)?;
        let untied = file.has(TensorName::Head);
        let mut source = Source { file, sizes, device, dtype };
        let table = |name| [(name, vocabulary)];
        let embedding = source.stacked(&table(TensorName::Embedding), sizes.width)?;
        let head = match untied {
            true => Some(source.stacked(&table(TensorName::Head), sizes.width)?),
            false => None,
        };
        let layers =
            (0..sizes.layers).map(|number| source.layer(number)).collect::<Result<_, _>>()?;
        let output_norm = source.norm(TensorName::OutputNorm)?;
        Ok(Self { vocabulary, embedding, layers, output_norm, head })
    }
}

/// Takes tensors from the file to the device, one by one: the processor never holds all.
struct Source<'a> {
    file: &'a mut ModelFile,
    sizes: &'a Hyperparameters,
    device: &'a Device,
    dtype: DType,
}

impl Source<'_> {
    fn layer(&mut self, number: usize) -> Result<Layer, LoadProblem> {
        let name = |tensor: L| TensorName::Layer(number, tensor);
        let Hyperparameters { width, hidden, .. } = *self.sizes;
        let (query_width, kv_width) = (self.sizes.query_width(), self.sizes.kv_width());
        let qkv =
            [(name(L::Query), query_width), (name(L::Key), kv_width), (name(L::Value), kv_width)];
        Ok(Layer {
            attention_norm: self.norm(name(L::AttentionNorm))?,
            qkv: self.stacked(&qkv, width)?,
            attention_output: self.stacked(&[(name(L::AttentionOutput), width)], query_width)?,
            ffn_norm: self.norm(name(L::FfnNorm))?,
            gate_up: self.stacked(&[(name(L::Gate), hidden), (name(L::Up), hidden)], width)?,
            down: self.stacked(&[(name(L::Down), width)], hidden)?,
        })
    }

    fn norm(&mut self, name: TensorName) -> Result<Tensor, LoadProblem> {
        let shape = [self.sizes.width];
        let numbers = self.file.raw(name, &shape)?.to_f32()?;
        self.upload(numbers, &shape)
    }

    /// One matrix out of several of so many outputs that take the same input, one below the other.
    fn stacked(
        &mut self,
        parts: &[(TensorName, usize)],
        inputs: usize,
    ) -> Result<Tensor, LoadProblem> {
        let mut numbers = Vec::new();
        for (name, outputs) in parts {
            numbers.extend(self.file.raw(*name, &[*outputs, inputs])?.to_f32()?);
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
