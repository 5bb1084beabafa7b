//! How a running validator is doing, for whoever asks, from any thread: the console's page, the
//! metrics and health read nothing else.
//!
//! It holds what others publish (the roster, the ports' counters, the model's meter, the chain's
//! head) and asks no actor, so that looking costs the run nothing and works while an actor hangs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;
use sn1_actors::chain_watch::Head;
use sn1_actors::conversation::Tally;
use sn1_actors::domain::{Hotkey, Metagraph, Moment, Netuid, Uid};
use sn1_actors::model_worker::meter::{ModelMeter, ModelStats};
use sn1_actors::ports::Clock;
use sn1_actors::runtime::{ActorHealth, ActorStatus, Credits, PortStatus, Roster, Topology};
use tokio::sync::watch;

use super::health::{Check, Limits, ModelSigns, Signs, WeightSigns, judge};
use crate::tap::Tap;

/// The actor whose work the model's silence is judged by.
const MODEL_WORKER: &str = "model_worker";
/// Rates are of the last seconds, of which the last counts most.
const RATE_OVER: Duration = Duration::from_secs(5);

/// Which program it is.
#[derive(Clone, Debug, Serialize)]
pub struct Identity {
    /// The run, as in its journal.
    pub run_id: String,
    /// The program's version.
    pub version: &'static str,
    /// `localnet` or `validator`.
    pub role: &'static str,
    /// The subnet.
    pub netuid: Netuid,
    /// Who it is there.
    pub hotkey: Hotkey,
}

/// What is looked at.
pub struct Sources {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// All actors.
    pub roster: Roster,
    /// All ports.
    pub topology: Arc<Topology>,
    /// The text model's name.
    pub model_id: String,
    /// What the model did.
    pub meter: Arc<ModelMeter>,
    /// Who is on the subnet.
    pub metagraph: watch::Receiver<Arc<Metagraph>>,
    /// The newest block.
    pub head: watch::Receiver<Option<Head>>,
    /// How conversations end.
    pub tally: watch::Receiver<Tally>,
    /// How many may be under way.
    pub credits: Credits,
    /// What its miners are, where that is known.
    pub kinds: BTreeMap<Uid, String>,
    /// Whether weights are set at all.
    pub sets_weights: bool,
    /// What came of it so far.
    pub tap: Tap,
}

/// A running validator, looked at.
pub struct Vitals {
    /// Which program it is.
    pub identity: Identity,
    sources: Sources,
    limits: Limits,
    began: Moment,
    /// Seconds since the Unix epoch.
    started: f64,
    pulse: Mutex<Pulse>,
}

/// What is known only from one look to the next.
struct Pulse {
    at: Moment,
    stats: ModelStats,
    /// Tokens a second.
    decoded: f64,
    prefilled: f64,
    /// Since when the model has done nothing although there are requests.
    silent_since: Moment,
    first_block: Option<u64>,
}

/// Everything at one moment.
pub struct Snapshot {
    /// When.
    pub now: Moment,
    /// All actors, by name.
    pub actors: Vec<ActorStatus>,
    /// All ports.
    pub ports: Vec<PortStatus>,
    /// The subnet.
    pub metagraph: Arc<Metagraph>,
    /// The newest block.
    pub head: Option<Head>,
    /// How the validator's own conversations went.
    pub tally: Tally,
    /// Conversations under way, and the most that may be.
    pub in_flight: (usize, usize),
    /// What the model did.
    pub model: ModelStats,
    /// Tokens written and read a second.
    pub rates: (f64, f64),
    /// The state of the weights.
    pub weights: WeightSigns,
    /// The block that the weights are of.
    pub weights_set: Option<u64>,
    /// What makes it ready or not.
    pub checks: Vec<Check>,
    /// How long the main thread has not beaten.
    pub still: Duration,
}

impl Vitals {
    /// Begins to look.
    #[must_use]
    pub fn new(identity: Identity, sources: Sources, limits: Limits) -> Self {
        let began = sources.clock.now();
        let pulse = Pulse {
            at: began,
            stats: sources.meter.snapshot(),
            decoded: 0.0,
            prefilled: 0.0,
            silent_since: began,
            first_block: None,
        };
        let started = sources.clock.unix().as_secs_f64();
        Self { identity, sources, limits, began, started, pulse: Mutex::new(pulse) }
    }

    /// When it began to look, in seconds since the Unix epoch.
    #[must_use]
    pub fn started(&self) -> f64 {
        self.started
    }

