//! A scored step as the journal has it, under the original's names (original-system.md §1.13).
//!
//! It has all that a step's rewards come from, bit for bit, so that `sn1 replay` can work them out
//! again. Pure; only RewardScorer uses it.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::domain::{Moment, PieceArrival, Score};
use crate::task_maker::references::References;

use super::combine::{Component, normalise};
use super::{Round, Scored, best};

/// All fields of one step's event. Times are seconds; lists are in the order of `uids`.
pub(super) fn step_event(
    round: &Round,
    references: &References,
    scored: &[Scored],
    now: Moment,
) -> Map<String, Value> {
    let (task, phrasing) = (&round.task, &round.phrasing);
    let best = best(scored).map(|best| &best.answer);
    let head = json!({
        "conversation": round.conversation.id,
        "turn": round.conversation.turn,
        "block": round.block,
        "step_time": seconds(now.since(round.conversation.began)),
        "forward_time": seconds(now.since(round.opened)),
        "task": task.kind,
        "desc": task.kind.definition().desc,
        "goal": task.kind.definition().goal,
        "query": task.query,
        "query_time": seconds(task.query_time),
        "reference": references.texts.first(),
        "static_reference": task.plan.reference.is_static(),
        "reference_time": seconds(references.time),
        "topic": task.context.topic,
        "subtopic": task.context.subtopic,
        "context_source": task.context.source,
        "context_time": seconds(task.context_time),
        "challenge": phrasing.challenge,
        "challenge_time": seconds(phrasing.time),
        "challenge_attempts": phrasing.attempts,
        "system_prompt": phrasing.system_prompt,
        "profile": phrasing.persona.profile,
        "mood": phrasing.persona.mood,
        "tone": phrasing.persona.tone,
        "best": best.map(|best| &best.reply.completion),
        "best_uid": best.map(|best| best.uid),
    });
    let mut event = match head {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    if references.texts.len() > 1 {
        event.insert("references".to_owned(), value(&references.texts));
    }
    if !phrasing.history.is_empty() {
        event.insert("history".to_owned(), value(&phrasing.history));
    }
    if let Some(sent) = &phrasing.sent {
        event.insert("sent".to_owned(), value(&sent.clone().into_messages()));
    }
    answers(&mut event, scored);
    if round.asker.is_user() {
        event.insert("organic".to_owned(), Value::Bool(true));
    }
    if round.asker.withholds_texts() {
        withhold(&mut event);
    }
    event
}

/// Fields with words of the user's, or of the answers to them; a miner's status can repeat them.
const TEXTS: [&str; 7] =
    ["challenge", "query", "reference", "references", "best", "completions", "status_messages"];

/// Takes all texts out and leaves everything else: lists stay as long as they are.
fn withhold(event: &mut Map<String, Value>) {
    for key in TEXTS {
        if let Some(value) = event.get_mut(key) {
            match value {
                Value::String(text) => text.clear(),
                Value::Array(texts) => texts.fill(Value::String(String::new())),
                _ => {}
            }
        }
    }
    event.remove("history");
    event.insert("texts_withheld".to_owned(), Value::Bool(true));
}

/// The lists over the answers.
fn answers(event: &mut Map<String, Value>, scored: &[Scored]) {
    let mut list = |key: &str, values: Vec<Value>| event.insert(key.to_owned(), values.into());
    let each = |value: fn(&Scored) -> Value| scored.iter().map(value).collect::<Vec<_>>();
    list("uids", each(|s| json!(s.answer.uid)));
    list("hotkeys", each(|s| json!(s.answer.hotkey)));
    list("completions", each(|s| json!(s.answer.reply.completion)));
    list("timings", each(|s| json!(seconds(s.answer.reply.elapsed))));
    list("status_codes", each(|s| json!(s.answer.reply.status)));
    list("status_messages", each(|s| json!(s.answer.reply.message)));
    list("arrivals", each(|s| json!(seconds(s.answer.arrived))));
    list("rewards", each(|s| json!(s.verdict.reward)));
    list("reward_timings", each(|s| json!(seconds(s.measured.time))));
    if scored.iter().any(|s| s.verdict.copy_of.is_some()) {
        list("copy_of", each(|s| json!(s.verdict.copy_of)));
    }
    if scored.iter().any(|s| s.verdict.speed < 1.0) {
        list("speed_factors", each(|s| json!(s.verdict.speed)));
    }
    if scored.iter().any(|s| !s.answer.reply.pieces.is_empty()) {
        list("all_chunks_timings", each(|s| pieces(s, |piece| json!(seconds(piece.at)))));
        // The original's `all_tokens_per_chunk`, in characters: miners' tokens are not ours.
        list("all_chars_per_chunk", each(|s| pieces(s, |piece| json!(piece.chars))));
    }
    components(event, scored, "reward", |scored| &scored.measured.breakdown.rewards);
    components(event, scored, "penalty", |scored| &scored.measured.breakdown.penalties);
}

/// One value of each piece of an answer; of one that came as a whole there are none.
fn pieces(scored: &Scored, value: fn(&PieceArrival) -> Value) -> Value {
    scored.answer.reply.pieces.iter().map(value).collect()
}

/// For each measure M of type T: `M_raw_T`, `M_T` (spread over the step), `M_T_timings`, and
/// `M_T_batch_time`, which is their sum: answers are measured beside each other, as they come.
fn components(
    event: &mut Map<String, Value>,
    scored: &[Scored],
    kind: &str,
    of: fn(&Scored) -> &[Component],
) {
    let Some(first) = scored.first() else { return };
    for (index, component) in of(first).iter().enumerate() {
        let name = component.measure.kind.name();
        let all: Vec<&Component> = scored.iter().filter_map(|s| of(s).get(index)).collect();
        let scores: Vec<Score> = all.iter().map(|component| component.score).collect();
        let timings: Vec<f64> = all.iter().map(|component| seconds(component.time)).collect();
        let batch = all.iter().fold(Duration::ZERO, |sum, c| sum.saturating_add(c.time));
        event.insert(format!("{name}_{kind}"), value(&normalise(&scores)));
        event.insert(format!("{name}_raw_{kind}"), value(&scores));
        event.insert(format!("{name}_{kind}_timings"), value(&timings));
        event.insert(format!("{name}_{kind}_batch_time"), json!(seconds(batch)));
    }
}

fn value(data: &impl Serialize) -> Value {
    serde_json::to_value(data).unwrap_or(Value::Null)
}

/// To the nanosecond for all that a step can take: `Duration::from_secs_f64` gives it back.
fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

#[cfg(test)]
mod tests;
