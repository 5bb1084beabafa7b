//! The console of a validator or miner: what it looks at, and its server.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sn1_actors::domain::{Hotkey, Netuid, Uid};
use sn1_actors::model_worker::meter::ModelMeter;
use sn1_actors::ports::in_time;
use sn1_actors::runtime::{Overseer, Topology};
use sn1_actors::wiring::{ChainSeen, Validator};

use super::unix_time;
use crate::config::Settings;
use crate::console::feed::Feed;
use crate::console::health::Limits;
use crate::console::server::ConsoleServer;
use crate::console::vitals::{Asking, Identity, Sources, TextModel, Vitals};
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
    /// What the page shows; a miner has none.
    feed: Option<Feed>,
}

/// A console that shows a validator or a miner.
pub struct OpenConsole {
    feed: Option<Feed>,
    stopper: ServerStopper,
}

/// Who is shown, and what of it.
pub struct Shown<'a> {
    /// As in the journal.
    pub run_id: String,
    /// `localnet`, `validator` or `miner`.
    pub role: &'static str,
    /// The subnet.
    pub netuid: Netuid,
    /// Who it is there.
    pub hotkey: Hotkey,
    /// Who sends what to whom.
    pub topology: &'a Arc<Topology>,
    /// What the model did.
    pub model: &'a Arc<ModelMeter>,
    /// What it does.
    pub work: Work<'a>,
}

/// What a neuron does.
pub enum Work<'a> {
    /// It asks miners.
    Asks {
        /// Its actors.
        validator: &'a Validator,
        /// What its miners are, where that is known.
        kinds: BTreeMap<Uid, String>,
    },
    /// It answers validators.
    Answers {
        /// The chain that it is on, if it is on one.
        chain: Option<ChainSeen>,
        /// The name of the model that writes its answers, if one does.
        model_id: Option<String>,
    },
}

impl Console {
    /// Listens, before the minutes that a model takes to load, and begins to keep events for a
    /// validator's page. None where the settings want no console.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub fn open(
        settings: &Settings,
        overseer: &Overseer,
        tap: &Tap,
    ) -> Result<Option<Self>, Ended> {
        let Some(listen) = settings.console.listen else { return Ok(None) };
        let server = bind(listen)?;
        let feed = Feed::new(unix_time);
        overseer.tasks().spawn("console_feed", feed.clone().follow(tap.window()));
        Ok(Some(Self { server, feed: Some(feed) }))
    }

    /// As [`open`](Self::open), without a page.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub fn open_without_page(settings: &Settings) -> Result<Option<Self>, Ended> {
        let server = settings.console.listen.map(bind).transpose()?;
        Ok(server.map(|server| Self { server, feed: None }))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Begins to show a neuron.
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
            // Who cannot be looked at earns all the same.
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
        if let Some(feed) = self.feed {
            feed.end("the program ends in good order");
        }
        let _ = in_time(&*overseer.clock(), GOODBYE, self.stopper.stop()).await;
    }
}

fn bind(listen: SocketAddr) -> Result<ConsoleServer, Ended> {
    ConsoleServer::bind(listen).map_err(|error| Ended::new(Exit::Address, error))
}

fn vitals(overseer: &Overseer, settings: &Settings, tap: &Tap, shown: Shown<'_>) -> Vitals {
    let Shown { run_id, role, netuid, hotkey, topology, model, work } = shown;
    let version = env!("CARGO_PKG_VERSION");
    let (model_id, chain, asking) = match work {
        Work::Asks { validator, kinds } => {
            let (metagraph, head) = (validator.metagraph.clone(), validator.head.clone());
            let asking = Asking {
                tally: validator.log.tally(),
                credits: validator.credits.clone(),
                kinds,
                sets_weights: !settings.neuron.disable_set_weights,
            };
            let model_id = settings.neuron.model_id.clone();
            (Some(model_id), Some(ChainSeen { metagraph, head }), Some(asking))
        }
        Work::Answers { chain, model_id } => (model_id, chain, None),
    };
    let sources = Sources {
        clock: overseer.clock(),
        roster: overseer.roster().clone(),
        topology: Arc::clone(topology),
        model: model_id.map(|id| TextModel { id, meter: Arc::clone(model) }),
        chain,
        asking,
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
