//! Tools that do as they are told, and a ToolFetcher on a stage.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use rand::RngCore;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use sn1_actors::domain::{Context, ContextBody, Moment, RunSeed, Section, SourceKind};
use sn1_actors::ports::{Clock, Event, Tool, ToolError, Want};
use sn1_actors::runtime::{Inbox, Port, RestartPolicy};
use sn1_actors::testkit::Stage;
use sn1_actors::tool_fetcher::{
    FetchContext, FetchError, Prefetch, ToolFetcher, ToolFetcherDeps, fetch,
};

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// How long one tool may take while somebody waits.
pub(crate) const EACH: Duration = Duration::from_secs(10);
/// How long one tool may take for its pool.
pub(crate) const REFILL: Duration = Duration::from_secs(60);

/// What a tool does when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    Well,
    Fails,
    Hangs,
    HasNothing,
    HasNoCode,
    Repeats,
    Babbles,
    SendsTooMuch,
    Panics,
    IsBusyFor(Duration),
    IsCrowded,
}

/// A tool that takes its time and does as it is told.
pub(crate) struct Puppet {
    name: &'static str,
    kinds: Vec<SourceKind>,
    takes: Duration,
    clock: Arc<dyn Clock>,
    doing: Mutex<Doing>,
    asked: Mutex<Vec<Moment>>,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    /// Whether it knows what is looked up.
    pub(crate) knows: AtomicBool,
}

impl Puppet {
    /// A tool with articles.
    pub(crate) fn new(stage: &Stage, name: &'static str, takes: Duration) -> Arc<Self> {
        Self::with(stage, name, takes, &[SourceKind::Article])
    }

    pub(crate) fn with(
        stage: &Stage,
        name: &'static str,
        takes: Duration,
        kinds: &[SourceKind],
    ) -> Arc<Self> {
        Arc::new(Self {
            name,
            kinds: kinds.to_vec(),
            takes,
            clock: Arc::clone(&stage.clock),
            doing: Mutex::new(Doing::Well),
            asked: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            knows: AtomicBool::new(true),
        })
    }

    pub(crate) fn does(&self, doing: Doing) {
        *self.doing.lock() = doing;
    }

    /// When it was asked, in seconds since the start.
    pub(crate) fn asked(&self) -> Vec<u64> {
        self.asked.lock().iter().map(|moment| moment.0.as_secs()).collect()
    }

    pub(crate) fn most_in_flight(&self) -> usize {
        self.most_in_flight.load(Ordering::Relaxed)
    }

    fn context(&self, kind: SourceKind, number: u32) -> Context {
        let text = format!("Article {number} tells how tea is grown, picked, dried and drunk.");
        let body = match kind {
            SourceKind::Article => {
                ContextBody::Article { sections: vec![Section { heading: None, text }] }
            }
            SourceKind::Code => ContextBody::Code { language: "Rust".into(), text },
            _ => panic!("no such puppet"),
        };
        Context {
            source: self.name.into(),
            title: number.to_string(),
            topic: "Tea".into(),
            subtopic: "Tests".into(),
            tags: Vec::new(),
            origin: None,
            body,
        }
    }

    fn answer(&self, want: &Want, number: u32) -> Result<Context, ToolError> {
        let tool = self.name;
        let kind = match want {
            Want::Random(kind) => *kind,
            Want::Search(kind, _) if self.knows.load(Ordering::Relaxed) => *kind,
            Want::Title(_) if self.knows.load(Ordering::Relaxed) => SourceKind::Article,
            Want::Search(..) | Want::Title(_) => return Err(ToolError::Nothing { tool }),
        };
        let good = self.context(kind, number);
        let text = |text: String| {
            let body = ContextBody::Article { sections: vec![Section { heading: None, text }] };
            Context { body, ..good.clone() }
        };
        match *self.doing.lock() {
            Doing::Well | Doing::Hangs => Ok(good),
            Doing::Fails => {
                Err(ToolError::Failed { tool, cause: "503\u{1b}[2J Service Unavailable".into() })
            }
            Doing::HasNoCode if kind != SourceKind::Code => Ok(good),
            Doing::HasNothing | Doing::HasNoCode => Err(ToolError::Nothing { tool }),
            Doing::Repeats => Ok(self.context(kind, 7)),
            Doing::Babbles => Ok(text("\u{fffd}\u{1}".repeat(200))),
            Doing::SendsTooMuch => Ok(text("tea ".repeat(1_000_000))),
            Doing::Panics => panic!("as it was told"),
            Doing::IsCrowded => {
                Err(ToolError::Crowded { tool, cause: "too many requests wait".into() })
            }
            Doing::IsBusyFor(wait) => {
                Err(ToolError::Busy { tool, wait, cause: "the quota is used up".into() })
            }
        }
    }
}

