//! ModelWorker on virtual time: a stand-in model that checks how its KV cache is used, a fake
//! backend, and for what happens on a real thread a real one.

#![expect(clippy::expect_used, clippy::panic, reason = "test code outside of a test function")]

#[path = "model_worker/bench.rs"]
mod bench;
#[path = "model_worker/faults.rs"]
mod faults;
#[path = "model_worker/pieces.rs"]
mod pieces;
#[path = "model_worker/remote.rs"]
mod remote;
#[path = "model_worker/sharing.rs"]
mod sharing;
