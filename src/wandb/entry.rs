//! What of the journal goes into a run.

use serde::Serialize;
use serde_json::{Map, Value, json};
use sn1_actors::ports::Event;

use crate::console::board::is_users;

/// Something that is written into a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// What is known of the run from now on.
    Config(Map<String, Value>),
    /// A scored step.
    Step(Map<String, Value>),
    /// The run ended in good order.
    End,
}

/// The fields that a journal's line has besides those of its event.
const OF_THE_LINE: [&str; 5] = ["run_id", "seq", "schema_version", "time", "event"];

/// The only texts that are taken from the step of an API user: they are the program's or the chain's.
const NOBODYS_WORDS: [&str; 3] = ["task", "context_source", "hotkeys"];

impl Entry {
    /// What an event comes to, if it is for a run.
    #[must_use]
    pub fn of_event(event: &Event) -> Option<Self> {
        match event {
            Event::RunStarted { version, .. } => Some(started(json!(version))),
            Event::ScoringBegan { rules, .. } => Some(scoring_began(value(rules))),
            Event::Step(step) => Some(Self::Step(shareable(step))),
            Event::RunFinished { .. } => Some(Self::End),
            _ => None,
        }
    }

    /// What a line of the journal comes to, if it is for a run.
    #[must_use]
    pub fn of_line(mut line: Map<String, Value>) -> Option<Self> {
        let mut take = |key: &str| line.remove(key).unwrap_or_default();
        match take("event").as_str()? {
            "run_started" => Some(started(take("version"))),
            "scoring_began" => Some(scoring_began(take("rules"))),
            "step" => {
                line.retain(|key, _| !OF_THE_LINE.contains(&key.as_str()));
                Some(Self::Step(shareable(&line)))
            }
            "run_finished" => Some(Self::End),
            _ => None,
        }
    }
}

/// Of the seed nothing may be known while its run lasts: by it a miner knows what is asked next.
fn started(version: Value) -> Entry {
    Entry::Config([("version".to_owned(), version)].into_iter().collect())
}

fn scoring_began(rules: Value) -> Entry {
    Entry::Config([("rules".to_owned(), rules)].into_iter().collect())
}

fn value(data: &impl Serialize) -> Value {
    serde_json::to_value(data).unwrap_or_default()
}

/// A step as others may see it. What an API user asked and was answered may be in the journal, which
/// stays on this machine, but not in a run, which is made to be sent: of such a step only numbers are
/// taken, whatever fields it has.
fn shareable(step: &Map<String, Value>) -> Map<String, Value> {
    if !is_users(step) {
        return step.clone();
    }
    let fields = step
        .iter()
        .filter(|(key, value)| NOBODYS_WORDS.contains(&key.as_str()) || !has_text(value));
    fields.map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn has_text(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(_) | Value::Object(_) => true,
        Value::Array(list) => list.iter().any(has_text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn of_an_api_user_s_step_there_are_numbers_and_no_words() {
        let step = json!({
            "organic": true, "task": "organic", "challenge": "my secret", "completions": ["a", "b"],
            "sent": [{"role": "user", "content": "my secret"}], "uids": [1, 2], "rewards": [0.5, 0],
            "hotkeys": ["5F", "5G"], "reference": null, "all_chunks_timings": [[0.1], []],
            "a_field_of_the_future": [["my secret"]],
        });
        let Some(Entry::Step(row)) = Entry::of_event(&Event::Step(object(step.clone()))) else {
            panic!("a step is for a run");
        };
        let rest = json!({
            "organic": true, "task": "organic", "uids": [1, 2], "rewards": [0.5, 0],
            "hotkeys": ["5F", "5G"], "reference": null, "all_chunks_timings": [[0.1], []],
        });
        assert_eq!(row, object(rest));
        let mut line = object(step);
        for key in OF_THE_LINE {
            line.insert(key.to_owned(), json!("step"));
        }
        assert_eq!(Entry::of_line(line), Some(Entry::Step(row)));
    }

    #[test]
    fn of_a_run_s_beginning_the_seed_is_not_told() {
        let told = Some(Entry::Config(object(json!({"version": "1"}))));
        let event = Event::RunStarted { version: "1".into(), seed: 7 };
        assert_eq!(Entry::of_event(&event), told);
        let line = json!({"event": "run_started", "version": "1", "seed": 7});
        assert_eq!(Entry::of_line(object(line)), told);
    }

    #[test]
    fn the_validator_s_own_steps_are_taken_as_they_are() {
        let step = object(json!({"task": "qa", "challenge": "Why?", "completions": ["So."]}));
        assert_eq!(Entry::of_event(&Event::Step(step.clone())), Some(Entry::Step(step.clone())));
        let event = Event::OrganicAnswered {
            conversation: sn1_actors::domain::ConversationId(1),
            outcome: sn1_actors::ports::OrganicOutcome::Gone,
            uid: None,
            seconds: 1.0,
            scored: false,
        };
        assert_eq!(Entry::of_event(&event), None);
    }
}
