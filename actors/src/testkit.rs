//! For tests of actors: a stage with virtual time, and fakes for every port.
//!
//! A stage fails the test that leaves an actor or a task running, or a credit out.

#![expect(clippy::expect_used, reason = "a test that cannot go on must fail")]

mod fakes;
mod measuring;
mod stage;

pub use fakes::{
    FakeChain, FakeTools, MemoryJournal, MemoryLedger, TrustingCheck, context, hotkey,
};
pub use measuring::bench;
pub use stage::Stage;
