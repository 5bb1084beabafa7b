//! The keys and values of one layer for all sequences, in blocks that are allocated once.

use candle_core::{DType, Device, Result, Tensor};
use sn1_actors::ports::BLOCK_TOKENS;

use super::super::hyperparameters::Hyperparameters;

/// candle gives zeros where this is to be read.
pub(super) const NO_BLOCK: u32 = u32::MAX;

/// Keys and values, each `[kv heads, slots, head width]`: a block is so many slots on end. Heads
/// come first so that a sequence's blocks are read as the matrices that attention takes.
pub(super) struct BlockPool {
    pub(super) keys: Tensor,
    pub(super) values: Tensor,
}

impl BlockPool {
    pub(super) fn new(
        sizes: &Hyperparameters,
        blocks: usize,
        device: &Device,
        dtype: DType,
    ) -> Result<Self> {
        // candle's kernels index a tensor with 32 bits.
        let elements = (blocks * BLOCK_TOKENS).checked_mul(sizes.kv_width());
        if elements.is_none_or(|elements| elements > u32::MAX as usize) {
            candle_core::bail!("{blocks} blocks of keys and values are more than it can address");
        }
        let shape = (sizes.kv_heads, blocks * BLOCK_TOKENS, sizes.head_width);
        Ok(Self {
            keys: Tensor::zeros(shape, dtype, device)?,
            values: Tensor::zeros(shape, dtype, device)?,
        })
    }

    /// Puts `keys` and `values`, each `[kv heads, rows, head width]`, into the slots from `slot`.
    pub(super) fn put_run(&self, slot: usize, keys: &Tensor, values: &Tensor) -> Result<()> {
        self.keys.slice_set(&keys.contiguous()?, 1, slot)?;
        self.values.slice_set(&values.contiguous()?, 1, slot)
    }

    /// As [`Self::put_run`], each row into a slot of its own. `slots` is of the shape of `keys`.
    pub(super) fn put_scattered(
        &self,
        slots: &Tensor,
        keys: &Tensor,
        values: &Tensor,
    ) -> Result<()> {
        self.keys.scatter_set(slots, &keys.contiguous()?, 1)?;
        self.values.scatter_set(slots, &values.contiguous()?, 1)
    }

    /// Sets blocks to zero. What a former sequence left is masked, but NaN shows through a mask.
    pub(super) fn clear(&self, blocks: &[u32]) -> Result<()> {
        let (kv_heads, _, head_width) = self.keys.dims3()?;
        for run in blocks.chunk_by(|a, b| a + 1 == *b) {
            let shape = (kv_heads, run.len() * BLOCK_TOKENS, head_width);
            let zeros = Tensor::zeros(shape, self.keys.dtype(), self.keys.device())?;
            self.put_run(run[0] as usize * BLOCK_TOKENS, &zeros, &zeros)?;
        }
        Ok(())
    }

    /// Keys and values of blocks, each `[kv heads, blocks * BLOCK_TOKENS, head width]`.
    pub(super) fn read(&self, blocks: &Tensor) -> Result<(Tensor, Tensor)> {
        let (kv_heads, slots, head_width) = self.keys.dims3()?;
        let read = |pool: &Tensor| {
            let by_block = (kv_heads, slots / BLOCK_TOKENS, BLOCK_TOKENS * head_width);
            let blocks = pool.reshape(by_block)?.index_select(blocks, 1)?;
            blocks.reshape((kv_heads, (), head_width))
        };
        Ok((read(&self.keys)?, read(&self.values)?))
    }
}
