//! ToolFetcher: brings contexts from the tools, in the order of preference they are configured in.
//!
//! TaskMaker and Assistant ask it. Slow tools are asked ahead, so that a step finds what it wants in
//! a pool and never waits for a network as long as there is something in it. A tool that fails, has
//! nothing, goes round in a circle or talks nonsense is left alone for a while and passed over for
//! the next; only when all do so does the asker hear of it, with what each tool has to say.
//!
//! How often a host may be asked is the tools' own business; here a tool has one fetch for its pools
//! under way at most, and lookups besides.

mod flaw;
mod found;
mod health;
mod pools;
mod source;
mod stock;

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context as ActorContext, Handler, Message, Supervised};
use rand_chacha::ChaCha8Rng;
use tracing::{Instrument as _, debug_span};

use crate::domain::{Context, RunSeed, SourceKind};
use crate::ports::{Clock, Journal, Tool, Want};
use crate::runtime::{AskError, Failpoints, Job, Port, Tasks};
use crate::spans::{TARGET, part};

use pools::Pools;
use source::Source;

/// How much longer an answer may be on its way than ToolFetcher takes for it.
const GRACE: Duration = Duration::from_secs(1);

/// Bring a context; [`fetch`] sends it.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Context, FetchError>")]
pub struct FetchContext {
    /// What is wanted.
    pub want: Want,
    /// Decides every choice of a tool that is asked for this request itself; what comes out of a
    /// pool was chosen before.
    pub random: ChaCha8Rng,
    /// How long it may take.
    pub patience: Duration,
}

/// No tool brought a context.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// No configured tool has contexts of this kind.
    #[error("no source of tools.sources has contexts of the kind {}", .0.name())]
    NoTool(SourceKind),
    /// No tool brought anything, and what each has to say to that.
    #[error("{}", join(.0))]
    AllFailed(Vec<Passed>),
    /// ToolFetcher did not answer.
    #[error("tool fetcher: {0}")]
    NoAnswer(AskError),
}

/// Why one tool brought nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Which tool.
    pub tool: &'static str,
    /// What happened.
    pub cause: String,
    /// When it is asked again, if it is left alone for now.
    pub next_try: Option<Duration>,
}

impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.tool, self.cause)?;
        match self.next_try {
            Some(wait) => write!(f, " (asked again in {} s)", wait.as_secs_f64().ceil()),
            None => Ok(()),
        }
    }
}

fn join(passed: &[Passed]) -> String {
    if passed.is_empty() {
        return "tools.sources is empty".to_owned();
    }
    passed.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Asks for a context, again if ToolFetcher is restarted meanwhile.
///
/// # Errors
/// [`FetchError`] with what every tool has to say.
pub async fn fetch(
    port: &Port<FetchContext>,
    want: Want,
    random: ChaCha8Rng,
    patience: Duration,
) -> Result<Context, FetchError> {
    let deadline = port.within(patience.saturating_add(GRACE));
    let asking = port.ask_again(FetchContext { want, random, patience }, deadline);
    let asked = asking.instrument(part(|| debug_span!(target: TARGET, "fetch"))).await;
    asked.map_err(FetchError::NoAnswer)?
}

/// What is fetched before it is wanted.
#[derive(Clone, Debug)]
pub struct Prefetch {
    /// Of these kinds.
    pub kinds: Vec<SourceKind>,
    /// So many contexts of each kind from each slow tool; with 0, each when it is wanted.
    pub depth: usize,
    /// How long one may take, where nobody waits for it.
    pub patience: Duration,
    /// Decides every choice.
    pub seed: RunSeed,
}

impl Prefetch {
    /// Everything is fetched when it is wanted.
    pub const NONE: Self =
        Self { kinds: Vec::new(), depth: 0, patience: Duration::ZERO, seed: RunSeed(0) };
}

/// What ToolFetcher works with, and is rebuilt from.
#[derive(Clone)]
pub struct ToolFetcherDeps {
    /// The tools, the preferred one first.
    pub tools: Arc<[Arc<dyn Tool>]>,
    /// How long one tool may take while somebody waits.
    pub patience: Duration,
    /// What is fetched before it is wanted.
    pub prefetch: Prefetch,
    /// Measures time.
    pub clock: Arc<dyn Clock>,
    /// What happened to the sources.
    pub journal: Arc<dyn Journal>,
    /// Where fetching runs.
    pub tasks: Tasks,
    /// For tests.
    pub failpoints: Failpoints,
}

/// The actor.
pub struct ToolFetcher {
    deps: ToolFetcherDeps,
    sources: Vec<Rc<Source>>,
    pools: Rc<Pools>,
}

impl ToolFetcher {
    /// A new one with empty pools.
    #[must_use]
    pub fn new(deps: ToolFetcherDeps) -> Self {
        let source = |tool: &Arc<dyn Tool>| {
            let (clock, journal) = (Arc::clone(&deps.clock), Arc::clone(&deps.journal));
            Rc::new(Source::new(Arc::clone(tool), clock, journal))
        };
        let sources = deps.tools.iter().map(source).collect();
        Self::with(deps, sources)
    }

    fn with(deps: ToolFetcherDeps, sources: Vec<Rc<Source>>) -> Self {
        let pools = Pools::new(deps.clone(), &sources);
        Self { deps, sources, pools }
    }
}

impl Actor for ToolFetcher {
    type Context = ActorContext<Self>;

    fn started(&mut self, _: &mut ActorContext<Self>) {
        self.pools.keep_full();
    }
}

impl Supervised for ToolFetcher {
    fn restarting(&mut self, _: &mut ActorContext<Self>) {
        *self = Self::with(self.deps.clone(), self.sources.clone());
    }
}

impl Handler<Job<FetchContext>> for ToolFetcher {
    type Result = ();

    fn handle(&mut self, job: Job<FetchContext>, _: &mut ActorContext<Self>) {
        self.deps.failpoints.hit("tool_fetcher:fetch");
        let (pools, failpoints) = (Rc::clone(&self.pools), self.deps.failpoints.clone());
        self.deps.tasks.spawn("fetch", async move {
            let Job { message, mut reply, slot } = job;
            let _slot = slot;
            failpoints.hit("tool_fetcher:task");
            let brought = tokio::select! {
                brought = pools.bring(message) => brought,
                // Nobody wants it any more.
                () = reply.abandoned() => return,
            };
            reply.send(brought);
        });
        self.deps.failpoints.hit("tool_fetcher:after");
    }
}
