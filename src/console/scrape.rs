//! `/metrics`: what was counted of events, and what a look at the program shows now, in the text
//! format of OpenMetrics.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text;
use prometheus_client::encoding::{DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use sn1_actors::domain::Metagraph;
use sn1_actors::model_worker::meter::ModelStats;
use sn1_actors::ports::Journal;
use sn1_actors::runtime::ActorHealth;

use super::health::{self, WeightSigns};
use super::process;
use super::vitals::{Snapshot, Vitals};

/// The text's media type.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const STARTING: &str =
    "# HELP sn1_ready Whether all is as it must be.\n# TYPE sn1_ready gauge\nsn1_ready 0\n";

/// What Prometheus is told while a program starts that began at `started`, in seconds since the Unix
/// epoch.
///
/// # Errors
/// Never in practice: text is written to memory.
pub(super) fn starting(started: f64) -> Result<String, fmt::Error> {
    let mut out = STARTING.to_owned();
    process_of(&mut out, started)?;
    Ok(out)
}

/// What Prometheus is told now.
///
/// # Errors
/// Never in practice: text is written to memory.
pub(super) fn scrape(vitals: &Arc<Vitals>, started: f64) -> Result<String, fmt::Error> {
    let mut out = String::with_capacity(1 << 15);
    // Each registry ends with a line that only the last may have.
    text::encode_registry(&mut out, &vitals.tap().metrics().registry)?;
    let mut now = Registry::with_prefix("sn1");
    now.register_collector(Box::new(Looked(Arc::clone(vitals))));
    text::encode_registry(&mut out, &now)?;
    process_of(&mut out, started)?;
    Ok(out)
}

/// The last of it.
fn process_of(out: &mut String, started: f64) -> fmt::Result {
    let mut standard = Registry::default();
    standard.register_collector(Box::new(Process(started)));
    text::encode(out, &standard)
}

struct Looked(Arc<Vitals>);

impl fmt::Debug for Looked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Looked")
    }
}

impl Collector for Looked {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Self(vitals) = self;
        let now = vitals.snapshot();
        let mut to = Page(encoder);
        program(&mut to, vitals, &now)?;
        actors(&mut to, &now)?;
        ports(&mut to, &now)?;
        if let Some(metagraph) = &now.metagraph {
            chain(&mut to, vitals, &now, metagraph)?;
            miners(&mut to, vitals, metagraph)?;
        }
        now.model.as_ref().map_or(Ok(()), |stats| model(&mut to, stats, now.rates))
    }
}

type Labels<'a> = [(&'static str, &'a str); 1];

/// Where metrics are written to.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: impl EncodeGaugeValue) -> fmt::Result {
        self.0.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
    }

    fn counter(&mut self, name: &str, help: &str, value: impl EncodeCounterValue) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_counter::<[(&str, &str); 0], _, u64>(&value, None)
    }

    fn gauges<'l, V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels<'l>, V)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in values {
            metric.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    fn counters<'l, V: EncodeCounterValue>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels<'l>, V)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in values {
            let mut one = metric.encode_family(&labels)?;
            one.encode_counter::<[(&str, &str); 0], _, u64>(&value, None)?;
        }
        Ok(())
    }
}

fn program(to: &mut Page<'_>, vitals: &Vitals, now: &Snapshot) -> fmt::Result {
    let version = [("version", vitals.identity.version)];
    to.gauges("build_info", "The program's version", [(version, 1_u64)])?;
    let checks = now.checks.iter();
    let checks = checks.map(|check| ([("check", check.name)], u64::from(check.ok)));
    to.gauges("check_ok", "Whether each thing is as it must be", checks)?;
    let ready = u64::from(health::ready(&now.checks));
    to.gauge("ready", "Whether all is as it must be", ready)?;
    if let Some(asking) = &now.asking {
        let (out, most) = asking.in_flight;
        to.gauge("conversations_in_flight", "Conversations under way", out as u64)?;
        to.gauge("conversations_most", "Conversations that may be under way", most as u64)?;
    }
    let unwritten = vitals.tap().unwritten().events;
    let help = "Events that the journal could not write down";
    to.counter("journal_unwritten_events", help, unwritten)?;
    let missed = vitals.tap().missed();
    to.counter("viewer_missed_events", "Events that a slow viewer missed", missed)
}

fn actors(to: &mut Page<'_>, now: &Snapshot) -> fmt::Result {
    let each = || now.actors.iter();
    let restarts = each().map(|actor| ([("actor", actor.name.as_str())], actor.restarts));
    to.counters("actor_restarts", "Restarts after a crash", restarts)?;
    let up = each().map(|actor| {
        let up = u64::from(actor.health == ActorHealth::Running);
        ([("actor", actor.name.as_str())], up)
    });
    to.gauges("actor_up", "Whether the actor takes messages", up)?;
    let idle = each().map(|actor| ([("actor", actor.name.as_str())], actor.idle.as_secs_f64()));
    to.gauges("actor_idle_seconds", "How long the actor has not got anything done", idle)
}

