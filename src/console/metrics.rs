//! What is counted of a run's events, for Prometheus.
//!
//! Left out: what others count already, which the page `/metrics` adds when it is asked for. Labels come
//! from small closed sets, never from what a miner or a source wrote. The tap writes.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets, linear_buckets};
use prometheus_client::registry::Registry;
use serde_json::{Map, Value};
use sn1_actors::ports::{Event, OrganicOutcome, Untaken};

use super::board::is_users;

/// One label and its value.
type Label = [(&'static str, String); 1];
type Histograms = Family<Label, Histogram, fn() -> Histogram>;

/// Parts of a step whose time is known, and the field of its event.
const STAGES: [(&str, &str); 5] = [
    ("context", "context_time"),
    ("query", "query_time"),
    ("challenge", "challenge_time"),
    ("reference", "reference_time"),
    ("forward", "forward_time"),
];

/// Who asked in a step.
const VALIDATOR: &str = "validator";
const USER: &str = "user";

/// The counters, and where they are read from.
pub struct Metrics {
    pub(super) registry: Registry,
    steps: Family<Label, Counter>,
    conversations: Family<Label, Counter>,
    answers: Family<Label, Counter>,
    rewards: Histograms,
    answer_seconds: Histogram,
    step_seconds: Histogram,
    stage_seconds: Histograms,
    settings: Family<Label, Counter>,
    reveals: Family<Label, Counter>,
    source_failures: Family<Label, Counter>,
    organics: Family<Label, Counter>,
    organic_seconds: Histogram,
    served: Family<Label, Counter>,
    served_seconds: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("sn1");
        let metrics = Self {
            steps: Family::default(),
            conversations: Family::default(),
            answers: Family::default(),
            rewards: Family::new_with_constructor(shares),
            answer_seconds: seconds(),
            step_seconds: seconds(),
            stage_seconds: Family::new_with_constructor(seconds),
            settings: Family::default(),
            reveals: Family::default(),
            source_failures: Family::default(),
            organics: Family::default(),
            organic_seconds: seconds(),
            served: Family::default(),
            served_seconds: seconds(),
            registry: Registry::default(),
        };
        let m = &metrics;
        registry.register("steps", "Scored turns, by who asked", m.steps.clone());
        let help = "Conversations that ended, by the reason";
        registry.register("conversations", help, m.conversations.clone());
        registry.register("answers", "Answers of miners, by status", m.answers.clone());
        registry.register("rewards", "Rewards of answers, by task", m.rewards.clone());
        let help = "How long miners took that answered";
        registry.register("answer_seconds", help, m.answer_seconds.clone());
        let help = "From the beginning of a turn to its scores";
        registry.register("step_seconds", help, m.step_seconds.clone());
        registry.register("stage_seconds", "Parts of a step", m.stage_seconds.clone());
        let help = "Settings of weights, by outcome";
        registry.register("weight_settings", help, m.settings.clone());
        let help = "Reveals of committed weights, by outcome";
        registry.register("weight_reveals", help, m.reveals.clone());
        let help = "How often a source began to fail";
        registry.register("source_failures", help, m.source_failures.clone());
        let help = "API users' queries, by outcome";
        registry.register("user_queries", help, m.organics.clone());
        let help = "How long API users waited";
        registry.register("user_query_seconds", help, m.organic_seconds.clone());
        registry.register("served", "Requests of validators, by status", m.served.clone());
        let help = "How long a miner's answer took";
        registry.register("served_seconds", help, m.served_seconds.clone());
        // An alert sees a first time only beside a zero.
        for outcome in
            [None, Some(Untaken::TooSoon), Some(Untaken::Refused), Some(Untaken::Unreachable)]
        {
            drop(metrics.settings.get_or_create(&[("outcome", setting(outcome).to_owned())]));
        }
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// Counts an event.
    pub fn observe(&self, event: &Event) {
        match event {
            // Who scores at all; a miner does not.
            Event::ScoringBegan { .. } => {
                for asker in [VALIDATOR, USER] {
                    drop(self.steps.get_or_create(&[("asker", asker.to_owned())]));
                }
            }
            Event::Step(step) => self.step(step),
            Event::ConversationEnded { stopped, .. } => {
                count(&self.conversations, "reason", stopped.name());
            }
            Event::WeightsSet { untaken, .. } => {
                count(&self.settings, "outcome", setting(*untaken));
            }
            Event::WeightsRevealed { block, lost, .. } => {
                let outcome = match (block, lost) {
                    (Some(_), _) => "revealed",
                    (None, true) => "lost",
                    (None, false) => "failed",
                };
                count(&self.reveals, "outcome", outcome);
            }
            Event::SourceFailed { source, .. } => count(&self.source_failures, "source", source),
            Event::OrganicAnswered { outcome, seconds, .. } => {
                count(&self.organics, "outcome", organic(*outcome));
                self.organic_seconds.observe(*seconds);
            }
            Event::OrganicShed => {
                count(&self.organics, "outcome", organic(OrganicOutcome::Overloaded));
            }
            Event::Served { status, seconds, .. } => {
                count(&self.served, "status", &code(u64::from(*status)));
                self.served_seconds.observe(*seconds);
            }
            Event::RunStarted { .. }
            | Event::TaskMade { .. }
            | Event::TaskPassedOver { .. }
            | Event::Challenged { .. }
            | Event::AnswerScored { .. }
            | Event::AveragesMoved { .. }
            | Event::WeightsPlanned { .. }
            // Counted by the roster.
            | Event::ActorCrashed { .. }
            | Event::SourceBack { .. }
            | Event::RunFinished { .. }
            | Event::EventsMissing { .. } => {}
        }
    }

    fn step(&self, step: &Map<String, Value>) {
        let number = |key: &str| step.get(key).and_then(Value::as_f64);
        let list = |key: &str| step.get(key).and_then(Value::as_array).into_iter().flatten();
        count(&self.steps, "asker", if is_users(step) { USER } else { VALIDATOR });
        if let Some(took) = number("step_time") {
            self.step_seconds.observe(took);
        }
        for (stage, key) in STAGES {
            if let Some(took) = number(key) {
                self.stage_seconds.get_or_create(&[("stage", stage.to_owned())]).observe(took);
            }
        }
        let task = step.get("task").and_then(Value::as_str).unwrap_or("none");
        let rewards = self.rewards.get_or_create_owned(&[("task", task.to_owned())]);
        list("rewards").filter_map(Value::as_f64).for_each(|reward| rewards.observe(reward));
        for (status, took) in list("status_codes").zip(list("timings")) {
            let status = status.as_u64().unwrap_or_default();
            count(&self.answers, "status", &code(status));
            if let (200, Some(took)) = (status, took.as_f64()) {
                self.answer_seconds.observe(took);
            }
        }
    }
}

fn count(family: &Family<Label, Counter>, name: &'static str, value: &str) {
    family.get_or_create(&[(name, value.to_owned())]).inc();
}

/// From 50 ms to half an hour.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.05, 2.0, 16))
}

/// From 0 to 1.
fn shares() -> Histogram {
    Histogram::new(linear_buckets(0.1, 0.1, 10))
}

/// A status. Miners make up what they like: what neither they nor we say usually goes by its class.
fn code(status: u64) -> String {
    match status {
        200 | 400 | 401 | 403 | 404 | 408 | 413 | 422 | 429 | 500 | 502 | 503 | 504 => {
            status.to_string()
        }
        100..600 => format!("{}xx", status / 100),
        _ => "other".to_owned(),
    }
}

fn setting(untaken: Option<Untaken>) -> &'static str {
    match untaken {
        None => "set",
        Some(Untaken::TooSoon) => "too_soon",
        Some(Untaken::Refused) => "refused",
        Some(Untaken::Unreachable) => "unreachable",
    }
}

fn organic(outcome: OrganicOutcome) -> &'static str {
    match outcome {
        OrganicOutcome::Answered => "answered",
        OrganicOutcome::Gone => "gone",
        OrganicOutcome::NoMiners => "no_miners",
        OrganicOutcome::AllFailed => "all_failed",
        OrganicOutcome::Overloaded => "overloaded",
        OrganicOutcome::Interrupted => "interrupted",
    }
}
