//! The chain's faults, one test each (ecosystem.md §5.5), against a node whose script the test
//! writes. A test waits for what must happen and measures no time; where a test would hang, it ends
//! after a minute.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helper that cannot go on fails its test"
)]

mod bench;
mod client;
mod clock;
mod connection;
mod errors;
mod neurons;
mod node;
mod node_itself;
mod sending;
mod upgrade;
