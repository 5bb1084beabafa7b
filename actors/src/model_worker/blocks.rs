//! Who has which blocks of the KV cache: the engine's memory as the scheduler accounts for it.
//!
//! A sequence gets all blocks that it can ever need when it is admitted, so the engine never runs
//! out of them in the middle of a text. Blocks at its front may be shared with the prefix cache;
//! the others are its own. What nobody runs with but the cache still knows is given up when room is
//! needed. Pure; only the scheduler uses it.

use crate::ports::{BLOCK_TOKENS, BlockId};

use super::prefix_cache::{Inserted, NodeId, PrefixCache};

/// How many blocks hold so many positions.
#[must_use]
pub fn blocks_of(positions: usize) -> usize {
    positions.div_ceil(BLOCK_TOKENS)
}

/// What one sequence has of the memory; give it back with [`KvMemory::end`].
#[derive(Debug)]
pub struct Held {
    blocks: Vec<BlockId>,
    /// The cache's nodes for its first blocks, as far as those are complete.
    chain: Vec<NodeId>,
    cached: usize,
}

impl Held {
    /// Its blocks, in the order of positions.
    #[must_use]
    pub fn blocks(&self) -> &[BlockId] {
        &self.blocks
    }

    /// Positions at its front that the engine had computed before.
    #[must_use]
    pub fn cached(&self) -> usize {
        self.cached
    }
}

/// All blocks of an engine.
#[derive(Debug)]
pub struct KvMemory {
    /// How many sequences have a block, the cache counted as one.
    users: Vec<u32>,
    free: Vec<BlockId>,
    cache: Option<PrefixCache>,
}

impl KvMemory {
    /// So many blocks, all free; with a prefix cache if wanted.
    #[must_use]
    pub fn new(total: u32, prefix_cache: bool) -> Self {
        Self {
            users: vec![0; total as usize],
            free: (0..total).rev().map(BlockId).collect(),
            cache: prefix_cache.then(PrefixCache::default),
        }
    }

    /// How many blocks there are.
    #[must_use]
    pub fn total(&self) -> usize {
        self.users.len()
    }

    /// Blocks that a new sequence could have: free ones and those only the cache holds.
    #[must_use]
    pub fn available(&self) -> usize {
        self.free.len() + self.cache.as_ref().map_or(0, PrefixCache::idle)
    }

    /// How many blocks at the front of `tokens` a sequence would not have to compute. At least its
    /// last token is always left to it, for the logits.
    #[must_use]
    pub fn known_blocks(&self, tokens: &[u32]) -> usize {
        self.cache.as_ref().map_or(0, |cache| cache.longest(shareable(tokens)).len())
    }

    /// Takes blocks for a sequence that begins with `tokens` and will have so many `positions`.
    /// `None` if there are not enough.
    pub fn admit(&mut self, tokens: &[u32], positions: usize) -> Option<Held> {
        let chain = self.cache.as_ref().map(|cache| cache.longest(shareable(tokens)));
        let chain = chain.unwrap_or_default();
        let need = blocks_of(positions.max(tokens.len())).saturating_sub(chain.len());
        if let Some(cache) = &mut self.cache {
            cache.hold(&chain);
        }
        if self.available() < need {
            if let Some(cache) = &mut self.cache {
                cache.let_go(&chain);
            }
            return None;
        }
        while self.free.len() < need {
            let evicted = self.cache.as_mut().and_then(PrefixCache::evict)?;
            self.give_back(evicted);
        }
        let shared = self.cache.as_ref().map(|cache| cache.blocks(&chain)).unwrap_or_default();
        let own = self.free.split_off(self.free.len() - need);
        let blocks: Vec<BlockId> = shared.into_iter().chain(own.into_iter().rev()).collect();
        for block in &blocks {
            self.users[block.0 as usize] += 1;
        }
        Some(Held { cached: chain.len() * BLOCK_TOKENS, blocks, chain })
    }

    /// Tells that the engine has computed all positions of `tokens`, which `held` belongs to: whole
    /// blocks of them can be shared from now on.
    pub fn computed(&mut self, held: &mut Held, tokens: &[u32]) {
        let Some(cache) = &mut self.cache else { return };
        let whole = tokens.chunks_exact(BLOCK_TOKENS).zip(&held.blocks).skip(held.chain.len());
        for (content, block) in whole {
            let node = match cache.insert(held.chain.last().copied(), content, *block) {
                Inserted::New(node) => {
                    self.users[block.0 as usize] += 1;
                    node
                }
                // Another sequence computed the same meanwhile; this one keeps its own copy.
                Inserted::Known(node) => node,
            };
            held.chain.push(node);
        }
    }

