//! How much work a measure did, counted in its own loops.
//!
//! An answer must not be able to buy time. A clock would make a test of that depend on the machine,
//! so measures count: each adds what its inner loops go through before it runs them. The bound that
//! all of them are held to is in `tests/reward_scorer/rows.rs`.

use std::cell::Cell;

/// Counts the steps of inner loops, each of which costs a few machine instructions.
#[derive(Debug, Default)]
pub struct Effort(Cell<u64>);

impl Effort {
    /// Adds so many steps.
    pub fn spend(&self, steps: usize) {
        self.0.set(self.0.get().saturating_add(steps as u64));
    }

    /// All steps so far.
    #[must_use]
    pub fn spent(&self) -> u64 {
        self.0.get()
    }
}
