//! What an engine with a KV cache in blocks may be told, checked: it holds tokens where a real
//! engine holds keys and values, and says at once when these would be wrong.

use std::collections::HashMap;

use crate::ports::{BLOCK_TOKENS, BlockId, Placement, Row, SequenceId};

/// The memory.
#[derive(Debug, Default)]
pub struct KvContract {
    /// How many blocks there are.
    total: u32,
    blocks: HashMap<BlockId, Block>,
    sequences: HashMap<SequenceId, Sequence>,
}

/// What a block holds: its keys and values depend on its tokens and on all before them.
#[derive(Debug, Default)]
struct Block {
    before: u64,
    tokens: Vec<u32>,
    /// Sequences that have it now.
    users: u32,
}

#[derive(Debug)]
struct Sequence {
    blocks: Vec<BlockId>,
    /// How many of its blocks it only reads.
    shared: usize,
    tokens: Vec<u32>,
    /// Of all its tokens.
    digest: u64,
}

impl KvContract {
    /// An empty memory of so many blocks.
    #[must_use]
    pub fn of_blocks(total: u32) -> Self {
        Self { total, ..Self::default() }
    }

    /// How many sequences are placed.
    #[must_use]
    pub fn sequences(&self) -> usize {
        self.sequences.len()
    }

    /// Forgets a sequence; what its blocks hold stays.
    pub fn release(&mut self, sequence: SequenceId) {
        let Some(sequence) = self.sequences.remove(&sequence) else { return };
        for block in sequence.blocks {
            if let Some(block) = self.blocks.get_mut(&block) {
                block.users -= 1;
            }
        }
    }

    /// Takes up a sequence.
    ///
    /// # Errors
    /// What is wrong with its place: a sequence that is there already, a block that does not exist
    /// or is another's, cached positions that were never computed or follow other tokens.
    pub fn place(&mut self, placement: Placement) -> Result<(), String> {
        let Placement { sequence, blocks, cached } = placement;
        if self.sequences.contains_key(&sequence) {
            return Err(format!("{sequence:?} is placed twice"));
        }
        let cached = cached as usize;
        let shared = cached / BLOCK_TOKENS;
        if !cached.is_multiple_of(BLOCK_TOKENS) || shared > blocks.len() {
            return Err(format!("{cached} cached positions in {} blocks", blocks.len()));
        }
        let (mut tokens, mut digest) = (Vec::new(), 0);
        for (index, id) in blocks.iter().enumerate() {
            if id.0 >= self.total {
                return Err(format!("{id:?} of {} blocks", self.total));
            }
            let block = self.blocks.entry(*id).or_default();
            if index < shared {
                if block.tokens.len() != BLOCK_TOKENS || block.before != digest {
                    return Err(format!("{id:?} does not hold what {sequence:?} begins with"));
                }
                digest = block.tokens.iter().fold(digest, fold);
                tokens.extend_from_slice(&block.tokens);
            } else if block.users > 0 {
                return Err(format!("{id:?} is given to {sequence:?} and is another's"));
            } else {
                block.tokens.clear();
            }
            block.users += 1;
        }
        self.sequences.insert(sequence, Sequence { blocks, shared, tokens, digest });
        Ok(())
    }

    /// Runs a row; gives all tokens of its sequence so far.
    ///
    /// # Errors
    /// What is wrong with it: a sequence that is not placed, a position out of turn or beyond the
    /// sequence's blocks.
    pub fn run(&mut self, row: &Row) -> Result<&[u32], String> {
        let Some(sequence) = self.sequences.get_mut(&row.sequence) else {
            return Err(format!("{:?} is not placed", row.sequence));
        };
        let position = row.position as usize;
        if position != sequence.tokens.len() {
            return Err(format!("{row:?} comes after {} positions", sequence.tokens.len()));
        }
        let index = position / BLOCK_TOKENS;
        let id = sequence.blocks.get(index).filter(|_| index >= sequence.shared);
        let Some(block) = id.and_then(|id| self.blocks.get_mut(id)) else {
            return Err(format!("{row:?} is beyond its sequence's blocks"));
        };
        if block.tokens.is_empty() {
            block.before = sequence.digest;
        }
        block.tokens.push(row.token);
        sequence.tokens.push(row.token);
        sequence.digest = fold(sequence.digest, &row.token);
        Ok(&sequence.tokens)
    }
}

fn fold(digest: u64, token: &u32) -> u64 {
    (digest.rotate_left(7) ^ (u64::from(*token) + 1)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(memory: &mut KvContract, sequence: u32, blocks: &[u32], cached: u32) -> bool {
        let blocks = blocks.iter().copied().map(BlockId).collect();
        memory.place(Placement { sequence: SequenceId(sequence), blocks, cached }).is_ok()
    }

    fn run(memory: &mut KvContract, sequence: u32, tokens: std::ops::Range<u32>) -> bool {
        let row = |position| Row {
            sequence: SequenceId(sequence),
            position,
            token: position,
            wants_logits: false,
        };
        tokens.map(row).all(|row| memory.run(&row).is_ok())
    }

    #[test]
    fn lets_a_sequence_share_what_another_computed() {
        let mut memory = KvContract::of_blocks(4);
        assert!(place(&mut memory, 0, &[0, 1], 0) && run(&mut memory, 0, 0..40));
        assert!(place(&mut memory, 1, &[0, 2], 32) && run(&mut memory, 1, 32..64));
        memory.release(SequenceId(0));
        assert!(place(&mut memory, 0, &[0, 2, 1], 64) && run(&mut memory, 0, 64..70));
    }

    #[test]
    fn every_breach_is_seen() {
        let mut memory = KvContract::of_blocks(4);
        assert!(!run(&mut memory, 0, 0..1), "not placed");
        assert!(!place(&mut memory, 0, &[4], 0), "no such block");
        assert!(place(&mut memory, 0, &[0], 0));
        assert!(!place(&mut memory, 0, &[1], 0), "placed twice");
        assert!(!place(&mut memory, 1, &[0], 0), "another's block");
        assert!(run(&mut memory, 0, 0..31));
        assert!(!run(&mut memory, 0, 33..34), "a gap");
        assert!(!place(&mut memory, 1, &[0, 1], 32), "a block that is not full");
        assert!(run(&mut memory, 0, 31..32) && !run(&mut memory, 0, 32..33), "beyond its blocks");
        assert!(!place(&mut memory, 2, &[0], 16), "half a block");
        assert!(place(&mut memory, 3, &[1, 2], 0) && run(&mut memory, 3, 0..64));
        assert!(!place(&mut memory, 4, &[2, 1, 3], 64), "blocks that follow other tokens");
        memory.release(SequenceId(3));
        assert!(!run(&mut memory, 3, 64..65), "released");
        assert!(place(&mut memory, 3, &[1], 0));
        assert!(!place(&mut memory, 5, &[1, 3], 32), "a block that was given anew");
    }
}
