//! The state of a validator as the console's page is told it, every second.

use serde::Serialize;
use serde_json::{Value, json};
use sn1_actors::domain::{Metagraph, Neuron};
use sn1_actors::runtime::{ActorStatus, PortStatus, Verb};

use super::board::Asked;
use super::health::{self, WeightSigns};
use super::vitals::{Snapshot, Vitals, health_name};

/// Neurons that the page shows, at most: no subnet has more.
const MOST_NEURONS: usize = 4_096;

/// A line of the table of miners.
#[derive(Serialize)]
struct MinerRow<'a> {
    uid: u16,
    hotkey: &'a str,
    kind: Option<&'a str>,
    score: Option<f64>,
    weight: Option<f64>,
    incentive: f64,
    stake: f64,
    address: Option<String>,
    #[serde(flatten)]
    asked: Asked,
}

/// The state now, as JSON; nothing of a miner, which has no page.
pub(super) fn state(vitals: &Vitals) -> Value {
    let now = vitals.snapshot();
    let (Some(asking), Some(metagraph)) = (&now.asking, &now.metagraph) else { return Value::Null };
    let own = metagraph.by_hotkey(&vitals.identity.hotkey).map(|own| own.uid);
    let mut state = json!({
        "uptime_s": vitals.uptime().as_secs_f64(),
        "uid": own,
        "ready": health::ready(&now.checks),
        "checks": now.checks,
        "steps": asking.tally.steps,
        "conversations": {"in_flight": asking.in_flight.0, "most": asking.in_flight.1},
        "actors": now.actors.iter().map(actor).collect::<Vec<_>>(),
        "ports": now.ports.iter().map(port).collect::<Vec<_>>(),
        "chain": chain(&now, metagraph),
        "model": model(vitals, &now),
        "miners": miners(vitals, metagraph),
    });
    if let (Some(state), Ok(Value::Object(who))) =
        (state.as_object_mut(), serde_json::to_value(&vitals.identity))
    {
        state.extend(who);
    }
    state
}

fn actor(actor: &ActorStatus) -> Value {
    json!({
        "name": actor.name,
        "health": health_name(&actor.health),
        "restarts": actor.restarts,
        "last_crash": actor.last_crash,
        "idle_s": actor.idle.as_secs_f64(),
    })
}

fn port(port: &PortStatus) -> Value {
    json!({
        "port": port.port,
        "from": port.from,
        "to": port.to,
        "verb": match port.verb { Verb::Ask => "ask", Verb::Push => "push" },
        "in_use": port.counts.in_use,
        "capacity": port.capacity,
        "peak": port.counts.peak,
    })
}

fn chain(now: &Snapshot, metagraph: &Metagraph) -> Value {
    let age = match now.weights {
        WeightSigns::Age(blocks) => Some(blocks),
        WeightSigns::Off | WeightSigns::Never(_) => None,
    };
    json!({
        "block": now.head.map(|head| head.block),
        "head_age_s": now.head.map(|head| now.now.since(head.seen).as_secs_f64()),
        "neurons": metagraph.neurons.len(),
        "weights_age_blocks": age,
    })
}

fn model(vitals: &Vitals, now: &Snapshot) -> Value {
    let Some(stats) = &now.model else { return Value::Null };
    json!({
        "id": vitals.model_id(),
        "decoded_tokens": stats.decoded_tokens,
        "hit_ratio": stats.hit_ratio(),
        "decoded_per_s": now.rates.0,
        "prefilled_per_s": now.rates.1,
    })
}

fn miners(vitals: &Vitals, metagraph: &Metagraph) -> Value {
    let own = &vitals.identity.hotkey;
    let others = metagraph.neurons.iter().filter(|neuron| neuron.hotkey != *own);
    let board = vitals.tap().board();
    let (current, earlier) =
        board.read(|standing| (standing.current(metagraph), standing.earlier.clone()));
    let row = |neuron: &Neuron| {
        let uid = &neuron.uid;
        let before = || earlier.get(&neuron.hotkey).map(|score| score.get());
        let row = MinerRow {
            uid: uid.0,
            hotkey: neuron.hotkey.as_str(),
            kind: vitals.kind(*uid),
            score: current.scores.get(uid).copied().or_else(before),
            weight: current.weights.get(uid).copied(),
            incentive: neuron.incentive,
            stake: neuron.stake.0,
            address: neuron.axon.map(|axon| axon.to_string()),
            asked: current.asked.get(uid).copied().unwrap_or_default(),
        };
        serde_json::to_value(row).unwrap_or(Value::Null)
    };
    Value::Array(others.take(MOST_NEURONS).map(row).collect())
}