    /// How long the program has run.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.sources.clock.now().since(self.began)
    }

    /// The clock everyone goes by.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.sources.clock
    }

    /// What came of the run so far.
    #[must_use]
    pub fn tap(&self) -> &Tap {
        &self.sources.tap
    }

    /// The text model's name.
    #[must_use]
    pub fn model_id(&self) -> &str {
        &self.sources.model_id
    }

    /// What a miner is, where that is known.
    #[must_use]
    pub fn kind(&self, uid: Uid) -> Option<&str> {
        self.sources.kinds.get(&uid).map(String::as_str)
    }

    /// Has the main thread beat: to be called by a task of its own, every second or so.
    pub fn beat(&self) {
        let (now, stats) = (self.sources.clock.now(), self.sources.meter.snapshot());
        let waiting = self.waiting();
        let mut pulse = self.pulse.lock();
        let passed = now.since(pulse.at).as_secs_f64();
        if passed <= 0.0 {
            return;
        }
        let share = (passed / RATE_OVER.as_secs_f64()).min(1.0);
        let toward = |old: f64, tokens: u64| old + share * (tokens as f64 / passed - old);
        let decoded = stats.decoded_tokens - pulse.stats.decoded_tokens;
        let prefilled = stats.prefilled_tokens - pulse.stats.prefilled_tokens;
        pulse.decoded = toward(pulse.decoded, decoded);
        pulse.prefilled = toward(pulse.prefilled, prefilled);
        if waiting == 0 || stats != pulse.stats {
            pulse.silent_since = now;
        }
        let head = self.sources.head.borrow().map(|head| head.block.0);
        pulse.first_block = pulse.first_block.or(head);
        (pulse.at, pulse.stats) = (now, stats);
    }

    /// Everything as it is now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let sources = &self.sources;
        let (now, actors) = (sources.clock.now(), sources.roster.all());
        let metagraph = Arc::clone(&sources.metagraph.borrow());
        let head = *sources.head.borrow();
        let (still, silent, rates, first_block) = {
            let pulse = self.pulse.lock();
            let (still, silent) = (now.since(pulse.at), now.since(pulse.silent_since));
            (still, silent, (pulse.decoded, pulse.prefilled), pulse.first_block)
        };
        let set = self.weights_set(&metagraph);
        let weights = self.weights(head, set, first_block);
        let waiting = self.waiting();
        let worker = actors.iter().find(|actor| actor.name == MODEL_WORKER);
        let signs = Signs {
            head: head.map(|head| (head.block.0, now.since(head.seen))),
            uptime: now.since(self.began),
            model: worker.map(|worker| ModelSigns {
                worker: worker.health.clone(),
                waiting,
                silent: if waiting == 0 { Duration::ZERO } else { silent },
                textless: sources.tap.board().read(|standing| standing.textless.clone()),
            }),
            weights,
        };
        Snapshot {
            now,
            actors,
            ports: sources.topology.ports(),
            metagraph,
            head,
            tally: *sources.tally.borrow(),
            in_flight: (sources.credits.out(), sources.credits.total()),
            model: sources.meter.snapshot(),
            rates,
            weights,
            weights_set: set,
            checks: judge(&signs, &self.limits),
            still,
        }
    }

    /// Requests that are with the model.
    fn waiting(&self) -> usize {
        let ports = self.sources.topology.ports();
        ports.iter().filter(|port| port.to == MODEL_WORKER).map(|port| port.counts.in_use).sum()
    }

    /// The block of the last weights, as this run or the chain has it.
    fn weights_set(&self, metagraph: &Metagraph) -> Option<u64> {
        let on_chain = metagraph.by_hotkey(&self.identity.hotkey).map(|own| own.last_update.0);
        let in_run = self.sources.tap.board().read(|standing| standing.weights_set);
        let in_run = in_run.map(|block| block.0);
        on_chain.filter(|block| *block > 0).max(in_run)
    }

    fn weights(&self, head: Option<Head>, set: Option<u64>, first: Option<u64>) -> WeightSigns {
        if !self.sources.sets_weights {
            return WeightSigns::Off;
        }
        let now = head.map_or(0, |head| head.block.0);
        match set {
            Some(set) => WeightSigns::Age(now.saturating_sub(set)),
            None => WeightSigns::Never(now.saturating_sub(first.unwrap_or(now))),
        }
    }
}

/// How an actor's health is called outside.
#[must_use]
pub fn health_name(health: &ActorHealth) -> &'static str {
    match health {
        ActorHealth::Running => "running",
        ActorHealth::BackingOff => "backing_off",
        ActorHealth::Stopped => "stopped",
        ActorHealth::GaveUp => "gave_up",
    }
}
