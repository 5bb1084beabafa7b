//! ToolFetcher on virtual time: sources that are slow, down, empty, looping or garbled, and what
//! that costs those who ask.

#![expect(clippy::expect_used, clippy::panic, reason = "test code outside of a test function")]

#[path = "tool_fetcher/bench.rs"]
mod bench;
#[path = "tool_fetcher/failures.rs"]
mod failures;
#[path = "tool_fetcher/lookups.rs"]
mod lookups;
#[path = "tool_fetcher/pools.rs"]
mod pools;
