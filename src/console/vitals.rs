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
    pulse: Mutex<Pulse>,
}

/// What is known only from one look to the next.
struct Pulse {
    at: Moment,
    stats: ModelStats,
    /// Tokens a second.
    decoded: f64,
    prefilled: f64,
    /// How long it has been asked since it last did anything.
    silent: Duration,
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
        let pulse = Pulse::new(sources.clock.now(), sources.stats().unwrap_or_default());
        Self { identity, sources, limits, pulse: Mutex::new(pulse) }
    }

    /// How long the program has run.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.sources.clock.now().0
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
        let (waiting, head) = (self.waiting(), self.sources.head().map(|head| head.block.0));
        let mut pulse = self.pulse.lock();
        pulse.beat(now, stats, waiting);
        pulse.first_block = pulse.first_block.or(head);
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
            let rates = (pulse.decoded, pulse.prefilled);
            (now.since(pulse.at), pulse.silent, rates, pulse.first_block)
        };
        let set = metagraph.as_ref().and_then(|metagraph| self.weights_set(metagraph));
        let weights = self.weights(head, set, first_block);
        let waiting = self.waiting();
        let health =
            |name| actors.iter().find(|actor| actor.name == name).map(|actor| actor.health.clone());
        let signs = Signs {
            chain: sources.chain.is_some().then(|| ChainSigns {
                head: head.map(|head| (head.block.0, now.since(head.seen))),
                uptime: self.uptime(),
            }),
            model: sources.model.as_ref().and(health(MODEL_WORKER)).map(|worker| ModelSigns {
                worker,
                waiting,
                silent,
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

impl Pulse {
    fn new(now: Moment, stats: ModelStats) -> Self {
        let (decoded, prefilled, silent) = (0.0, 0.0, Duration::ZERO);
        Self { at: now, stats, decoded, prefilled, silent, first_block: None }
    }

    /// What the model did since the last beat, `waiting` requests being with it now.
    fn beat(&mut self, now: Moment, stats: ModelStats, waiting: usize) {
        let passed = now.since(self.at);
        if passed.is_zero() {
            return;
        }
        let seconds = passed.as_secs_f64();
        let share = (seconds / RATE_OVER.as_secs_f64()).min(1.0);
        let toward = |old: f64, tokens: u64| old + share * (tokens as f64 / seconds - old);
        let decoded = stats.decoded_tokens - self.stats.decoded_tokens;
        let prefilled = stats.prefilled_tokens - self.stats.prefilled_tokens;
        self.decoded = toward(self.decoded, decoded);
        self.prefilled = toward(self.prefilled, prefilled);
        // Time in which nobody asks says nothing: those who were not answered may have hung up.
        if work(&stats) != work(&self.stats) {
            self.silent = Duration::ZERO;
        } else if waiting > 0 {
            self.silent = self.silent.saturating_add(passed);
        }
        (self.at, self.stats) = (now, stats);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_never_answers_is_silent_although_its_askers_hang_up() {
        let nothing = ModelStats::default();
        let mut pulse = Pulse::new(Moment(Duration::ZERO), nothing);
        let mut silent_after = |second, stats, waiting| {
            pulse.beat(Moment(Duration::from_secs(second)), stats, waiting);
            pulse.silent.as_secs()
        };
        for second in 1..=20 {
            silent_after(second, nothing, usize::from(second % 2 == 0));
        }
        assert_eq!(silent_after(30, nothing, 0), 10, "only while it was asked");
        assert_eq!(silent_after(31, ModelStats { decoded_tokens: 1, ..nothing }, 1), 0);
    }
}
