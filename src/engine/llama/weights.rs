//! The weights of a llama model, of the shapes that its hyperparameters ask for.

use super::super::hyperparameters::Hyperparameters;
use super::super::load_error::LoadProblem;
use super::super::matrix::Matrix;
use super::super::model_file::LayerTensor as L;
use super::super::model_file::{ModelFile, TensorName};

/// One transformer block.
pub(super) struct Layer {
    pub(super) attention_norm: Vec<f32>,
    /// Queries, keys, values.
    pub(super) qkv: Matrix,
    pub(super) attention_output: Matrix,
    pub(super) ffn_norm: Vec<f32>,
    pub(super) gate_up: Matrix,
    pub(super) down: Matrix,
}

/// All weights of a model.
pub(super) struct Weights {
    pub(super) embedding: Matrix,
    pub(super) layers: Vec<Layer>,
    pub(super) output_norm: Vec<f32>,
    /// Absent where the embedding serves as head.
    pub(super) head: Option<Matrix>,
}

impl Weights {
    pub(super) fn read(file: &mut ModelFile, sizes: &Hyperparameters) -> Result<Self, LoadProblem> {
        let (width, hidden) = (sizes.width, sizes.hidden);
        let vocabulary = file.vocabulary(width)?;
        let embedding = file.raw(TensorName::Embedding, &[vocabulary, width])?.to_f32()?;
        let embedding = Matrix::stacked(width, &[embedding]);
        let head = match file.has(TensorName::Head) {
            true => {
                let head = file.raw(TensorName::Head, &[vocabulary, width])?.to_f32()?;
                Some(Matrix::stacked(width, &[head]))
            }
            false => None,
        };
        let mut layers = Vec::new();
        for number in 0..sizes.layers {
            let mut tensor = |tensor: L, shape: &[usize]| {
                file.raw(TensorName::Layer(number, tensor), shape)?.to_f32()
            };
            layers.push(Layer {
                attention_norm: tensor(L::AttentionNorm, &[width])?,
                qkv: Matrix::stacked(
                    width,
                    &[
                        tensor(L::Query, &[sizes.query_width(), width])?,
                        tensor(L::Key, &[sizes.kv_width(), width])?,
                        tensor(L::Value, &[sizes.kv_width(), width])?,
                    ],
                ),
                attention_output: Matrix::stacked(
                    sizes.query_width(),
                    &[tensor(L::AttentionOutput, &[width, sizes.query_width()])?],
                ),
                ffn_norm: tensor(L::FfnNorm, &[width])?,
                gate_up: Matrix::stacked(
                    width,
                    &[tensor(L::Gate, &[hidden, width])?, tensor(L::Up, &[hidden, width])?],
                ),
                down: Matrix::stacked(hidden, &[tensor(L::Down, &[width, hidden])?]),
            });
        }
        Ok(Self {
            embedding,
            layers,
            output_norm: file.raw(TensorName::OutputNorm, &[width])?.to_f32()?,
            head,
        })
    }
}
