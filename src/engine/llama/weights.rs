//! The weights of a llama model, of the shapes that its hyperparameters ask for.

use super::super::gguf::Gguf;
use super::super::hyperparameters::Hyperparameters;
use super::super::load_error::LoadProblem;
use super::super::matrix::Matrix;

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
    pub(super) fn read(gguf: &mut Gguf, sizes: &Hyperparameters) -> Result<Self, LoadProblem> {
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
        let embedding = gguf.raw("token_embd.weight", &[vocabulary, width])?.to_f32()?;
        let embedding = Matrix::stacked(width, &[embedding]);
        let head = match gguf.shape("output.weight") {
            Ok(_) => {
                let head = gguf.raw("output.weight", &[vocabulary, width])?.to_f32()?;
                Some(Matrix::stacked(width, &[head]))
            }
            Err(_) => None,
        };
        let mut layers = Vec::new();
        for number in 0..sizes.layers {
            let mut tensor = |name: &str, shape: &[usize]| {
                gguf.raw(&format!("blk.{number}.{name}.weight"), shape)?.to_f32()
            };
            layers.push(Layer {
                attention_norm: tensor("attn_norm", &[width])?,
                qkv: Matrix::stacked(
                    width,
                    &[
                        tensor("attn_q", &[sizes.query_width(), width])?,
                        tensor("attn_k", &[sizes.kv_width(), width])?,
                        tensor("attn_v", &[sizes.kv_width(), width])?,
                    ],
                ),
                attention_output: Matrix::stacked(
                    sizes.query_width(),
                    &[tensor("attn_output", &[width, sizes.query_width()])?],
                ),
                ffn_norm: tensor("ffn_norm", &[width])?,
                gate_up: Matrix::stacked(
                    width,
                    &[tensor("ffn_gate", &[hidden, width])?, tensor("ffn_up", &[hidden, width])?],
                ),
                down: Matrix::stacked(hidden, &[tensor("ffn_down", &[width, hidden])?]),
            });
        }
        Ok(Self {
            embedding,
            layers,
            output_norm: gguf.raw("output_norm.weight", &[width])?.to_f32()?,
            head,
        })
    }
}
