//! The encoder's tensors, checked against its sizes and brought into the kernels' layout.

use std::path::Path;

use candle_core::safetensors::BufferedSafetensors;
use candle_core::{DType, Device};

use super::config::{Sizes, read};
use crate::engine::load_error::LoadProblem;
use crate::engine::matrix::Matrix;

/// The largest file of weights that is read, in bytes; BERT-large in f32 has a third of it.
const MAX_BYTES: u64 = 1 << 32;

/// All weights.
pub(super) struct Weights {
    /// A row a token.
    pub(super) words: Vec<f32>,
    /// A row a position: its own vector and that of the first segment, which all texts are.
    pub(super) places: Vec<f32>,
    pub(super) norm: Norm,
    pub(super) layers: Vec<Layer>,
}

/// One layer's weights.
pub(super) struct Layer {
    /// Queries, keys and values, one after the other.
    pub(super) qkv: Linear,
    pub(super) attention_output: Linear,
    pub(super) attention_norm: Norm,
    pub(super) intermediate: Linear,
    pub(super) output: Linear,
    pub(super) output_norm: Norm,
}

/// A matrix and what is added to its products.
pub(super) struct Linear {
    pub(super) matrix: Matrix,
    pub(super) bias: Vec<f32>,
}

/// Layer normalisation.
pub(super) struct Norm {
    pub(super) gain: Vec<f32>,
    pub(super) shift: Vec<f32>,
    pub(super) epsilon: f32,
}

impl Weights {
    /// Reads a safetensors file of any floating type.
    pub(super) fn read(path: &Path, sizes: &Sizes) -> Result<Self, LoadProblem> {
        let file = BufferedSafetensors::new(read(path, MAX_BYTES)?)
            .map_err(|e| LoadProblem::Damaged(e.to_string()))?;
        // Files of a model with a head for training have the encoder's tensors one level down.
        let is_nested = file.get("bert.embeddings.word_embeddings.weight").is_ok();
        let tensors = Tensors { file, prefix: if is_nested { "bert." } else { "" } };
        let (width, hidden) = (sizes.width, sizes.hidden);
        let words =
            tensors.take("embeddings.word_embeddings.weight", &[sizes.vocabulary, width])?;
        let mut places =
            tensors.take("embeddings.position_embeddings.weight", &[sizes.positions, width])?;
        let segments =
            tensors.take("embeddings.token_type_embeddings.weight", &[sizes.segments, width])?;
        for place in places.chunks_exact_mut(width) {
            place.iter_mut().zip(&segments).for_each(|(place, segment)| *place += segment);
        }
        let norm = |name: &str| tensors.norm(name, sizes);
        let linear =
            |name: &str, inputs: usize, outputs: usize| tensors.stacked(&[name], inputs, outputs);
        let mut layers = Vec::new();
        for number in 0..sizes.layers {
            let of = |name: &str| format!("encoder.layer.{number}.{name}");
            let qkv = ["query", "key", "value"].map(|part| of(&format!("attention.self.{part}")));
            layers.push(Layer {
                qkv: tensors.stacked(&qkv.each_ref().map(String::as_str), width, width)?,
                attention_output: linear(&of("attention.output.dense"), width, width)?,
                attention_norm: norm(&of("attention.output.LayerNorm"))?,
                intermediate: linear(&of("intermediate.dense"), width, hidden)?,
                output: linear(&of("output.dense"), hidden, width)?,
                output_norm: norm(&of("output.LayerNorm"))?,
            });
        }
        Ok(Self { words, places, norm: norm("embeddings.LayerNorm")?, layers })
    }
}

/// The tensors of a safetensors file by their names.
struct Tensors {
    file: BufferedSafetensors,
    prefix: &'static str,
}

impl Tensors {
    fn take(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, LoadProblem> {
        let name = format!("{}{name}", self.prefix);
        let view = self.file.get(&name).map_err(|_| LoadProblem::MissingTensor(name.clone()))?;
        if view.shape() != shape {
            return Err(LoadProblem::WrongShape {
                tensor: name,
                found: view.shape().to_vec(),
                expected: shape.to_vec(),
            });
        }
        self.file
            .load(&name, &Device::Cpu)
            .and_then(|tensor| tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1())
            .map_err(|e| LoadProblem::Unsupported(format!("tensor {name}: {e}")))
    }

    /// Layers of the same input as one.
    fn stacked(
        &self,
        names: &[&str],
        inputs: usize,
        outputs: usize,
    ) -> Result<Linear, LoadProblem> {
        let (mut parts, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            parts.push(self.take(&format!("{name}.weight"), &[outputs, inputs])?);
            bias.extend(self.take(&format!("{name}.bias"), &[outputs])?);
        }
        Ok(Linear { matrix: Matrix::stacked(inputs, &parts), bias })
    }

    fn norm(&self, name: &str, sizes: &Sizes) -> Result<Norm, LoadProblem> {
        Ok(Norm {
            gain: self.take(&format!("{name}.weight"), &[sizes.width])?,
            shift: self.take(&format!("{name}.bias"), &[sizes.width])?,
            epsilon: sizes.epsilon,
        })
    }
}
