//! What the answers of a step earn beside each other, and when they are scored.

use serde_json::{Map, Value};
use sn1_actors::assistant::Kind;
use sn1_actors::domain::{ChatMessage, Uid};
use sn1_actors::ports::Event;
use sn1_actors::reward_scorer::closing::{ClosingRules, CopyMode, CopyRule};
use sn1_actors::testkit::{Stage, hotkey};

use crate::net::{self, Net, Plan};

const OWN: &str = "Tea plants like warm hills, a lot of rain and a sour soil that holds no water, and \
                   they are cut low so that people can pick the young leaves by hand.";

/// Says the same as the reference in words of its own, where it is asked as a miner.
fn writer(messages: &[ChatMessage]) -> String {
    let frame = messages.first().map_or("", |first| first.content.as_str());
    let last = messages.last().map_or("", |last| last.content.as_str());
    if frame == net::SYSTEM_PROMPT {
        return OWN.into();
    }
    if last.ends_with("Write only the question, in one sentence.") {
        return "Where does tea grow best?".into();
    }
    if last.starts_with("Person:") {
        return "so tell me, where do they grow the best tea?".into();
    }
    "Tea grows best on warm hills with a lot of rain; its young leaves are picked by hand.".into()
}

fn miners() -> [Kind; 5] {
    [Kind::Copier, Kind::Slow, Kind::Model, Kind::Copier, Kind::Copier]
}

const COPIER: u16 = 1;
const SLOW: u16 = 2;
const AUTHOR: u16 = 3;

/// The steps of a run, and all that happened in it.
fn run(copies: CopyMode, kinds: &'static [(&'static str, f64)]) -> Vec<Event> {
    let copies = CopyRule { mode: copies, ..CopyRule::default() };
    let closing = ClosingRules { copies, ..ClosingRules::default() };
    let plan = Plan {
        kinds,
        closing,
        miners,
        writer: Some(writer),
        steps: 3,
        in_flight: 1,
        ..Plan::default()
    };
    let mut events = Vec::new();
    Stage::play(async |stage: Stage| {
        Net::start(&stage, plan).run().await;
        events = stage.journal.events();
    });
    events
}

fn steps(events: &[Event]) -> Vec<&Map<String, Value>> {
    let steps = events.iter().filter_map(|event| match event {
        Event::Step(step) => Some(step),
        _ => None,
    });
    let steps: Vec<_> = steps.collect();
    assert_eq!(steps.len(), 3);
    steps
}

/// What a step's event says of a miner under a key.
fn of(step: &Map<String, Value>, uid: u16, key: &str) -> Value {
    let place = step["uids"].as_array().expect("a list").iter().position(|at| *at == uid);
    step[key][place.expect("everyone is asked")].clone()
}

#[test]
fn a_copier_earns_nothing_and_its_victim_keeps_its_reward() {
    let events = run(CopyMode::First, &[("qa", 1.0)]);
    for step in steps(&events) {
        assert_eq!(of(step, COPIER, "completions"), OWN, "it did copy");
        assert_eq!(of(step, COPIER, "rewards"), 0.0);
        assert_eq!(of(step, COPIER, "copy_of"), AUTHOR);
        assert_eq!(of(step, AUTHOR, "copy_of"), Value::Null);
        let raw = of(step, AUTHOR, "rouge_1_raw_reward");
        assert_eq!(of(step, COPIER, "rouge_1_raw_reward"), raw, "it was measured like any other");
        let kept = of(step, AUTHOR, "rewards").as_f64().unwrap();
        assert!(kept > 0.1, "{step:?}");
        let scored = events.iter().find_map(|event| match event {
            Event::AnswerScored { uid, conversation, reward, .. }
                if *uid == Uid(AUTHOR) && step["conversation"] == conversation.0 =>
            {
                Some(reward.get())
            }
            _ => None,
        });
        assert_eq!(scored, Some(kept), "the step took nothing from it");
    }
}

#[test]
fn copies_share_or_keep_what_they_earn_where_that_is_configured() {
    let alone = run(CopyMode::Off, &[("qa", 1.0)]);
    let alone = steps(&alone)[0];
    let full = of(alone, AUTHOR, "rewards").as_f64().unwrap();
    assert_eq!(of(alone, COPIER, "rewards"), full);
    assert_eq!(alone.get("copy_of"), None);
    // The slow one, an agent, says the same in other words.
    let shared = run(CopyMode::Share, &[("qa", 1.0)]);
    let shared = steps(&shared)[0];
    for uid in [AUTHOR, COPIER] {
        assert_eq!(of(shared, uid, "rewards"), full / 4.0);
    }
    let slow = of(alone, SLOW, "rewards");
    assert_eq!(of(shared, SLOW, "rewards"), slow);
    assert!(slow.as_f64().unwrap() > 0.0);
}

#[test]
fn the_same_repair_by_several_is_no_copy() {
    let events = run(CopyMode::First, &[("debugging", 1.0)]);
    for step in steps(&events) {
        assert_eq!(of(step, COPIER, "completions"), of(step, AUTHOR, "completions"));
        assert_eq!(step.get("copy_of"), None, "{step:?}");
    }
}

#[test]
fn answers_are_scored_before_the_slowest_is_there() {
    let events = run(CopyMode::First, &[("qa", 1.0)]);
    for step in steps(&events) {
        let id = &step["conversation"];
        let is_asked = |event: &Event| matches!(event, Event::Challenged { conversation, .. } if *id == conversation.0);
        let began = events.iter().position(is_asked).unwrap();
        let place = |wanted: &dyn Fn(&Event) -> bool| {
            events[began..].iter().position(wanted).expect("it happened")
        };
        let scored = |uid: u16| {
            place(&|event| match event {
                Event::AnswerScored { uid: of, hotkey: holder, .. } => {
                    *of == Uid(uid) && *holder == hotkey(uid)
                }
                _ => false,
            })
        };
        let is_slow =
            |event: &Event| matches!(event, Event::Served { seconds, .. } if *seconds > 10.0);
        let slow_is_there = place(&is_slow);
        assert!(scored(AUTHOR) < slow_is_there && scored(COPIER) < slow_is_there);
        assert!(scored(SLOW) > slow_is_there);
    }
}
