//! Attention of a step's rows, each over its own sequence up to itself.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::ops::softmax_last_dim;
use sn1_actors::ports::BLOCK_TOKENS;

use super::super::hyperparameters::Hyperparameters;
use super::block_pool::BlockPool;
#[cfg(feature = "flash-attn")]
use super::flash::Flash;
use super::step_plan::StepPlan;

/// What attention needs to know of a step, on the device: the same in all layers.
pub(super) struct Attention<'a> {
    plan: &'a StepPlan,
    sizes: &'a Hyperparameters,
    /// The slots of the plan's scattered rows, of the shape of their keys.
    scattered: Option<Tensor>,
    /// An entry a piece.
    seen: Vec<Seen>,
    /// Takes the place of `seen` where it applies.
    #[cfg(feature = "flash-attn")]
    flash: Option<Flash>,
}

/// What the rows of a piece see.
struct Seen {
    blocks: Tensor,
    /// As `[1, sequences, 1, queries, keys]`.
    mask: Tensor,
}

impl<'a> Attention<'a> {
    #[cfg_attr(
        not(feature = "flash-attn"),
        expect(unused_variables, reason = "only flash attention depends on the type")
    )]
    pub(super) fn of(
        plan: &'a StepPlan,
        sizes: &'a Hyperparameters,
        device: &Device,
        dtype: DType,
    ) -> Result<Self> {
        let scattered = match plan.scattered.len() {
            0 => None,
            rows => {
                let slots = Tensor::from_slice(&plan.scattered, (1, rows, 1), device)?;
                let shape = (sizes.kv_heads, rows, sizes.head_width);
                Some(slots.broadcast_as(shape)?.contiguous()?)
            }
        };
        #[cfg(feature = "flash-attn")]
        if Flash::applies(sizes, device, dtype) {
            let flash = Some(Flash::of(plan, sizes, device)?);
            return Ok(Self { plan, sizes, scattered, seen: Vec::new(), flash });
        }
        let seen = plan.pieces.iter().map(|piece| {
            let (sequences, keys) = (piece.sequences.len(), piece.width() * BLOCK_TOKENS);
            let blocks = piece.blocks();
            let count = blocks.len();
            let shape = (1, sequences, 1, piece.queries, keys);
            Ok(Seen {
                blocks: Tensor::from_vec(blocks, count, device)?,
                mask: Tensor::from_vec(piece.mask(sizes.sliding_window), shape, device)?,
            })
        });
        Ok(Self {
            plan,
            sizes,
            scattered,
            seen: seen.collect::<Result<_>>()?,
            #[cfg(feature = "flash-attn")]
            flash: None,
        })
    }

    /// Puts the rows' keys and values, each `[kv heads, rows, head width]`, into the pool.
    pub(super) fn store(&self, pool: &BlockPool, keys: &Tensor, values: &Tensor) -> Result<()> {
        let mut row = 0;
        for run in &self.plan.runs {
            let part = |all: &Tensor| all.narrow(1, row, run.rows);
            pool.put_run(run.slot, &part(keys)?, &part(values)?)?;
            row += run.rows;
        }
        if let Some(slots) = &self.scattered {
            let part = |all: &Tensor| all.narrow(1, row, self.plan.scattered.len());
            pool.put_scattered(slots, &part(keys)?, &part(values)?)?;
        }
        Ok(())
    }

    /// The values that the rows see, mixed: `[rows, heads * head width]`. `queries` are `[heads,
    /// rows, head width]`; the rows' keys and values are in the pool.
    pub(super) fn over(&self, pool: &BlockPool, queries: &Tensor) -> Result<Tensor> {
        #[cfg(feature = "flash-attn")]
        if let Some(flash) = &self.flash {
            return flash.over(pool, queries);
        }
        let pieces = self.plan.pieces.iter().zip(&self.seen).map(|(piece, seen)| {
            let queries = queries.narrow(1, piece.rows.start, piece.rows.len())?;
            self.piece(pool, &queries, piece.queries, seen)
        });
        let mixed = Tensor::cat(&pieces.collect::<Result<Vec<_>>>()?, 1)?;
        mixed.transpose(0, 1)?.reshape((queries.dim(1)?, self.sizes.query_width()))
    }

    /// The same of one piece, `[heads, rows, head width]` as its queries are.
    fn piece(
        &self,
        pool: &BlockPool,
        queries: &Tensor,
        rows_each: usize,
        seen: &Seen,
    ) -> Result<Tensor> {
        let Hyperparameters { heads, kv_heads, head_width, .. } = *self.sizes;
        // Query heads that share keys and values lie side by side.
        let group = heads / kv_heads;
        let rows = queries.dim(1)?;
        let (sequences, keys_each) = (rows / rows_each, seen.mask.dim(4)?);
        let batch = kv_heads * sequences;

        let (keys, values) = pool.read(&seen.blocks)?;
        let keys = keys.reshape((batch, keys_each, head_width))?;
        let values = values.reshape((batch, keys_each, head_width))?;
        let queries = queries
            .reshape((kv_heads, group, sequences, rows_each, head_width))?
            .transpose(1, 2)?
            .reshape((batch, group * rows_each, head_width))?;
        // Scaled before the product: in f16 it could overflow.
        let queries = (queries * (1.0 / (head_width as f64).sqrt()))?;
        let scores = queries.matmul(&keys.t()?)?.to_dtype(DType::F32)?;
        let scores = scores
            .reshape((kv_heads, sequences, group, rows_each, keys_each))?
            .broadcast_add(&seen.mask)?;
        let shares = softmax_last_dim(&scores)?.to_dtype(values.dtype())?;
        shares
            .reshape((batch, group * rows_each, keys_each))?
            .matmul(&values)?
            .reshape((kv_heads, sequences, group, rows_each, head_width))?
            .transpose(1, 2)?
            .reshape((heads, rows, head_width))
    }
}
