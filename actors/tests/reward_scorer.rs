//! Measuring of answers that mean harm, through the doors that the validator uses.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code outside of a test function")]

#[path = "reward_scorer/exploits.rs"]
mod exploits;
#[path = "reward_scorer/hostile_texts.rs"]
mod hostile_texts;
#[path = "reward_scorer/judge.rs"]
mod judge;
#[path = "reward_scorer/rows.rs"]
mod rows;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use sn1_actors::model_worker::stand_in::{ServiceRate, StandInDevice};
use sn1_actors::reward_scorer::judge::Bench;
use sn1_actors::testkit::{Stage, bench};

/// Runs a test with what measures answers; the stand-in embeds them.
pub(crate) fn with_bench<T: Future<Output = ()>>(test: impl FnOnce(Bench) -> T) {
    Stage::play(async |stage: Stage| {
        let rate = ServiceRate { per_step: Duration::ZERO, per_row: Duration::ZERO };
        let device = StandInDevice::new(Arc::clone(&stage.clock), rate);
        test(bench(&stage, Arc::new(device))).await;
    });
}
