//! The chain's faults, one test each (ecosystem.md §5.5), against a node whose script the test
//! writes. A test waits for what must happen and measures no time; where a test would hang, it ends
//! after a minute.
//!
//! | Row | Where |
//! |---|---|
//! | 1–5 | [`connection`] |
//! | 6, 8 | [`sending`]; a commit in [`commit_reveal`] |
//! | 7 | [`errors`] |
//! | 9 | [`upgrade`], and metadata that is noise in [`connection`] |
//! | 10, 17 | [`neurons`] |
//!
//! Three rows of the chain are beside what they test: 11 (kill −9) in `src/ledger`, 18 (clocks) in
//! `src/wire/nonce/tests.rs` and, as `sn1 doctor` tells it, in [`doctor`], 23 (two instances) in `src/ledger/tests.rs`. That the node itself is
//! one is proved with subxt as it comes ([`node_itself`]). Calls without a row are in [`place`].

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helper that cannot go on fails its test"
)]

mod bench;
mod client;
mod clock;
mod commit_reveal;
mod connection;
mod doctor;
mod errors;
mod neurons;
mod node;
mod node_itself;
mod place;
mod sending;
mod upgrade;
