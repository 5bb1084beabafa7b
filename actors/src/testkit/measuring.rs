//! Where answers are measured in tests.

use std::sync::Arc;
use std::time::Duration;

use crate::model_worker::TextSource;
use crate::model_worker::scheduler::SchedulerConfig;
use crate::model_worker::stand_in::StandInCodec;
use crate::ports::Device;
use crate::reward_scorer::judge::Bench;
use crate::tool_fetcher::Prefetch;
use crate::wiring::{ModelParts, ToolParts, start_shared};

use super::Stage;

/// Starts what measures answers; `device` embeds them.
#[must_use]
pub fn bench(stage: &Stage, device: Arc<dyn Device>) -> Bench {
    let patience = Duration::from_secs(60);
    let text = TextSource::Local(Arc::new(StandInCodec));
    let model = ModelParts { text, device, scheduler: SchedulerConfig::default() };
    let tools = ToolParts { tools: Arc::new([]), patience, prefetch: Prefetch::NONE };
    let shared = start_shared(&stage.overseer, model, tools, 4, &stage.failpoints);
    let (clock, tasks) = (Arc::clone(&stage.clock), stage.overseer.tasks().clone());
    Bench { model_worker: shared.embed, patience, clock, tasks }
}
