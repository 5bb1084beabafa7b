//! The model and the tools without a validator around them, for commands that run one actor.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sn1_actors::ports::{Event, Journal, JournalError};
use sn1_actors::runtime::{Failpoints, Overseer};
use sn1_actors::tool_fetcher::Prefetch;
use sn1_actors::wiring::{Shared, ToolParts, start_shared};

use crate::config::Settings;
use crate::wiring::{model, system_clock, tools};

/// A journal for commands that keep none.
pub(super) struct NoJournal;

impl Journal for NoJournal {
    fn record(&self, _: Event) {}

    fn ready(&self) -> BoxFuture<'static, Result<(), JournalError>> {
        Box::pin(async { Ok(()) })
    }
}

/// What runs one command.
pub(super) struct Workplace {
    /// Starts tasks and actors.
    pub(super) overseer: Overseer,
    /// The model and the tools.
    pub(super) shared: Shared,
}

/// Requests of each kind that may be under way.
const ASKERS: usize = 32;

/// Nobody is running yet.
pub(super) fn overseer() -> Overseer {
    Overseer::new(system_clock(), Arc::new(NoJournal))
}

/// What a command works with; what it does not need is not opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needs {
    /// The configured model; without, the stand-in takes its place.
    pub(super) model: bool,
    /// The configured sources; without, there are none.
    pub(super) tools: bool,
}

/// Starts ModelWorker and ToolFetcher. Contexts are fetched when they are wanted, not ahead.
pub(super) async fn start(settings: &Settings, needs: Needs) -> anyhow::Result<Workplace> {
    let overseer = overseer();
    let mut settings = settings.clone();
    if !needs.model {
        model::FAKE.clone_into(&mut settings.neuron.model_id);
    }
    let tools =
        if needs.tools { tools::open(&settings, &overseer.clock()).await? } else { no_tools() };
    let parts = model::open(&settings, &overseer).await?;
    let shared = start_shared(&overseer, parts, tools, ASKERS, &Failpoints::default());
    Ok(Workplace { overseer, shared })
}

/// Starts ModelWorker to embed texts by the model of that name; nothing else is opened.
pub(super) async fn start_embedder(settings: &Settings, name: &str) -> anyhow::Result<Workplace> {
    let overseer = overseer();
    let parts = model::open_embedder(settings, &overseer, name).await?;
    let shared = start_shared(&overseer, parts, no_tools(), ASKERS, &Failpoints::default());
    Ok(Workplace { overseer, shared })
}

fn no_tools() -> ToolParts {
    ToolParts { tools: Arc::new([]), patience: Duration::ZERO, prefetch: Prefetch::NONE }
}
