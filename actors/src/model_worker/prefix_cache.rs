//! What the engine has computed and may be asked for again: whole blocks of tokens, each known by
//! its content and the chain of blocks before it.
//!
//! A trie, a node a block. Nodes are found by their exact tokens, never by a hash alone: a
//! collision would put one asker's words into another's text. A node that a running sequence holds
//! stays; of the others, the leaf that was used longest ago goes first. Pure; it knows nothing of
//! how blocks are counted ([`super::blocks`]).

use std::collections::{BTreeSet, HashMap};

use crate::ports::BlockId;

/// A node of the trie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

/// Whether a block was new to the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// The cache keeps the block from now on.
    New(NodeId),
    /// It has another block of the same content.
    Known(NodeId),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    parent: Option<NodeId>,
    tokens: Box<[u32]>,
}

#[derive(Debug)]
struct Node {
    key: Key,
    block: BlockId,
    /// Running sequences that hold it. Whoever holds a node holds its ancestors too.
    holders: u32,
    children: u32,
    last_used: u64,
}

/// The trie.
#[derive(Debug, Default)]
pub struct PrefixCache {
    nodes: HashMap<NodeId, Node>,
    by_key: HashMap<Key, NodeId>,
    next: u32,
    /// Nodes without holders.
    idle: usize,
    /// Of these, the ones without children, by when they were used.
    leaves: BTreeSet<(u64, NodeId)>,
    uses: u64,
}

impl PrefixCache {
    /// The nodes of the longest known chain of whole blocks at the front of `tokens`.
    #[must_use]
    pub fn longest(&self, tokens: &[u32]) -> Vec<NodeId> {
        let mut chain: Vec<NodeId> = Vec::new();
        for content in tokens.chunks_exact(crate::ports::BLOCK_TOKENS) {
            let key = Key { parent: chain.last().copied(), tokens: content.into() };
            match self.by_key.get(&key) {
                Some(node) => chain.push(*node),
                None => break,
            }
        }
        chain
    }

    /// The blocks of a chain.
    #[must_use]
    pub fn blocks(&self, chain: &[NodeId]) -> Vec<BlockId> {
        chain.iter().filter_map(|id| self.nodes.get(id)).map(|node| node.block).collect()
    }

    /// Keeps a chain until it is let go.
    pub fn hold(&mut self, chain: &[NodeId]) {
        for id in chain {
            let Some(node) = self.nodes.get_mut(id) else { continue };
            if node.holders == 0 {
                self.idle -= 1;
                self.leaves.remove(&(node.last_used, *id));
            }
            node.holders += 1;
        }
    }

    /// Ends a [`Self::hold`] or what [`Self::insert`] held.
    pub fn let_go(&mut self, chain: &[NodeId]) {
        self.uses += 1;
        for id in chain {
            let Some(node) = self.nodes.get_mut(id) else { continue };
            node.holders -= 1;
            node.last_used = self.uses;
            if node.holders == 0 {
                self.idle += 1;
                if node.children == 0 {
                    self.leaves.insert((node.last_used, *id));
                }
            }
        }
    }

    /// Adds a block after a chain whose last node, `parent`, the caller holds. The caller holds the
    /// node that comes back as well.
    pub fn insert(&mut self, parent: Option<NodeId>, tokens: &[u32], block: BlockId) -> Inserted {
        let key = Key { parent, tokens: tokens.into() };
        if let Some(known) = self.by_key.get(&key).copied() {
            self.hold(&[known]);
            return Inserted::Known(known);
        }
        let id = self.fresh_id();
        if let Some(parent) = parent.and_then(|id| self.nodes.get_mut(&id)) {
            parent.children += 1;
        }
        self.by_key.insert(key.clone(), id);
        self.nodes.insert(id, Node { key, block, holders: 1, children: 0, last_used: self.uses });
        Inserted::New(id)
    }

    /// How many blocks [`Self::evict`] can give, one after the other.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.idle
    }

    /// Forgets the leaf that nobody holds and that was used longest ago; gives its block.
    pub fn evict(&mut self) -> Option<BlockId> {
        let (_, id) = self.leaves.pop_first()?;
        let node = self.nodes.remove(&id)?;
        self.by_key.remove(&node.key);
        self.idle -= 1;
        if let Some(parent_id) = node.key.parent
            && let Some(parent) = self.nodes.get_mut(&parent_id)
        {
            parent.children -= 1;
            if parent.children == 0 && parent.holders == 0 {
                self.leaves.insert((parent.last_used, parent_id));
            }
        }
        Some(node.block)
    }

    /// Ids come around again only after four thousand million nodes; one that is still there is
    /// passed over.
    fn fresh_id(&mut self) -> NodeId {
        while self.nodes.contains_key(&NodeId(self.next)) {
            self.next = self.next.wrapping_add(1);
        }
        let id = NodeId(self.next);
        self.next = self.next.wrapping_add(1);
        id
    }
}