fn ports(to: &mut Page<'_>, now: &Snapshot) -> fmt::Result {
    let each = || now.ports.iter().map(|port| ([("port", port.port.as_str())], port));
    let in_use = each().map(|(label, port)| (label, port.counts.in_use as u64));
    to.gauges("mailbox_in_use", "Messages in the mailbox or at work", in_use)?;
    let capacity = each().map(|(label, port)| (label, port.capacity as u64));
    to.gauges("mailbox_capacity", "Messages that may be there", capacity)?;
    let peak = each().map(|(label, port)| (label, port.counts.peak as u64));
    to.gauges("mailbox_peak", "The most messages that ever were there", peak)?;
    let messages = each().map(|(label, port)| (label, port.counts.messages));
    to.counters("mailbox_messages", "Messages that went in", messages)?;
    let waited = each().map(|(label, port)| (label, port.counts.waited.as_secs_f64()));
    to.counters("mailbox_wait_seconds", "How long senders waited for a place", waited)?;
    let held = each().map(|(label, port)| (label, port.counts.held.as_secs_f64()));
    to.counters("mailbox_held_seconds", "From the mailbox to the end of the work", held)
}

fn chain(to: &mut Page<'_>, vitals: &Vitals, now: &Snapshot, metagraph: &Metagraph) -> fmt::Result {
    if let Some(head) = now.head {
        to.gauge("chain_head_block", "The newest block", head.block.0)?;
        let age = now.now.since(head.seen).as_secs_f64();
        to.gauge("chain_head_age_seconds", "How long ago it came", age)?;
    }
    to.gauge("chain_neurons", "Neurons on the subnet", metagraph.neurons.len() as u64)?;
    let registered = metagraph.by_hotkey(&vitals.identity.hotkey).is_some();
    to.gauge("registered", "Whether its hotkey has a slot there", u64::from(registered))?;
    if let Some(block) = now.weights_set {
        to.gauge("weights_block", "The block of the last weights", block)?;
    }
    let age = match now.weights {
        WeightSigns::Off => return Ok(()),
        WeightSigns::Never(blocks) | WeightSigns::Age(blocks) => blocks,
    };
    to.gauge("weights_age_blocks", "Blocks since weights were set, or were first due", age)
}

fn model(to: &mut Page<'_>, stats: &ModelStats, rates: (f64, f64)) -> fmt::Result {
    let tokens = [
        ([("kind", "prompt")], stats.prompt_tokens),
        ([("kind", "cached")], stats.cached_tokens),
        ([("kind", "prefilled")], stats.prefilled_tokens),
        ([("kind", "decoded")], stats.decoded_tokens),
    ];
    to.counters("model_tokens", "Tokens of prompts and of answers", tokens)?;
    let per_second = [([("kind", "decoded")], rates.0), ([("kind", "prefilled")], rates.1)];
    to.gauges("model_tokens_per_second", "Tokens a second, just now", per_second)?;
    to.counter("model_steps", "Steps of the device", stats.steps)?;
    to.counter("model_busy_seconds", "How long the device worked", stats.busy.as_secs_f64())?;
    to.counter("model_embedded_texts", "Texts that became vectors", stats.embedded_texts)?;
    to.counter("model_rebuilds", "Failures after which the engine was built anew", stats.rebuilds)?;
    let ended = [
        ([("cause", "refused")], stats.refused),
        ([("cause", "cancelled")], stats.cancelled),
        ([("cause", "expired")], stats.expired),
    ];
    to.counters("model_unanswered", "Requests that ended without an answer", ended)
}

fn miners(to: &mut Page<'_>, vitals: &Vitals, metagraph: &Metagraph) -> fmt::Result {
    let current = vitals.tap().board().read(|standing| standing.current(metagraph));
    let uids: Vec<_> = metagraph.neurons.iter().map(|n| (n.uid, n.uid.to_string())).collect();
    let of =
        |values: &std::collections::BTreeMap<_, f64>, at: usize| values.get(&uids[at].0).copied();
    let each = |values| {
        let label = |at: usize| [("uid", uids[at].1.as_str())];
        (0..uids.len()).filter_map(move |at| Some((label(at), of(values, at)?)))
    };
    to.gauges("miner_score", "The moving average of each miner", each(&current.scores))?;
    to.gauges("miner_weight", "Each miner's share of the weights", each(&current.weights))
}

/// What every program tells of itself, under the names that dashboards know.
#[derive(Debug)]
struct Process(f64);

impl Collector for Process {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut to = Page(encoder);
        let help = "When it began, in seconds since the Unix epoch";
        to.gauge("process_start_time_seconds", help, self.0)?;
        if let Some(bytes) = process::resident_bytes() {
            to.gauge("process_resident_memory_bytes", "Memory that it holds", bytes)?;
        }
        if let Some(open) = process::open_files() {
            to.gauge("process_open_fds", "Files and sockets that it has open", open)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_starts_tells_when_it_began() {
        let told = starting(5.5).unwrap();
        assert!(told.contains("\nsn1_ready 0\n"), "{told}");
        assert!(told.contains("\nprocess_start_time_seconds 5.5\n"), "{told}");
        assert_eq!(told.find("# EOF\n"), Some(told.len() - "# EOF\n".len()));
    }
}
