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

use sn1_actors::model_worker::TextSource;
use sn1_actors::model_worker::scheduler::SchedulerConfig;
use sn1_actors::model_worker::stand_in::{ServiceRate, StandInCodec, StandInDevice};
use sn1_actors::reward_scorer::judge::Bench;
use sn1_actors::testkit::Stage;
use sn1_actors::tool_fetcher::Prefetch;
use sn1_actors::wiring::{ModelParts, ToolParts, start_shared};

/// Runs a test with what measures answers; the stand-in embeds them.
pub(crate) fn with_bench<T: Future<Output = ()>>(test: impl FnOnce(Bench) -> T) {
    Stage::play(async |stage: Stage| {
        let patience = Duration::from_secs(60);
        let rate = ServiceRate { per_step: Duration::ZERO, per_row: Duration::ZERO };
        let model = ModelParts {
            text: TextSource::Local(Arc::new(StandInCodec)),
            device: Arc::new(StandInDevice::new(Arc::clone(&stage.clock), rate)),
            scheduler: SchedulerConfig::default(),
        };
        let tools = ToolParts { tools: Arc::new([]), patience, prefetch: Prefetch::NONE };
        let shared = start_shared(&stage.overseer, model, tools, 4, &stage.failpoints);
        let (clock, tasks) = (Arc::clone(&stage.clock), stage.overseer.tasks().clone());
        test(Bench { model_worker: shared.embed, patience, clock, tasks }).await;
    });
}
