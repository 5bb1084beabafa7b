//! ToolFetcher: brings contexts from the tools, in the order of preference they are configured in.
//!
//! TaskMaker and Assistant ask it. A tool that fails or has nothing is passed over for the next;
//! only when all have failed does the asker hear of it.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context as ActorContext, Handler, Message, Supervised};
use rand_chacha::ChaCha8Rng;

use crate::domain::{Context, SourceKind};
use crate::ports::{Clock, Tool, ToolError, Want, in_time};
use crate::runtime::{Failpoints, Job, Tasks};

/// Bring a context.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Context, FetchError>")]
pub struct FetchContext {
    /// What is wanted.
    pub want: Want,
    /// Decides every choice; the same stream brings the same context.
    pub random: ChaCha8Rng,
}

/// No tool brought a context.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// No configured tool has contexts of this kind.
    #[error("no tool is configured that has this kind of context")]
    NoTool,
    /// Every tool failed; the last failure is told.
    #[error("every tool failed, the last with: {0}")]
    AllFailed(ToolError),
}

/// What ToolFetcher works with, and is rebuilt from.
#[derive(Clone)]
pub struct ToolFetcherDeps {
    /// The tools, the preferred one first.
    pub tools: Arc<[Arc<dyn Tool>]>,
    /// How long one tool may take.
    pub patience: Duration,
    /// Measures that.
    pub clock: Arc<dyn Clock>,
    /// Where fetching runs.
    pub tasks: Tasks,
    /// For tests.
    pub failpoints: Failpoints,
}

/// The actor.
pub struct ToolFetcher {
    deps: ToolFetcherDeps,
}

impl ToolFetcher {
    /// A new one; it has no state to lose.
    #[must_use]
    pub fn new(deps: ToolFetcherDeps) -> Self {
        Self { deps }
    }
}

impl Actor for ToolFetcher {
    type Context = ActorContext<Self>;
}

impl Supervised for ToolFetcher {
    fn restarting(&mut self, _: &mut ActorContext<Self>) {
        *self = Self::new(self.deps.clone());
    }
}

impl Handler<Job<FetchContext>> for ToolFetcher {
    type Result = ();

    fn handle(&mut self, job: Job<FetchContext>, _: &mut ActorContext<Self>) {
        self.deps.failpoints.hit("tool_fetcher:fetch");
        let deps = self.deps.clone();
        self.deps.tasks.spawn("fetch", async move {
            let _slot = job.slot;
            deps.failpoints.hit("tool_fetcher:task");
            job.reply.send(deps.fetch(job.message).await);
        });
        self.deps.failpoints.hit("tool_fetcher:after");
    }
}

impl ToolFetcherDeps {
    async fn fetch(&self, request: FetchContext) -> Result<Context, FetchError> {
        let kind = match &request.want {
            Want::Random(kind) => *kind,
            Want::Search(_) | Want::Title(_) => SourceKind::Article,
        };
        let mut last = None;
        for tool in self.tools.iter().filter(|tool| tool.offers(kind)) {
            let fetched = tool.fetch(request.want.clone(), request.random.clone());
            let error = match in_time(&*self.clock, self.patience, fetched).await {
                Some(Ok(context)) => return Ok(context),
                Some(Err(error)) => error,
                None => ToolError::Failed {
                    tool: tool.name(),
                    cause: format!("no answer within {:?}", self.patience),
                },
            };
            tracing::debug!(tool = tool.name(), %error, "tool brought nothing");
            last = Some(error);
        }
        Err(last.map_or(FetchError::NoTool, FetchError::AllFailed))
    }
}
