//! The console of a validator: what it looks at, and its server.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sn1_actors::domain::{Hotkey, Netuid, Uid};
use sn1_actors::model_worker::meter::ModelMeter;
use sn1_actors::ports::in_time;
use sn1_actors::runtime::{Overseer, Topology};
use sn1_actors::wiring::Validator;

use super::unix_time;
use crate::config::Settings;
use crate::console::feed::Feed;
use crate::console::health::Limits;
use crate::console::server::ConsoleServer;
use crate::console::vitals::{Identity, Sources, Vitals};
use crate::exit::{Ended, Exit};
use crate::running_server::ServerStopper;
use crate::tap::Tap;

/// Between two beats of the main thread.
const BEAT: Duration = Duration::from_secs(1);
/// How long the last messages to viewers may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// A console that has its port, and shows nothing yet.
pub struct Console {
    server: ConsoleServer,
    feed: Feed,
}

/// A console that shows a validator.
pub struct OpenConsole {
    feed: Feed,
    stopper: ServerStopper,
}

/// Which validator is shown, and what of it.
pub struct Shown<'a> {
    /// As in the journal.
    pub run_id: String,
    /// `localnet` or `validator`.
    pub role: &'static str,
    /// The subnet.
    pub netuid: Netuid,
    /// Who it is there.
    pub hotkey: Hotkey,
    /// Its actors.
    pub validator: &'a Validator,
    /// Who sends what to whom.
    pub topology: &'a Arc<Topology>,
    /// What the model did.
    pub model: &'a Arc<ModelMeter>,
    /// What its miners are, where that is known.
    pub kinds: BTreeMap<Uid, String>,
}

impl Console {
    /// Listens, before the minutes that a model takes to load, and begins to keep events. None where
    /// the settings want no console.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub fn open(
        settings: &Settings,
        overseer: &Overseer,
        tap: &Tap,
    ) -> Result<Option<Self>, Ended> {
        let Some(listen) = settings.console.listen else { return Ok(None) };
        let server =
            ConsoleServer::bind(listen).map_err(|error| Ended::new(Exit::Address, error))?;
        let feed = Feed::new(unix_time);
        overseer.tasks().spawn("console_feed", feed.clone().follow(tap.window()));
        Ok(Some(Self { server, feed }))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Begins to show a validator.
    ///
    /// # Errors
    /// If the server cannot start.
    pub fn show(
        self,
        overseer: &Overseer,
        settings: &Settings,
        tap: &Tap,
        shown: Shown<'_>,
    ) -> Result<OpenConsole, Ended> {
        let vitals = Arc::new(vitals(overseer, settings, tap, shown));
        let (beating, clock) = (Arc::clone(&vitals), overseer.clock());
        overseer.tasks().spawn("beat", async move {
            loop {
                beating.beat();
                clock.sleep(BEAT).await;
            }
        });
        let running = self.server.run(vitals, self.feed.clone());
        let running = running.map_err(|error| {
            Ended::new(Exit::Failed, format!("the console's HTTP server cannot start: {error}"))
        })?;
        let stopper = running.stopper();
        overseer.tasks().spawn("console", async move {
            // A validator that nobody can look at earns all the same.
            if let Err(error) = running.serve().await {
                tracing::error!(%error, "the console's HTTP server failed");
            }
        });
        Ok(OpenConsole { feed: self.feed, stopper })
    }
}

impl OpenConsole {
    /// Tells its viewers that the program ends, and closes.
    pub async fn close(self, overseer: &Overseer) {
        self.feed.end("the program ends in good order");
        let _ = in_time(&*overseer.clock(), GOODBYE, self.stopper.stop()).await;
    }
}

fn vitals(overseer: &Overseer, settings: &Settings, tap: &Tap, shown: Shown<'_>) -> Vitals {
    let Shown { run_id, role, netuid, hotkey, validator, topology, model, kinds } = shown;
    let version = env!("CARGO_PKG_VERSION");
    let sources = Sources {
        clock: overseer.clock(),
        roster: overseer.roster().clone(),
        topology: Arc::clone(topology),
        model_id: settings.neuron.model_id.clone(),
        meter: Arc::clone(model),
        metagraph: validator.metagraph.clone(),
        head: validator.head.clone(),
        tally: validator.log.tally(),
        credits: validator.credits.clone(),
        kinds,
        sets_weights: !settings.neuron.disable_set_weights,
        tap: tap.clone(),
    };
    let health = &settings.health;
    let limits = Limits {
        head: health.max_head_age,
        weights_blocks: health.max_weights_age,
        model: health.max_model_silence,
    };
    Vitals::new(Identity { run_id, version, role, netuid, hotkey }, sources, limits)
}
