//! The llama architecture on a device of candle's: CUDA where there is one, the processor in tests.
//!
//! It computes what [`super::llama`] does, with candle's own operations in f32, bf16 or f16; the
//! logits are the same but for rounding, and may differ by it from one batch to another. All rows
//! of a step share the matrix products; attention goes piece by piece ([`step_plan`]). Keys and
//! values lie in blocks that are allocated once ([`block_pool`]). Quantised weights are widened to
//! the type it computes in: candle's quantised products on CUDA round activations to 8 bits, which
//! spoils small models.

mod attention;
mod block_pool;
mod device_error;
#[cfg(feature = "flash-attn")]
mod flash;
mod step_plan;
#[cfg(test)]
mod tests;
mod weights;

use std::collections::HashMap;
use std::path::Path;

use candle_core::{D, DType, Device, Result as CandleResult, Tensor};
use candle_nn::ops::rms_norm;
use candle_nn::rotary_emb::{rope, rope_i};
use sn1_actors::ports::{BLOCK_TOKENS, EngineError, Placement, Row, SequenceId};

use self::attention::Attention;
use self::block_pool::BlockPool;
use self::device_error::engine_error;
use self::step_plan::{Sequence, StepPlan};
use self::weights::{Layer, Weights};
use super::hyperparameters::{Hyperparameters, RopeLayout};
use super::load_error::{LoadError, LoadProblem};
use super::model_file::ModelFile;
use super::row_check::{Bounds, Extent, check_rows};

/// The CUDA device of that number, for the calling thread.
pub(super) fn cuda_device(number: usize) -> Result<Device, LoadProblem> {
    if cfg!(not(feature = "cuda")) {
        return Err(LoadProblem::Device(
            "this program was built without the feature `cuda`; build it with \
             `cargo build --release --features cuda`, or choose the device `cpu`"
                .into(),
        ));
    }
    Device::new_cuda(number).map_err(|e| LoadProblem::Device(format!("cuda:{number}: {e}")))
}

/// A llama model on a device, with the memory of its sequences.
pub(super) struct DeviceLlama {
    sizes: Hyperparameters,
    weights: Weights,
    device: Device,
    dtype: DType,
    /// The angle, a position, by which each pair of a head is turned.
    rope_frequencies: Vec<f32>,
    /// Keys and values of all sequences, a pool a layer.
    pools: Vec<BlockPool>,
    kv_blocks: u32,
    sequences: HashMap<SequenceId, Sequence>,
}

impl DeviceLlama {
    /// Reads the model onto `device`, which must be of the calling thread, to compute in `dtype`
    /// (f32, bf16 or f16). `kv_blocks` blocks for keys and values are allocated at once.
    pub(super) fn load(
        path: &Path,
        device: &Device,
        dtype: DType,
        kv_blocks: u32,
    ) -> Result<Self, LoadError> {
        let read = || {
            // What an engine before this one left undone, or wrong, shows here.
            device.synchronize().map_err(device_problem)?;
            let mut file = ModelFile::open(path)?;
            let sizes = file.hyperparameters()?;
            let weights = Weights::read(&mut file, &sizes, device, dtype)?;
            Self::new(sizes, weights, device, dtype, kv_blocks)
        };
        read().map_err(|problem: LoadProblem| problem.at(path))
    }

    fn new(
        sizes: Hyperparameters,
        weights: Weights,
        device: &Device,
        dtype: DType,
        kv_blocks: u32,
    ) -> Result<Self, LoadProblem> {
        let pools = (0..sizes.layers)
            .map(|_| BlockPool::new(&sizes, kv_blocks as usize, device, dtype))
            .collect::<CandleResult<_>>()
            .map_err(device_problem)?;
        device.synchronize().map_err(device_problem)?;
        let rope_frequencies = (0..sizes.rope_width / 2)
            .map(|i| 1.0 / sizes.rope_base.powf((2 * i) as f32 / sizes.rope_width as f32))
            .collect();
        Ok(Self {
            sizes,
            weights,
            device: device.clone(),
            dtype,
            rope_frequencies,
            pools,
            kv_blocks,
            sequences: HashMap::new(),
        })
    }