/// The puppet behind the port, so that a test keeps its own hold on it.
struct Handle(Arc<Puppet>);

impl Tool for Handle {
    fn name(&self) -> &'static str {
        self.0.name
    }

    fn is_slow(&self) -> bool {
        !self.0.takes.is_zero()
    }

    fn offers(&self, kind: SourceKind) -> bool {
        self.0.kinds.contains(&kind)
    }

    fn fetch(
        &self,
        want: Want,
        mut random: ChaCha8Rng,
    ) -> BoxFuture<'static, Result<Context, ToolError>> {
        let puppet = Arc::clone(&self.0);
        Box::pin(async move {
            puppet.asked.lock().push(puppet.clock.now());
            let now = 1 + puppet.in_flight.fetch_add(1, Ordering::Relaxed);
            puppet.most_in_flight.fetch_max(now, Ordering::Relaxed);
            let under_way = Leaving(Arc::clone(&puppet));
            if *puppet.doing.lock() == Doing::Hangs {
                std::future::pending::<()>().await;
            }
            if !puppet.takes.is_zero() {
                puppet.clock.sleep(puppet.takes).await;
            }
            drop(under_way);
            puppet.answer(&want, random.next_u32())
        })
    }
}

struct Leaving(Arc<Puppet>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Fetches so many articles ahead.
pub(crate) fn ahead(depth: usize) -> Prefetch {
    let kinds = vec![SourceKind::Article];
    Prefetch { kinds, depth, patience: REFILL, seed: RunSeed(7) }
}

/// A ToolFetcher with these tools, the preferred one first.
pub(crate) fn fetcher(
    stage: &Stage,
    puppets: &[&Arc<Puppet>],
    prefetch: Prefetch,
) -> Port<FetchContext> {
    let tools = puppets.iter().map(|puppet| Arc::new(Handle(Arc::clone(puppet))) as Arc<dyn Tool>);
    let deps = ToolFetcherDeps {
        tools: tools.collect(),
        patience: EACH,
        prefetch,
        clock: Arc::clone(&stage.clock),
        journal: Arc::clone(&stage.journal) as _,
        tasks: stage.overseer.tasks().clone(),
        failpoints: stage.failpoints.clone(),
    };
    let inbox = Inbox::<ToolFetcher>::open("tool_fetcher", Arc::clone(&stage.clock));
    let port = inbox.port(64);
    stage.overseer.supervise(inbox, RestartPolicy::PATIENT, ToolFetcher::new(deps));
    port
}

/// Asks for an article; the answer and how long it took.
pub(crate) async fn article(
    stage: &Stage,
    port: &Port<FetchContext>,
) -> (Result<Context, FetchError>, Duration) {
    asked(stage, port, Want::Random(SourceKind::Article), 0).await
}

pub(crate) async fn asked(
    stage: &Stage,
    port: &Port<FetchContext>,
    want: Want,
    seed: u64,
) -> (Result<Context, FetchError>, Duration) {
    let began = stage.clock.now();
    let answer = fetch(port, want, ChaCha8Rng::seed_from_u64(seed), PATIENCE).await;
    (answer, stage.clock.now().since(began))
}

/// Who brought an article, without a wait.
pub(crate) async fn brought_by(stage: &Stage, port: &Port<FetchContext>) -> String {
    let (answer, took) = article(stage, port).await;
    assert_eq!(took, Duration::ZERO, "{answer:?}");
    answer.expect("somebody has one").source
}

pub(crate) async fn pass(stage: &Stage, seconds: u64) {
    stage.clock.sleep(Duration::from_secs(seconds)).await;
}

/// What the journal says of the sources, in order.
pub(crate) fn told(stage: &Stage) -> Vec<String> {
    let told = |event| match event {
        Event::SourceFailed { source, cause, retry_in, .. } => {
            Some(format!("{source} failed: {cause}, {} s", retry_in.as_secs()))
        }
        Event::SourceBack { source, .. } => Some(format!("{source} is back")),
        _ => None,
    };
    stage.journal.events().into_iter().filter_map(told).collect()
}
