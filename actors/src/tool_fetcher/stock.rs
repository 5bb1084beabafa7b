//! Contexts of one kind from one source, fetched before they are wanted.

use std::collections::VecDeque;

use sha2::{Digest, Sha256};

use crate::domain::{Context, SourceKind};

/// What came so many fresh contexts ago may come again.
const REMEMBERED: usize = 4;
/// So many known contexts in a row are no chance: the source goes round in a circle.
const REPEATS: u32 = 4;

/// Contexts that wait to be wanted; each leaves once.
#[derive(Debug)]
pub(super) struct Stock {
    /// Of this kind.
    pub kind: SourceKind,
    depth: usize,
    waiting: VecDeque<Context>,
    seen: VecDeque<[u8; 32]>,
    repeats: u32,
}

/// What became of a context that was brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// It waits with the others.
    Kept,
    /// It came a short while ago and is not taken twice.
    Repeated,
    /// The source brings what it brought already, again and again.
    Looping,
}

impl Stock {
    /// An empty one for `depth` contexts.
    pub(super) fn new(kind: SourceKind, depth: usize) -> Self {
        Self {
            kind,
            depth,
            waiting: VecDeque::with_capacity(depth),
            seen: VecDeque::with_capacity(REMEMBERED),
            repeats: 0,
        }
    }

    /// How many more it takes.
    pub(super) fn room(&self) -> usize {
        self.depth.saturating_sub(self.waiting.len())
    }

    /// The one that waited longest.
    pub(super) fn take(&mut self) -> Option<Context> {
        self.waiting.pop_front()
    }

    /// Takes one in; there has to be room.
    pub(super) fn put(&mut self, context: Context) -> Put {
        let mark = mark(&context);
        if self.seen.contains(&mark) {
            self.repeats = self.repeats.saturating_add(1);
            return if self.repeats < REPEATS { Put::Repeated } else { Put::Looping };
        }
        self.repeats = 0;
        if self.seen.len() == REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back(mark);
        if self.room() > 0 {
            self.waiting.push_back(context);
        }
        Put::Kept
    }
}

/// Tells contexts apart; one page has many dated facts, so a title does not.
fn mark(context: &Context) -> [u8; 32] {
    let hash = Sha256::new().chain_update(&context.title).chain_update([0]);
    hash.chain_update(context.text()).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ContextBody;
    use crate::testkit::context;

    fn code(n: usize) -> Context {
        context(
            "lib.rs",
            "Rust",
            "src",
            ContextBody::Code { language: "Rust".into(), text: format!("fn f{n}() {{}}") },
        )
    }

    #[test]
    fn gives_each_context_once_in_order_and_holds_no_more_than_its_depth() {
        let mut stock = Stock::new(SourceKind::Code, 3);
        for n in 0..5 {
            assert_eq!(stock.put(code(n)), Put::Kept);
        }
        assert_eq!(stock.room(), 0);
        let taken: Vec<Context> = std::iter::from_fn(|| stock.take()).collect();
        assert_eq!(taken, [code(0), code(1), code(2)]);
        assert_eq!(stock.room(), 3);
    }

    #[test]
    fn tells_chance_from_a_circle() {
        let mut stock = Stock::new(SourceKind::Code, 100);
        let put: Vec<Put> = [0, 1, 0, 0, 2, 0, 1, 2, 0, 1, 3, 0].map(|n| stock.put(code(n))).into();
        let mut expected = [Put::Kept; 12];
        expected[2..4].fill(Put::Repeated);
        expected[5..8].fill(Put::Repeated);
        expected[8..10].fill(Put::Looping);
        expected[11] = Put::Repeated;
        assert_eq!(put, expected);
    }
}
