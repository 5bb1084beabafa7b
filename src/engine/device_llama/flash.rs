//! Attention by the kernels of flash attention, which read keys and values where they lie.
//!
//! They take bf16 and f16 on CUDA and heads of a multiple of 8 floats; all else goes the plain way.

use candle_core::{DType, Device, Result, Tensor};
use candle_flash_attn::flash_attn_varlen_paged_windowed;
use sn1_actors::ports::BLOCK_TOKENS;

use super::super::hyperparameters::Hyperparameters;
use super::block_pool::BlockPool;
use super::step_plan::{Span, StepPlan};

/// The widest head that the kernels take.
const MAX_HEAD_WIDTH: usize = 512;

/// A step's rows as the kernels want them: the same in all layers.
pub(super) struct Flash {
    /// Where the rows of each sequence begin, and where the last end.
    row_bounds: Tensor,
    /// The same of the positions that they see.
    key_bounds: Tensor,
    /// The blocks of each sequence.
    blocks: Tensor,
    most_rows: usize,
    most_keys: usize,
    window: Option<usize>,
}

impl Flash {
    pub(super) fn applies(sizes: &Hyperparameters, device: &Device, dtype: DType) -> bool {
        device.is_cuda()
            && matches!(dtype, DType::BF16 | DType::F16)
            && sizes.head_width.is_multiple_of(8)
            && sizes.head_width <= MAX_HEAD_WIDTH
    }

    pub(super) fn of(plan: &StepPlan, sizes: &Hyperparameters, device: &Device) -> Result<Self> {
        let spans: Vec<(usize, &Span)> = plan
            .pieces
            .iter()
            .flat_map(|piece| piece.sequences.iter().map(move |span| (piece.queries, span)))
            .collect();
        let widest = spans.iter().map(|(_, span)| span.blocks.len()).max().unwrap_or(0);
        let blocks: Vec<u32> = spans
            .iter()
            .flat_map(|(_, span)| {
                span.blocks.iter().copied().chain(std::iter::repeat(0)).take(widest)
            })
            .collect();
        Ok(Self {
            row_bounds: bounds(spans.iter().map(|(rows, _)| *rows), device)?,
            key_bounds: bounds(spans.iter().map(|(_, span)| span.keys), device)?,
            blocks: Tensor::from_vec(blocks, (spans.len(), widest), device)?,
            most_rows: spans.iter().map(|(rows, _)| *rows).max().unwrap_or(0),
            most_keys: spans.iter().map(|(_, span)| span.keys).max().unwrap_or(0),
            window: sizes.sliding_window,
        })
    }

    /// As [`super::attention::Attention::over`].
    pub(super) fn over(&self, pool: &BlockPool, queries: &Tensor) -> Result<Tensor> {
        let (kv_heads, slots, head_width) = pool.keys.dims3()?;
        // A view: the kernels go by its strides.
        let paged = |pool: &Tensor| {
            pool.reshape((kv_heads, slots / BLOCK_TOKENS, BLOCK_TOKENS, head_width))?
                .permute((1, 2, 0, 3))
        };
        let queries = queries.transpose(0, 1)?;
        let mixed = flash_attn_varlen_paged_windowed(
            &queries,
            &paged(&pool.keys)?,
            &paged(&pool.values)?,
            &self.row_bounds,
            &self.key_bounds,
            &self.blocks,
            None,
            self.most_rows,
            self.most_keys,
            1.0 / (head_width as f32).sqrt(),
            self.window.map(|window| window - 1),
            Some(0),
            BLOCK_TOKENS,
            None,
        )?;
        mixed.flatten_from(1)
    }
}

fn bounds(lengths: impl Iterator<Item = usize>, device: &Device) -> Result<Tensor> {
    let mut bounds = vec![0_u32];
    let mut end = 0;
    for length in lengths {
        end += length as u32;
        bounds.push(end);
    }
    let count = bounds.len();
    Tensor::from_vec(bounds, count, device)
}