    /// As [`sn1_actors::ports::StepEngine::place`]. A refused placement changes nothing.
    pub(super) fn place(&mut self, placement: Placement) -> Result<(), EngineError> {
        let Placement { sequence, blocks, cached } = placement;
        let refuse =
            |cause: String| Err(EngineError::Request(format!("sequence {}: {cause}", sequence.0)));
        if self.sequences.contains_key(&sequence) {
            return refuse("it is placed already; release it before it starts anew".into());
        }
        if let Some(block) = blocks.iter().find(|block| block.0 >= self.kv_blocks) {
            return refuse(format!("block {} is beyond {} blocks", block.0, self.kv_blocks));
        }
        let length = cached as usize;
        if !length.is_multiple_of(BLOCK_TOKENS) || length / BLOCK_TOKENS > blocks.len() {
            return refuse(format!("{length} cached positions are no whole blocks of its own"));
        }
        let blocks: Vec<u32> = blocks.iter().map(|block| block.0).collect();
        let fresh = &blocks[length / BLOCK_TOKENS..];
        for pool in &self.pools {
            pool.clear(fresh).map_err(engine_error)?;
        }
        self.sequences.insert(sequence, Sequence { blocks, length });
        Ok(())
    }

    pub(super) fn release(&mut self, sequence: SequenceId) {
        self.sequences.remove(&sequence);
    }

    /// As [`sn1_actors::ports::StepEngine::step`]. A refused step changes nothing.
    pub(super) fn step(&mut self, rows: &[Row]) -> Result<Vec<Vec<f32>>, EngineError> {
        self.check(rows)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let plan = StepPlan::of(rows, &self.sequences, self.sizes.sliding_window);
        let logits = self.forward(rows, &plan).map_err(engine_error)?;
        for row in rows {
            if let Some(sequence) = self.sequences.get_mut(&row.sequence) {
                sequence.length += 1;
            }
        }
        Ok(logits)
    }

    fn check(&self, rows: &[Row]) -> Result<(), EngineError> {
        let vocabulary = self.weights.vocabulary;
        check_rows(rows, &Bounds { vocabulary, context: self.sizes.context }, |sequence| {
            let Sequence { length, blocks, .. } = self.sequences.get(&sequence)?;
            Some(Extent { length: *length, capacity: blocks.len() * BLOCK_TOKENS })
        })
    }

    fn forward(&self, rows: &[Row], plan: &StepPlan) -> CandleResult<Vec<Vec<f32>>> {
        let Self { sizes, weights, device, .. } = self;
        let tokens: Vec<u32> = plan.order.iter().map(|r| rows[*r].token).collect();
        let tokens = Tensor::from_vec(tokens, plan.order.len(), device)?;
        let turns = self.turns(rows, plan)?;
        let attention = Attention::of(plan, sizes, device, self.dtype)?;
        let mut x = weights.embedding.index_select(&tokens, 0)?;
        for (layer, pool) in weights.layers.iter().zip(&self.pools) {
            let normed = rms_norm(&x, &layer.attention_norm, sizes.epsilon)?;
            let (queries, keys, values) = self.heads(&product(&normed, &layer.qkv)?, &turns)?;
            attention.store(pool, &keys, &values)?;
            let attended = attention.over(pool, &queries)?;
            x = (x + product(&attended, &layer.attention_output)?)?;
            x = (&x + self.feed_forward(&x, layer)?)?;
        }
        let wanted: Vec<u32> = plan.wanted(rows);
        if wanted.is_empty() {
            // So that what failed shows in the step that it belongs to.
            device.synchronize()?;
            return Ok(Vec::new());
        }
        let count = wanted.len();
        let wanted = x.index_select(&Tensor::from_vec(wanted, count, device)?, 0)?;
        let normed = rms_norm(&wanted, &weights.output_norm, sizes.epsilon)?;
        let head = weights.head.as_ref().unwrap_or(&weights.embedding);
        product(&normed, head)?.to_dtype(DType::F32)?.to_vec2()
    }

