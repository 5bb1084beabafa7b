//! What a validator and its process's miners share: the model and the tools.

use std::sync::Arc;
use std::time::Duration;

use crate::model_worker::meter::ModelMeter;
use crate::model_worker::scheduler::SchedulerConfig;
use crate::model_worker::{Embed, Generate, ModelWorker, ModelWorkerDeps, TextSource};
use crate::ports::{Device, Tool};
use crate::runtime::{Failpoints, Inbox, Overseer, Port, RestartPolicy};
use crate::tool_fetcher::{FetchContext, Prefetch, ToolFetcher, ToolFetcherDeps};

/// The model and how it is used.
pub struct ModelParts {
    /// Where texts are written.
    pub text: TextSource,
    /// Where embeddings are made, and texts if they are local.
    pub device: Arc<dyn Device>,
    /// How requests are batched.
    pub scheduler: SchedulerConfig,
}

/// The tools and how they are asked.
pub struct ToolParts {
    /// The preferred one first.
    pub tools: Arc<[Arc<dyn Tool>]>,
    /// How long one may take while somebody waits.
    pub patience: Duration,
    /// What is fetched before it is wanted.
    pub prefetch: Prefetch,
}

/// The doors to the shared actors.
#[derive(Clone)]
pub struct Shared {
    /// To the model, for texts.
    pub generate: Port<Generate>,
    /// To the model, for embeddings.
    pub embed: Port<Embed>,
    /// What the model did so far.
    pub meter: Arc<ModelMeter>,
    /// To the tools.
    pub fetch: Port<FetchContext>,
}

/// Starts ModelWorker and ToolFetcher. `askers` is how many requests of each kind may be under way:
/// conversations and miners' requests together.
#[must_use]
pub fn start_shared(
    overseer: &Overseer,
    model: ModelParts,
    tools: ToolParts,
    askers: usize,
    failpoints: &Failpoints,
) -> Shared {
    let clock = overseer.clock();
    let model_worker = Inbox::<ModelWorker>::open("model_worker", overseer.clock());
    let tool_fetcher = Inbox::<ToolFetcher>::open("tool_fetcher", overseer.clock());
    let shared = Shared {
        generate: model_worker.port(askers),
        embed: model_worker.port(askers),
        meter: Arc::default(),
        fetch: tool_fetcher.port(askers),
    };
    let deps = ModelWorkerDeps {
        text: model.text,
        device: model.device,
        config: model.scheduler,
        clock: Arc::clone(&clock),
        meter: Arc::clone(&shared.meter),
        kill: overseer.kill().clone(),
        failpoints: failpoints.clone(),
    };
    overseer.supervise(model_worker, RestartPolicy::HEAVY, ModelWorker::new(deps));
    let deps = ToolFetcherDeps {
        tools: tools.tools,
        patience: tools.patience,
        prefetch: tools.prefetch,
        clock,
        journal: overseer.journal(),
        tasks: overseer.tasks().clone(),
        failpoints: failpoints.clone(),
    };
    overseer.supervise(tool_fetcher, RestartPolicy::PATIENT, ToolFetcher::new(deps));
    shared
}
