//! The keys and values of all sequences, in blocks that sequences with the same beginning share.
//!
//! Who gets which block is the scheduler's decision. This memory only refuses what would let one
//! sequence change what another sees.

use std::collections::HashMap;

use sn1_actors::ports::{BLOCK_TOKENS, BlockId, EngineError, Placement, SequenceId};

/// One side of a head: its keys or its values, by block. A block's memory is taken when it is
/// first written, and kept.
#[derive(Default)]
pub(super) struct Side {
    pub(super) blocks: Vec<Vec<f32>>,
}

/// A layer's heads: the keys of head `h` at `2h`, its values at `2h + 1`.
pub(super) type LayerCache = Vec<Side>;

/// What is known of a block.
#[derive(Clone, Copy, Default)]
struct Block {
    /// Who may write to it.
    owner: Option<SequenceId>,
    /// How many of its positions are written.
    written: usize,
}

/// A sequence's part of the cache.
pub(super) struct Placed {
    pub(super) blocks: Vec<BlockId>,
    /// How many positions are complete in all layers.
    pub(super) length: usize,
}

/// Empty memory of so many blocks.
pub(super) fn layers(layers: usize, kv_heads: usize, blocks: u32) -> Vec<LayerCache> {
    let side = || Side { blocks: vec![Vec::new(); blocks as usize] };
    (0..layers).map(|_| (0..2 * kv_heads).map(|_| side()).collect()).collect()
}

/// Which sequence has which blocks.
pub(super) struct BlockTable {
    blocks: Vec<Block>,
    sequences: HashMap<SequenceId, Placed>,
}

impl BlockTable {
    /// So many free blocks.
    pub(super) fn new(blocks: u32) -> Self {
        Self { blocks: vec![Block::default(); blocks as usize], sequences: HashMap::new() }
    }

    /// Takes up a sequence. A refused one changes nothing.
    pub(super) fn place(&mut self, placement: Placement) -> Result<(), EngineError> {
        let Placement { sequence, blocks, cached } = placement;
        let refuse = |cause: String| {
            Err(EngineError::Request(format!("sequence {} cannot be placed: {cause}", sequence.0)))
        };
        let cached = cached as usize;
        if self.sequences.contains_key(&sequence) {
            return refuse("it is placed already".into());
        }
        if !cached.is_multiple_of(BLOCK_TOKENS) || cached / BLOCK_TOKENS > blocks.len() {
            return refuse(format!("it cannot share {cached} positions"));
        }
        for (number, id) in blocks.iter().enumerate() {
            let Some(block) = self.blocks.get(id.0 as usize) else {
                return refuse(format!("block {} is beyond the cache's {}", id.0, self.blocks.len()));
            };
            if blocks[..number].contains(id) {
                return refuse(format!("block {} is there twice", id.0));
            }
            if number < cached / BLOCK_TOKENS {
                if block.written < BLOCK_TOKENS {
                    return refuse(format!("block {} is not full", id.0));
                }
            } else if block.owner.is_some() {
                return refuse(format!("block {} is another sequence's", id.0));
            }
        }
        for id in &blocks[cached / BLOCK_TOKENS..] {
            self.blocks[id.0 as usize] = Block { owner: Some(sequence), written: 0 };
        }
        self.sequences.insert(sequence, Placed { blocks, length: cached });
        Ok(())
    }

    /// Forgets a sequence. Its full blocks can still be shared.
    pub(super) fn release(&mut self, sequence: SequenceId) {
        let Some(placed) = self.sequences.remove(&sequence) else { return };
        for id in placed.blocks {
            let block = &mut self.blocks[id.0 as usize];
            if block.owner == Some(sequence) {
                block.owner = None;
            }
        }
    }

    /// A sequence that was placed.
    pub(super) fn get(&self, sequence: SequenceId) -> Option<&Placed> {
        self.sequences.get(&sequence)
    }

    /// Counts a sequence's next position as complete.
    pub(super) fn advance(&mut self, sequence: SequenceId) {
        if let Some(placed) = self.sequences.get_mut(&sequence) {
            let block = placed.blocks[placed.length / BLOCK_TOKENS];
            placed.length += 1;
            self.blocks[block.0 as usize].written += 1;
        }
    }
}

impl Placed {
    /// How many positions it has room for.
    pub(super) fn capacity(&self) -> usize {
        self.blocks.len() * BLOCK_TOKENS
    }

    /// The block and the place in it of a position.
    pub(super) fn place(&self, position: usize) -> (usize, usize) {
        (self.blocks[position / BLOCK_TOKENS].0 as usize, position % BLOCK_TOKENS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placement(sequence: u32, blocks: &[u32], cached: u32) -> Placement {
        let blocks = blocks.iter().copied().map(BlockId).collect();
        Placement { sequence: SequenceId(sequence), blocks, cached }
    }

    #[test]
    fn refuses_what_would_let_one_sequence_change_anothers_past() {
        let mut cache = BlockTable::new(4);
        cache.place(placement(1, &[0, 1], 0)).unwrap();
        for position in 0..40 {
            assert_eq!(cache.get(SequenceId(1)).unwrap().length, position);
            cache.advance(SequenceId(1));
        }
        for (bad, cause) in [
            (placement(1, &[2], 0), "placed already"),
            (placement(2, &[1], 0), "another sequence's"),
            (placement(2, &[0, 1], 64), "block 1 is not full"),
            (placement(2, &[2, 2], 0), "twice"),
            (placement(2, &[4], 0), "beyond"),
            (placement(2, &[0, 2], 16), "cannot share 16"),
            (placement(2, &[0], 64), "cannot share 64"),
        ] {
            let refused = cache.place(bad).unwrap_err().to_string();
            assert!(refused.contains(cause), "{refused}");
        }
        cache.place(placement(2, &[0, 2], 32)).unwrap();
        assert_eq!(cache.get(SequenceId(2)).unwrap().length, 32);
    }

    #[test]
    fn a_full_block_outlives_its_sequence_and_ends_when_it_is_given_anew() {
        let mut cache = BlockTable::new(2);
        cache.place(placement(1, &[0], 0)).unwrap();
        (0..32).for_each(|_| cache.advance(SequenceId(1)));
        cache.release(SequenceId(1));
        cache.place(placement(2, &[0, 1], 32)).unwrap();
        cache.release(SequenceId(2));
        cache.place(placement(3, &[0], 0)).unwrap();
        cache.release(SequenceId(3));
        assert!(cache.place(placement(4, &[0], 32)).is_err(), "it is written no more");
        cache.release(SequenceId(9));
    }
}
