//! The weights of a llama model, of the shapes that its hyperparameters ask for.

use super::super::Precision;
use super::super::hyperparameters::Hyperparameters;
use super::super::load_error::LoadProblem;
use super::super::model_file::LayerTensor as L;
use super::super::model_file::{ModelFile, TensorName};
use super::super::projection::Projection;

/// One transformer block.
pub(super) struct Layer {
    pub(super) attention_norm: Vec<f32>,
    /// Queries, keys, values.
    pub(super) qkv: Projection,
    pub(super) attention_output: Projection,
    pub(super) ffn_norm: Vec<f32>,
    pub(super) gate_up: Projection,
    pub(super) down: Projection,
}

/// All weights of a model.
pub(super) struct Weights {
    pub(super) embedding: Projection,
    pub(super) layers: Vec<Layer>,
    pub(super) output_norm: Vec<f32>,
    /// Absent where the embedding serves as head.
    pub(super) head: Option<Projection>,
}

impl Weights {
    pub(super) fn read(
        file: &mut ModelFile,
        sizes: &Hyperparameters,
        precision: Precision,
    ) -> Result<Self, LoadProblem> {
        let (width, hidden) = (sizes.width, sizes.hidden);
        let (queries, kv) = (sizes.query_width(), sizes.kv_width());
        let vocabulary = file.vocabulary(width)?;
        let has_head = file.has(TensorName::Head);
        let mut tokens = |name: TensorName| {
            let tensor = file.raw(name, &[vocabulary, width])?;
            Projection::read(width, vec![tensor], precision)
        };
        let embedding = tokens(TensorName::Embedding)?;
        let head = if has_head { Some(tokens(TensorName::Head)?) } else { None };
        let mut layers = Vec::new();
        for number in 0..sizes.layers {
            let mut tensor = |tensor: L, shape: &[usize]| {
                file.raw(TensorName::Layer(number, tensor), shape)
            };
            layers.push(Layer {
                attention_norm: tensor(L::AttentionNorm, &[width])?.to_f32()?,
                qkv: Projection::read(
                    width,
                    vec![
                        tensor(L::Query, &[queries, width])?,
                        tensor(L::Key, &[kv, width])?,
                        tensor(L::Value, &[kv, width])?,
                    ],
                    precision,
                )?,
                attention_output: Projection::read(
                    queries,
                    vec![tensor(L::AttentionOutput, &[width, queries])?],
                    precision,
                )?,
                ffn_norm: tensor(L::FfnNorm, &[width])?.to_f32()?,
                gate_up: Projection::read(
                    width,
                    vec![tensor(L::Gate, &[hidden, width])?, tensor(L::Up, &[hidden, width])?],
                    precision,
                )?,
                down: Projection::read(hidden, vec![tensor(L::Down, &[width, hidden])?], precision)?,
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
