//! What an answer earns that is made of what was said before.

use serde_json::{Map, Value};
use sn1_actors::assistant::Kind;
use sn1_actors::domain::{ChatMessage, Role};
use sn1_actors::testkit::Stage;

use crate::code::CODE;
use crate::net::{self, Net, Plan};

const ANSWER: &str = "Tea grows on warm hills where it rains a lot.";

/// What a person says who is played by the model; none where a miner asks the model.
fn person(messages: &[ChatMessage]) -> Option<String> {
    let last = messages.last().map_or("", |last| last.content.as_str());
    if last.contains("It was not enough.") {
        return Some("and what about the leaves of it?".into());
    }
    if last.contains("pasted below") {
        return Some("I'm stuck, can you help me with this?".into());
    }
    if last.starts_with("Person:") {
        return Some("so tell me, where do they grow the best tea?".into());
    }
    last.ends_with("Write only the question, in one sentence.")
        .then(|| "How is the best tea grown?".into())
}

fn first_said(messages: &[ChatMessage], role: Role) -> Option<String> {
    let first = messages.iter().find(|message| message.role == role);
    first.map(|message| message.content.clone())
}

/// Miners send the first challenge back, once they were asked again.
fn repeats_the_question(messages: &[ChatMessage]) -> String {
    let is_later = messages.iter().any(|message| message.role == Role::Assistant);
    let question = first_said(messages, Role::User).filter(|_| is_later);
    person(messages).or(question).unwrap_or_else(|| ANSWER.into())
}

/// Miners mend the code, once they were asked again.
fn mends_the_code(messages: &[ChatMessage]) -> String {
    let is_later = messages.iter().any(|message| message.role == Role::Assistant);
    person(messages).unwrap_or_else(|| if is_later { CODE } else { ANSWER }.into())
}

/// Miners send the answer back that they were shown.
fn repeats_the_answer(messages: &[ChatMessage]) -> String {
    let answer = first_said(messages, Role::Assistant);
    person(messages).or(answer).unwrap_or_else(|| ANSWER.into())
}

/// Two say what the writer does, and one repeats the question.
fn two_models() -> [Kind; 5] {
    [Kind::Model, Kind::Model, Kind::Copier, Kind::Echo, Kind::Phrase("I do not know.".into())]
}

/// The steps of second turns.
fn second_turns(
    kinds: &'static [(&'static str, f64)],
    writer: fn(&[ChatMessage]) -> String,
) -> Vec<Map<String, Value>> {
    let mut second = Vec::new();
    Stage::play(async |stage: Stage| {
        let writer = Some(writer);
        let plan = Plan {
            kinds,
            miners: two_models,
            writer,
            steps: 4,
            max_turns: 2,
            in_flight: 1,
            ..Plan::default()
        };
        Net::start(&stage, plan).run().await;
        second.extend(net::steps(&stage).into_iter().filter(|step| step["turn"] == 1));
    });
    assert_eq!(second.len(), 2);
    second
}

/// What was measured of those answers that are what was said at a place of the history; they are of
/// at least two miners.
fn measured(step: &Map<String, Value>, place: usize, key: &str) -> Vec<f64> {
    let said = &step["history"][place]["content"];
    let answers = step["completions"].as_array().expect("a list").iter();
    let echoes = answers.zip(step[key].as_array().expect("a list"));
    let echoes = echoes.filter(|(answer, _)| *answer == said);
    let measured: Vec<_> = echoes.map(|(_, value)| value.as_f64().expect("a number")).collect();
    assert!(measured.len() >= 2, "{step:?}");
    measured
}

#[test]
fn broken_code_that_is_sent_back_in_a_second_turn_earns_nothing() {
    for step in second_turns(&[("debugging", 1.0)], repeats_the_question) {
        assert!(step["history"][0]["content"].as_str().expect("a text").contains("```"));
        for reward in measured(&step, 0, "diff_raw_reward") {
            assert_eq!(reward, 0.0, "{step:?}");
        }
    }
}

#[test]
fn code_that_is_mended_in_a_second_turn_earns_all() {
    for step in second_turns(&[("debugging", 1.0)], mends_the_code) {
        let mended = |step: &Map<String, Value>, key: &str| step[key].as_array().cloned();
        let answers = mended(&step, "completions").expect("a list").into_iter();
        let rewards = mended(&step, "rewards").expect("a list").into_iter();
        let sound = answers.zip(rewards).filter(|(answer, _)| answer == CODE);
        let rewards: Vec<Value> = sound.map(|(_, reward)| reward).collect();
        assert!(rewards.len() >= 2 && rewards.iter().all(|reward| *reward == 1.0), "{step:?}");
    }
}

#[test]
fn what_was_asked_or_answered_before_earns_nothing_where_more_is_wanted() {
    for (place, writer) in [(0, repeats_the_question as fn(&[_]) -> _), (1, repeats_the_answer)] {
        for step in second_turns(&[("qa", 1.0)], writer) {
            for penalty in measured(&step, place, "overlap_raw_penalty") {
                assert!((penalty - 1.0).abs() < 1e-6, "{step:?}");
            }
        }
    }
}
