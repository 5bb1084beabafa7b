//! The model and the tools without a validator around them, for commands that run one actor.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sn1_actors::ports::{Event, Journal, JournalError};
use sn1_actors::runtime::{Failpoints, Overseer};
use sn1_actors::wiring::{Shared, start_shared};

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

/// Nobody is running yet.
pub(super) fn overseer() -> Overseer {
    Overseer::new(system_clock(), Arc::new(NoJournal))
}

/// Starts ModelWorker and ToolFetcher; without `model` the stand-in takes its place.
pub(super) async fn start(settings: &Settings, with_model: bool) -> anyhow::Result<Workplace> {
    let overseer = overseer();
    let mut settings = settings.clone();
    if !with_model {
        model::FAKE.clone_into(&mut settings.neuron.model_id);
    }
    let parts = model::open(&settings, &overseer).await?;
    let shared = start_shared(&overseer, parts, tools()?, 4, &Failpoints::default());
    Ok(Workplace { overseer, shared })
}