    /// Takes back what a sequence had; the cache keeps what it knows.
    pub fn end(&mut self, held: Held) {
        if let Some(cache) = &mut self.cache {
            cache.let_go(&held.chain);
        }
        held.blocks.into_iter().for_each(|block| self.give_back(block));
    }

    /// Forgets what the cache knows: the engine was built anew. All sequences must have ended.
    pub fn forget(&mut self) {
        let total = u32::try_from(self.total()).unwrap_or(u32::MAX);
        *self = Self::new(total, self.cache.is_some());
    }

    fn give_back(&mut self, block: BlockId) {
        let users = &mut self.users[block.0 as usize];
        *users = users.saturating_sub(1);
        if *users == 0 {
            self.free.push(block);
        }
    }
}

/// What of a prompt may come from the cache: all but its last token.
fn shareable(tokens: &[u32]) -> &[u32] {
    &tokens[..tokens.len().saturating_sub(1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const B: usize = BLOCK_TOKENS;

    fn tokens(blocks: usize, first: u32) -> Vec<u32> {
        (0..blocks * B).map(|n| first + u32::try_from(n / B).unwrap()).collect()
    }

    #[test]
    fn never_hands_out_a_block_twice_nor_more_than_there_are() {
        let mut memory = KvMemory::new(4, false);
        let first = memory.admit(&[1], 3 * B).unwrap();
        assert!(memory.admit(&[1], 2 * B).is_none(), "one is left");
        let second = memory.admit(&[1], B).unwrap();
        assert!(!first.blocks().contains(&second.blocks()[0]));
        memory.end(first);
        assert_eq!(memory.available(), 3);
        memory.end(second);
        assert_eq!(memory.available(), 4);
    }

    #[test]
    fn shares_the_longest_computed_chain_but_never_all_of_a_prompt() {
        let mut memory = KvMemory::new(16, true);
        let prompt = tokens(3, 10);
        let mut first = memory.admit(&prompt, 3 * B).unwrap();
        assert_eq!(memory.known_blocks(&prompt), 0, "nothing is computed yet");
        memory.computed(&mut first, &prompt[..2 * B + 5]);
        let second = memory.admit(&prompt, 3 * B).unwrap();
        assert_eq!(second.cached(), 2 * B);
        assert_eq!(second.blocks()[..2], first.blocks()[..2]);
        assert_ne!(second.blocks()[2], first.blocks()[2]);
        memory.computed(&mut first, &prompt);
        assert_eq!(memory.known_blocks(&prompt), 2, "its last token is run by everyone");
        assert_eq!(memory.known_blocks(&tokens(4, 10)), 3);
        assert_eq!(memory.known_blocks(&tokens(3, 11)), 0, "the same blocks elsewhere are others");
        memory.end(first);
        memory.end(second);
        assert_eq!(memory.available(), 16);
    }

    #[test]
    fn gives_up_what_was_used_longest_ago_and_nothing_in_use() {
        let mut memory = KvMemory::new(4, true);
        for first in [10, 20] {
            let mut held = memory.admit(&tokens(2, first), 2 * B).unwrap();
            memory.computed(&mut held, &tokens(2, first));
            memory.end(held);
        }
        let user = memory.admit(&tokens(2, 10), 2 * B).unwrap();
        assert_eq!(user.cached(), B, "this chain is in use again");
        let greedy = memory.admit(&[1], 2 * B).unwrap();
        assert_eq!(memory.known_blocks(&[tokens(1, 10), vec![0]].concat()), 1);
        assert_eq!(memory.known_blocks(&[tokens(1, 20), vec![0]].concat()), 0);
        assert!(memory.admit(&[1], B).is_none(), "all four are held");
        memory.end(greedy);
        memory.end(user);
        assert_eq!(memory.available(), 4);
    }

    #[test]
    fn two_that_compute_the_same_at_once_both_end_clean() {
        let mut memory = KvMemory::new(8, true);
        let prompt = tokens(3, 1);
        let mut both: Vec<Held> = (0..2).map(|_| memory.admit(&prompt, 4 * B).unwrap()).collect();
        for held in &mut both {
            memory.computed(held, &prompt);
        }
        both.into_iter().for_each(|held| memory.end(held));
        assert_eq!(memory.available(), 8);
        assert!(memory.admit(&[9], 8 * B).is_some(), "everything can be had again");
    }
}
