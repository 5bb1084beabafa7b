//! How a running validator or miner is doing, for whoever asks, from any thread: the console's page, the
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
use sn1_actors::wiring::ChainSeen;
use tokio::sync::watch;

use super::board::Textless;
use super::health::{
    ChainSigns, Check, Limits, ModelSigns, Signs, WeightSigns, WeightTrouble, judge,
};
use crate::tap::Tap;

/// The actor whose work the model's silence is judged by.
const MODEL_WORKER: &str = "model_worker";
/// The actor behind the axon of a miner that is alone in its process.
const AXON: &str = "axon";
/// Rates are of the last seconds, of which the last counts most.
const RATE_OVER: Duration = Duration::from_secs(5);

/// Which program it is.
#[derive(Clone, Debug, Serialize)]
pub struct Identity {
    /// The run, as in its journal.
    pub run_id: String,
    /// The program's version.
    pub version: &'static str,
    /// `localnet`, `validator` or `miner`.
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
    /// What writes its texts; none where nothing needs to, as in a miner that repeats.
    pub model: Option<TextModel>,
    /// The chain; none for a miner on none.
    pub chain: Option<ChainSeen>,
    /// A validator's own work; none in a miner.
    pub asking: Option<Asking>,
    /// What came of it so far.
    pub tap: Tap,
}

/// The text model.
pub struct TextModel {
    /// Its name.
    pub id: String,
    /// What it did.
    pub meter: Arc<ModelMeter>,
}

/// The work of a validator.
pub struct Asking {
    /// How conversations end.
    pub tally: watch::Receiver<Tally>,
    /// How many may be under way.
    pub credits: Credits,
    /// What its miners are, where that is known.
    pub kinds: BTreeMap<Uid, String>,
    /// Whether weights are set at all.
    pub sets_weights: bool,
}

/// A running validator or miner, looked at.
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
    /// The subnet; none for a miner on no chain.
    pub metagraph: Option<Arc<Metagraph>>,
    /// The newest block.
    pub head: Option<Head>,
    /// A validator's own work; none in a miner.
    pub asking: Option<AskingNow>,
    /// What the model did; none where there is none.
    pub model: Option<ModelStats>,
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

/// A validator's work at one moment.
pub struct AskingNow {
    /// How its own conversations went.
    pub tally: Tally,
    /// Conversations under way, and the most that may be.
    pub in_flight: (usize, usize),
}

impl Sources {
    fn head(&self) -> Option<Head> {
        *self.chain.as_ref()?.head.borrow()
    }

    fn stats(&self) -> Option<ModelStats> {
        self.model.as_ref().map(|model| model.meter.snapshot())
    }
}

impl Vitals {
    /// Begins to look.
    #[must_use]
    pub fn new(identity: Identity, sources: Sources, limits: Limits) -> Self {
        let began = sources.clock.now();
        let pulse = Pulse {
            at: began,
            stats: sources.stats().unwrap_or_default(),
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

    /// The text model's name, where there is one.
    #[must_use]
    pub fn model_id(&self) -> Option<&str> {
        self.sources.model.as_ref().map(|model| model.id.as_str())
    }

    /// What a miner is, where that is known.
    #[must_use]
    pub fn kind(&self, uid: Uid) -> Option<&str> {
        self.sources.asking.as_ref()?.kinds.get(&uid).map(String::as_str)
    }

    /// Has the main thread beat: to be called by a task of its own, every second or so.
    pub fn beat(&self) {
        let (now, stats) = (self.sources.clock.now(), self.sources.stats().unwrap_or_default());
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
        if waiting == 0 || work(&stats) != work(&pulse.stats) {
            pulse.silent_since = now;
        }
        let head = self.sources.head().map(|head| head.block.0);
        pulse.first_block = pulse.first_block.or(head);
        (pulse.at, pulse.stats) = (now, stats);
    }

    /// Everything as it is now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let sources = &self.sources;
        let (now, actors) = (sources.clock.now(), sources.roster.all());
        let metagraph = sources.chain.as_ref().map(|chain| Arc::clone(&chain.metagraph.borrow()));
        let head = sources.head();
        let (still, silent, rates, first_block) = {
            let pulse = self.pulse.lock();
            let (still, silent) = (now.since(pulse.at), now.since(pulse.silent_since));
            (still, silent, (pulse.decoded, pulse.prefilled), pulse.first_block)
        };
        let set = metagraph.as_ref().and_then(|metagraph| self.weights_set(metagraph));
        let weights = self.weights(head, set, first_block);
        let waiting = self.waiting();
        let health =
            |name| actors.iter().find(|actor| actor.name == name).map(|actor| actor.health.clone());
        let signs = Signs {
            chain: sources.chain.is_some().then(|| ChainSigns {
                head: head.map(|head| (head.block.0, now.since(head.seen))),
                uptime: now.since(self.began),
            }),
            model: sources.model.as_ref().and(health(MODEL_WORKER)).map(|worker| ModelSigns {
                worker,
                waiting,
                silent: if waiting == 0 { Duration::ZERO } else { silent },
                textless: self.textless(),
            }),
            axon: health(AXON),
            weights,
            trouble: sources.tap.board().read(|standing| WeightTrouble {
                lost: standing.reveal_lost.clone(),
                last_error: standing.weights_error.clone(),
            }),
        };
        Snapshot {
            now,
            actors,
            ports: sources.topology.ports(),
            metagraph,
            head,
            asking: sources.asking.as_ref().map(|asking| AskingNow {
                tally: *asking.tally.borrow(),
                in_flight: (asking.credits.out(), asking.credits.total()),
            }),
            model: sources.stats(),
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

    /// What was not written of late.
    fn textless(&self) -> Textless {
        let asks = self.sources.asking.is_some();
        self.sources.tap.board().read(|standing| {
            if asks { standing.textless.clone() } else { standing.unserved.clone() }
        })
    }

    /// The block of the last weights, as this run or the chain has it.
    fn weights_set(&self, metagraph: &Metagraph) -> Option<u64> {
        let on_chain = metagraph.by_hotkey(&self.identity.hotkey).map(|own| own.last_update.0);
        let in_run = self.sources.tap.board().read(|standing| standing.weights_set);
        let in_run = in_run.map(|block| block.0);
        on_chain.filter(|block| *block > 0).max(in_run)
    }

    fn weights(&self, head: Option<Head>, set: Option<u64>, first: Option<u64>) -> WeightSigns {
        if !self.sources.asking.as_ref().is_some_and(|asking| asking.sets_weights) {
            return WeightSigns::Off;
        }
        let now = head.map_or(0, |head| head.block.0);
        match set {
            Some(set) => WeightSigns::Age(now.saturating_sub(set)),
            None => WeightSigns::Never(now.saturating_sub(first.unwrap_or(now))),
        }
    }
}

/// What grows where the model works; what it gives up is no work.
fn work(stats: &ModelStats) -> [u64; 4] {
    [stats.steps, stats.prompt_tokens, stats.decoded_tokens, stats.embedded_texts]
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
