//! One tool with what is known of it: how it does, and how often it was asked for its pools.
//!
//! It outlives the pools: a restart of the actor does not make it forget that a source wants to be
//! left alone.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use rand_chacha::ChaCha8Rng;
use tokio::sync::Semaphore;

use crate::domain::{Context, SourceKind};
use crate::ports::{Clock, Event, Journal, Tool, ToolError, Want, in_time};
use crate::text::shown::shown;

use super::flaw::flaw;
use super::health::{Health, Resting};

/// What a source is asked for; it can do well with one and badly with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Use {
    /// Any context of a kind.
    Draw(SourceKind),
    /// The context of a kind that fits a text.
    Search(SourceKind),
    /// A context by its title.
    Title,
}

impl Use {
    pub(super) fn of(want: &Want) -> Self {
        match want {
            Want::Random(kind) => Self::Draw(*kind),
            Want::Search(kind, _) => Self::Search(*kind),
            Want::Title(_) => Self::Title,
        }
    }

    /// What a tool has to offer to be asked for it; any tool may know a title.
    pub(super) fn needs(self) -> Option<SourceKind> {
        match self {
            Self::Draw(kind) | Self::Search(kind) => Some(kind),
            Self::Title => None,
        }
    }

    /// The kind in the journal, which has none for what is looked up.
    fn kind(self) -> Option<SourceKind> {
        match self {
            Self::Draw(kind) => Some(kind),
            Self::Search(_) | Self::Title => None,
        }
    }
}

/// Why a source brought nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It knows of nothing that fits, which says nothing against it.
    Unknown,
    /// Too many requests of ours wait for it, which says nothing against it either.
    Crowded {
        /// Where they wait.
        cause: String,
    },
    /// It does not do what it is there for.
    Failed {
        /// In what way.
        cause: String,
        /// How long it kept us waiting, if that was the failure.
        waited: Duration,
        /// How long it wants to be left alone, if it said so.
        wish: Option<Duration>,
    },
}

impl Failure {
    /// One that took no time.
    pub(super) fn of(cause: &str) -> Self {
        Self::Failed { cause: shown(cause), waited: Duration::ZERO, wish: None }
    }
}

/// A tool and how it does.
pub(super) struct Source {
    /// What is asked.
    pub(super) tool: Arc<dyn Tool>,
    /// One permit: a tool has one fetch for its pools under way, over restarts of the actor too.
    pub(super) turn: Semaphore,
    clock: Arc<dyn Clock>,
    journal: Arc<dyn Journal>,
    refills: Cell<u64>,
    health: RefCell<HashMap<Use, Health>>,
    /// Set where the tool as a whole wants to be left alone.
    busy: RefCell<Health>,
}

impl Source {
    pub(super) fn new(
        tool: Arc<dyn Tool>,
        clock: Arc<dyn Clock>,
        journal: Arc<dyn Journal>,
    ) -> Self {
        Self {
            tool,
            turn: Semaphore::new(1),
            clock,
            journal,
            refills: Cell::default(),
            health: RefCell::default(),
            busy: RefCell::default(),
        }
    }

    /// The number of the next fetch for a pool, each once.
    pub(super) fn next_refill(&self) -> u64 {
        self.refills.replace(self.refills.get() + 1)
    }

    /// Why it is left alone for now, if it is.
    pub(super) fn resting(&self, purpose: Use) -> Option<Resting> {
        let now = self.clock.now();
        let own = self.health.borrow().get(&purpose).and_then(|health| health.resting(now));
        let whole = self.busy.borrow().resting(now);
        own.into_iter().chain(whole).max_by_key(|resting| resting.wait)
    }

    /// Brings a context that is worth having. Nothing is noted yet.
    pub(super) async fn fetch(
        &self,
        want: Want,
        random: ChaCha8Rng,
        patience: Duration,
    ) -> Result<Context, Failure> {
        let purpose = Use::of(&want);
        // A tool that panics must not take the pool's task along.
        let fetched = AssertUnwindSafe(async { self.tool.fetch(want, random).await });
        match in_time(&*self.clock, patience, fetched.catch_unwind()).await {
            None => {
                let cause = format!("no answer within {patience:?}");
                Err(Failure::Failed { cause, waited: patience, wish: None })
            }
            Some(Err(_)) => Err(Failure::of("it panicked")),
            Some(Ok(Ok(context))) => match flaw(&context) {
                None => Ok(context),
                Some(flaw) => Err(Failure::of(flaw)),
            },
            Some(Ok(Err(error))) => Err(failure(purpose, error)),
        }
    }

    /// Notes that it did well.
    pub(super) fn succeeded(&self, purpose: Use) {
        let now = self.clock.now();
        let mut busy = self.busy.borrow_mut();
        // What was under way when the tool said so does not take it back.
        if busy.resting(now).is_none() {
            busy.succeeded();
        }
        drop(busy);
        if self.health.borrow_mut().entry(purpose).or_default().succeeded() {
            let source = self.tool.name().to_owned();
            tracing::info!(source, kind = ?purpose.kind(), "a source of contexts is back");
            self.journal.record(Event::SourceBack { source, kind: purpose.kind() });
        }
    }

    /// Notes a failure; the first after a success goes to the journal. Where no asker hears of it, the
    /// operator should.
    pub(super) fn failed(&self, purpose: Use, failure: &Failure, is_heard: bool) {
        let Failure::Failed { cause, waited, wish } = failure else { return };
        let now = self.clock.now();
        if let Some(wish) = wish {
            self.busy.borrow_mut().rest(now, cause, *wish);
        }
        let news = self.health.borrow_mut().entry(purpose).or_default().failed(now, cause, *waited);
        let source = self.tool.name().to_owned();
        if !news {
            tracing::debug!(source, cause, "a source of contexts fails still");
            return;
        }
        let kind = purpose.kind();
        let retry_in = self.resting(purpose).map_or(Duration::ZERO, |resting| resting.wait);
        if is_heard {
            tracing::info!(source, ?kind, cause, ?retry_in, "a source of contexts fails");
        } else {
            tracing::warn!(source, ?kind, cause, ?retry_in, "a source of contexts fails");
        }
        self.journal.record(Event::SourceFailed { source, kind, cause: cause.clone(), retry_in });
    }
}

fn failure(purpose: Use, error: ToolError) -> Failure {
    match (error, purpose) {
        (ToolError::Nothing { .. }, Use::Search(_) | Use::Title) => Failure::Unknown,
        (ToolError::Nothing { .. }, Use::Draw(_)) => Failure::of("it has nothing of that kind"),
        (ToolError::Failed { cause, .. }, _) => Failure::of(&cause),
        (ToolError::Busy { wait, cause, .. }, _) => {
            Failure::Failed { cause: shown(&cause), waited: Duration::ZERO, wish: Some(wait) }
        }
        (ToolError::Crowded { cause, .. }, _) => Failure::Crowded { cause: shown(&cause) },
    }
}