    /// Queries, keys and values of all rows, turned by their positions: each `[heads, rows, head
    /// width]`.
    fn heads(&self, qkv: &Tensor, turns: &Turns) -> CandleResult<(Tensor, Tensor, Tensor)> {
        let sizes = &self.sizes;
        let (heads, kv_heads) = (sizes.heads, sizes.kv_heads);
        let by_head = qkv.reshape(((), heads + 2 * kv_heads, sizes.head_width))?.transpose(0, 1)?;
        let turned = by_head.narrow(0, 0, heads + kv_heads)?;
        // A turn in bf16 would be coarse at high positions.
        let turned = turned.to_dtype(DType::F32)?.contiguous()?;
        let turned = turns.apply(&turned)?.to_dtype(self.dtype)?;
        let values = by_head.narrow(0, heads + kv_heads, kv_heads)?.contiguous()?;
        Ok((turned.narrow(0, 0, heads)?, turned.narrow(0, heads, kv_heads)?, values))
    }

    fn feed_forward(&self, x: &Tensor, layer: &Layer) -> CandleResult<Tensor> {
        let normed = rms_norm(x, &layer.ffn_norm, self.sizes.epsilon)?;
        let gate_up = product(&normed, &layer.gate_up)?;
        let gate = gate_up.narrow(1, 0, self.sizes.hidden)?;
        let up = gate_up.narrow(1, self.sizes.hidden, self.sizes.hidden)?;
        product(&(gate.silu()? * up)?, &layer.down)
    }

    fn turns(&self, rows: &[Row], plan: &StepPlan) -> CandleResult<Turns> {
        let angles = plan.order.iter().flat_map(|r| {
            self.rope_frequencies.iter().map(|frequency| rows[*r].position as f32 * frequency)
        });
        let (sin, cos): (Vec<f32>, Vec<f32>) = angles.map(f32::sin_cos).unzip();
        let shape = (plan.order.len(), self.rope_frequencies.len());
        Ok(Turns {
            sin: Tensor::from_vec(sin, shape, &self.device)?,
            cos: Tensor::from_vec(cos, shape, &self.device)?,
            layout: self.sizes.rope_layout,
        })
    }
}

/// The angles of a step's rows, as `[rows, pairs]`.
struct Turns {
    sin: Tensor,
    cos: Tensor,
    layout: RopeLayout,
}

impl Turns {
    /// Turns the first `2 * pairs` floats of every head of `x`, which is `[heads, rows, width]`.
    fn apply(&self, x: &Tensor) -> CandleResult<Tensor> {
        let (turned, width) = (2 * self.cos.dim(1)?, x.dim(D::Minus1)?);
        if turned == 0 {
            return Ok(x.clone());
        }
        let front = x.narrow(2, 0, turned)?.contiguous()?.unsqueeze(0)?;
        let front = match self.layout {
            RopeLayout::Interleaved => rope_i(&front, &self.cos, &self.sin)?,
            RopeLayout::Halves => rope(&front, &self.cos, &self.sin)?,
        };
        let front = front.squeeze(0)?;
        if turned == width {
            return Ok(front);
        }
        Tensor::cat(&[&front, &x.narrow(2, turned, width - turned)?.contiguous()?], 2)
    }
}

/// The products of each row of `x` with each row of `weights`.
fn product(x: &Tensor, weights: &Tensor) -> CandleResult<Tensor> {
    x.matmul(&weights.t()?)
}

fn device_problem(error: candle_core::Error) -> LoadProblem {
    LoadProblem::Device(engine_error(error).to_string())
}
