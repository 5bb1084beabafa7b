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
use crate::console::server::{ConsoleServer, Subject};
use crate::console::vitals::{Asking, Identity, Sources, TextModel, Vitals};
use crate::exit::{Ended, Exit};
use crate::running_server::ServerStopper;
use crate::tap::Tap;

/// Between two beats of the main thread.
const BEAT: Duration = Duration::from_secs(1);
/// How long the last messages to viewers may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// A console. While the program starts it says so, and shows nothing yet.
pub struct Console {
    subject: Subject,
    address: SocketAddr,
    /// What the page shows; a miner has none.
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
    /// If the address cannot be listened on, or the server cannot start.
    pub fn open(
        settings: &Settings,
        overseer: &Overseer,
        tap: &Tap,
    ) -> Result<Option<Self>, Ended> {
        let feed = |listen| {
            let feed = Feed::new(unix_time);
            let tasks = overseer.tasks();
            tasks.spawn("console_feed", feed.clone().follow(tasks.clone(), tap.window()));
            Self::serve(listen, overseer, Some(feed))
        };
        settings.console.listen.map(feed).transpose()
    }

    /// As [`open`](Self::open), without a page.
    ///
    /// # Errors
    /// If the address cannot be listened on, or the server cannot start.
    pub fn open_without_page(
        settings: &Settings,
        overseer: &Overseer,
    ) -> Result<Option<Self>, Ended> {
        settings.console.listen.map(|listen| Self::serve(listen, overseer, None)).transpose()
    }

    fn serve(listen: SocketAddr, overseer: &Overseer, feed: Option<Feed>) -> Result<Self, Ended> {
        let server =
            ConsoleServer::bind(listen).map_err(|error| Ended::new(Exit::Address, error))?;
        let (subject, address) = (Subject::default(), server.address());
        let running = server.run(Arc::clone(&subject), feed.clone(), overseer.clock());
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
        Ok(Self { subject, address, feed, stopper })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Begins to show a neuron.
    pub fn show(&self, overseer: &Overseer, settings: &Settings, tap: &Tap, shown: Shown<'_>) {
        let vitals = Arc::new(vitals(overseer, settings, tap, shown));
        let vitals = Arc::clone(self.subject.get_or_init(|| vitals));
        let clock = overseer.clock();
        overseer.tasks().spawn("beat", async move {
            loop {
                vitals.beat();
                clock.sleep(BEAT).await;
            }
        });
    }

    /// Tells its viewers that the program ends, and closes.
    pub async fn close(self, overseer: &Overseer) {
        if let Some(feed) = self.feed {
            feed.end("the program ends in good order");
        }
        let _ = in_time(&*overseer.clock(), GOODBYE, self.stopper.stop()).await;
    }
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
