//! Conversations of several turns.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value};
use sn1_actors::conversation::Tally;
use sn1_actors::domain::{ChatMessage, ConversationId, Query, Role, Score};
use sn1_actors::persona_agent::Goal;
use sn1_actors::ports::{Event, Stopped};
use sn1_actors::testkit::Stage;

use crate::net::{self, DEAD, MINERS, Net, Plan};

const ANSWER: &str = "Tea grows on warm hills where it rains a lot.";
const FIRST: &str = "are you sure about that answer, and what about the leaves?";
const SECOND: &str = "can you check that again, and how are its roots?";

/// A model that does as it is told: it asks as a person, judges, and else gives one answer.
fn writer(messages: &[ChatMessage]) -> String {
    let last = messages.last().map_or("", |last| last.content.as_str());
    let frame = messages.first().map_or("", |first| first.content.as_str());
    let later = last.contains("Asked last:");
    if frame.starts_with("You say whether") {
        return if later { "Yes." } else { "No" }.into();
    }
    if last.contains("It was not enough.") {
        return if later { SECOND } else { FIRST }.into();
    }
    if !last.starts_with("Person:") {
        let asks = last.ends_with("Write only the question, in one sentence.");
        return if asks { "Where does tea grow best?" } else { ANSWER }.into();
    }
    match last.split_once("this topic: ") {
        Some((_, title)) => format!("hey, can you sum up {title} for me?"),
        None if last.contains("pasted below") => "I'm stuck, can you help me with this?".into(),
        None => "so tell me, where do they grow the best tea?".into(),
    }
}

fn plan() -> Plan {
    Plan { max_turns: 3, steps: 9, in_flight: 3, writer: Some(writer), ..Plan::default() }
}

type Steps = BTreeMap<(u64, u64), Map<String, Value>>;

/// The scored steps by conversation and turn; none is there twice.
fn by_turn(stage: &Stage) -> Steps {
    let mut steps = Steps::new();
    for step in net::steps(stage) {
        let number = |key: &str| step[key].as_u64().expect("a number");
        let at = (number("conversation"), number("turn"));
        assert!(steps.insert(at, step).is_none(), "{at:?} is scored twice");
    }
    steps
}

/// How many turns of each conversation were scored; they follow each other.
fn turns(steps: &Steps) -> BTreeMap<u64, u64> {
    let mut turns = BTreeMap::new();
    for (conversation, turn) in steps.keys() {
        let before = turns.insert(*conversation, turn + 1);
        assert_eq!(before.unwrap_or(0), *turn, "conversation {conversation} leaves out a turn");
    }
    turns
}

fn ends(stage: &Stage) -> BTreeMap<ConversationId, Stopped> {
    let mut ended = BTreeMap::new();
    for event in stage.journal.events() {
        if let Event::ConversationEnded { conversation, stopped, .. } = event {
            assert!(ended.insert(conversation, stopped).is_none(), "{conversation} ends twice");
        }
    }
    ended
}

async fn played(stage: &Stage, plan: Plan) -> (Tally, Net) {
    let net = Net::start(stage, plan);
    let outcome = net.run().await;
    (outcome.tally, net)
}

#[test]
fn a_goal_that_is_reached_at_once_takes_one_turn() {
    Stage::play(async |stage: Stage| {
        let plan = Plan { goal: Goal::Reward(Score::ZERO), steps: 6, ..plan() };
        let (tally, _) = played(&stage, plan).await;
        assert_eq!((tally.steps, tally.completed, tally.failed), (6, 6, 0));
        assert!(turns(&by_turn(&stage)).values().all(|turns| *turns == 1));
    });
}

#[test]
fn a_goal_that_is_not_reached_is_asked_for_up_to_the_last_turn() {
    Stage::play(async |stage: Stage| {
        let (tally, net) = played(&stage, plan()).await;
        assert_eq!((tally.steps, tally.completed, tally.failed), (9, 3, 0));
        let steps = by_turn(&stage);
        assert_eq!(turns(&steps).into_values().collect::<Vec<_>>(), [3, 3, 3]);
        for ((_, turn), step) in &steps {
            let asked = [None, Some(FIRST), Some(SECOND)][*turn as usize];
            if let Some(asked) = asked {
                assert_eq!((&step["challenge"], &step["query"]), (&asked.into(), &asked.into()));
            }
            assert_eq!(step["challenge_attempts"], Value::Array(Vec::new()), "{step:?}");
            assert_eq!(step["uids"].as_array().unwrap().len(), usize::from(MINERS));
        }
        assert_eq!(net.standings().await.steps, 9, "each turn counts");
        assert!(ends(&stage).values().all(|stopped| *stopped == Stopped::Completed));
    });
}

#[test]
fn the_same_person_asks_in_every_turn() {
    Stage::play(async |stage: Stage| {
        played(&stage, plan()).await;
        let mut people = BTreeMap::new();
        for ((conversation, _), step) in by_turn(&stage) {
            let person = ["profile", "mood", "tone", "task", "topic"].map(|key| step[key].clone());
            assert_eq!(*people.entry(conversation).or_insert(person.clone()), person);
        }
    });
}

#[test]
fn all_miners_of_a_turn_see_the_whole_conversation() {
    Stage::play(async |stage: Stage| {
        let (_, net) = played(&stage, plan()).await;
        let asked: Vec<Query> = net.asked().into_iter().map(|(_, query)| query).collect();
        assert_eq!(asked.len(), 9 * usize::from(MINERS));
        let steps = by_turn(&stage);
        for ((conversation, turn), step) in &steps {
            let mut said = Vec::new();
            for before in 0..*turn {
                let step = &steps[&(*conversation, before)];
                said.push((Role::User, step["challenge"].as_str().unwrap().to_owned()));
                said.push((Role::Assistant, step["best"].as_str().unwrap().to_owned()));
            }
            said.push((Role::User, step["challenge"].as_str().unwrap().to_owned()));
            let (roles, messages) = said.into_iter().unzip();
            let query = Query { roles, messages };
            let told = asked.iter().filter(|asked| **asked == query).count();
            assert!(told >= usize::from(MINERS), "{conversation}/{turn}: {told} saw {query:?}");
            let history = step.get("history").and_then(Value::as_array).map_or(0, Vec::len);
            assert_eq!(history as u64, 2 * turn, "the journal has it too");
        }
    });
}

#[test]
fn the_person_may_judge_for_itself() {
    Stage::play(async |stage: Stage| {
        let plan = Plan { goal: Goal::Judgement, steps: 8, ..plan() };
        let (tally, _) = played(&stage, plan).await;
        assert_eq!(tally.steps, 8);
        let turns = turns(&by_turn(&stage));
        assert!(turns.values().all(|turns| *turns <= 2), "no, and then yes: {turns:?}");
        assert!(turns.values().filter(|turns| **turns == 2).count() >= 3, "{turns:?}");
    });
}

#[test]
fn where_nobody_answers_nobody_asks_on() {
    Stage::play(async |stage: Stage| {
        let net = Net::start(&stage, Plan { steps: 4, ..plan() });
        net.silence();
        let tally = net.run().await.tally;
        assert_eq!((tally.steps, tally.completed), (4, 4));
        assert!(turns(&by_turn(&stage)).values().all(|turns| *turns == 1));
    });
}

#[test]
fn words_that_may_not_leave_are_tried_three_times_and_then_found_without_the_model() {
    Stage::play(async |stage: Stage| {
        // The stand-in repeats pieces of its prompt.
        let (tally, _) = played(&stage, Plan { writer: None, ..plan() }).await;
        assert_eq!(tally.steps, 9);
        for step in net::steps(&stage) {
            let attempts = step["challenge_attempts"].as_array().unwrap();
            assert!(attempts.len() == 3 || step["turn"] != 0, "{attempts:?}");
            assert!(attempts.iter().all(|attempt| attempt["flaw"].is_string()), "{attempts:?}");
            let challenge = step["challenge"].as_str().unwrap();
            assert!(
                !challenge.contains("Person:") && Some(challenge) != step["query"].as_str()
                    || step["turn"] != 0,
                "{challenge}"
            );
        }
    });
}

#[test]
fn a_run_has_as_many_steps_as_were_asked_for() {
    for in_flight in [1, 4] {
        for wanted in 1..=8 {
            Stage::play(async |stage: Stage| {
                let (tally, _) = played(&stage, Plan { steps: wanted, in_flight, ..plan() }).await;
                assert_eq!((tally.steps, tally.failed, tally.under_way()), (wanted, 0, 0));
                assert_eq!(by_turn(&stage).len() as u64, wanted);
            });
        }
    }
}

#[test]
fn a_run_that_is_stopped_asks_no_further() {
    Stage::play(async |stage: Stage| {
        let plan = Plan { steps: 1_000, thinking: Duration::from_secs(2), ..plan() };
        let net = Net::start(&stage, plan);
        tokio::select! {
            _ = net.run() => panic!("a thousand steps take longer"),
            () = stage.clock.sleep(Duration::from_secs(31)) => {}
        }
        net.validator.log.want(Some(0));
        let before = by_turn(&stage).len();
        stage.clock.sleep(Duration::from_secs(25)).await;
        assert_eq!(net.validator.credits.out(), 0);
        let after = by_turn(&stage).len();
        assert!(before > 3 && after <= before + 3, "{before} {after}: a turn each at most");
    });
}

#[test]
fn one_seed_gives_the_same_conversations_turn_by_turn() {
    fn told(in_flight: usize) -> BTreeMap<(u64, u64), [Value; 6]> {
        let mut told = BTreeMap::new();
        Stage::play(async |stage: Stage| {
            played(&stage, Plan { in_flight, steps: 12, ..plan() }).await;
            let fields = ["task", "query", "challenge", "system_prompt", "reference", "best"];
            let told_of =
                |(at, step): (_, Map<String, Value>)| (at, fields.map(|f| step[f].clone()));
            told.extend(by_turn(&stage).into_iter().map(told_of));
        });
        told
    }
    let (one, four) = (told(1), told(4));
    assert_eq!(one, told(1));
    // Which turns are the last of a run depends on how many are in flight, and nothing else does.
    let both: Vec<_> = one.keys().filter(|at| four.contains_key(at)).collect();
    assert!(both.len() >= 6 && both.iter().any(|(_, turn)| *turn > 0), "{both:?}");
    for at in both {
        assert_eq!(one[at], four[at], "{at:?}");
    }
}

/// Where actors can crash in conversations of several turns.
fn places() -> BTreeSet<&'static str> {
    let mut places = BTreeSet::new();
    Stage::play(async |stage: Stage| {
        played(&stage, plan()).await;
        places.extend(stage.failpoints.reached().into_iter().map(|(place, _)| place));
    });
    places
}

#[test]
fn a_crash_in_any_turn_ends_a_conversation_once_and_scores_no_turn_twice() {
    let places = places();
    for place in ["persona_agent:turn_scored", "persona_agent:decide", "persona_agent:follow_up"] {
        assert!(places.contains(place), "{place} is not reached: {places:?}");
    }
    for place in places {
        for nth in [0, 4] {
            Stage::play(async |stage: Stage| {
                stage.failpoints.arm(place, nth);
                let (tally, net) = played(&stage, plan()).await;
                let what = format!("{place}, hit {nth}: {tally:?}");
                assert_eq!((tally.steps, tally.under_way()), (9, 0), "{what}");
                // This model is so quick that challenges are there before a metagraph is.
                let most = if place.starts_with("chain_watch") { 3 } else { 1 };
                assert!(tally.failed <= most, "{what}");
                stage.clock.sleep(Duration::from_secs(120)).await;
                assert_eq!(net.validator.credits.out(), 0, "{what}: a credit is out");
                assert!(net.topology.in_use().is_empty(), "{what}: {:?}", net.topology.in_use());
                let ends = ends(&stage);
                assert_eq!(ends.len() as u64, tally.begun, "{what}: {ends:?}");
                let steps = by_turn(&stage);
                turns(&steps);
                assert_eq!(
                    steps.len() as u64,
                    net.standings().await.steps + u64::from(place == "weight_setter:step"),
                    "{what}"
                );
            });
        }
    }
}

#[test]
fn a_crash_between_turns_costs_the_turns_to_come_and_nothing_that_was_scored() {
    for place in ["persona_agent:turn_scored", "persona_agent:decide", "persona_agent:follow_up"] {
        Stage::play(async |stage: Stage| {
            stage.failpoints.arm(place, 0);
            let (tally, net) = played(&stage, Plan { in_flight: 1, ..plan() }).await;
            assert_eq!((tally.steps, tally.failed), (9, 1), "{place}");
            let turns = turns(&by_turn(&stage));
            assert_eq!(turns[&0], 1, "{place}: {turns:?}");
            assert_eq!(ends(&stage)[&ConversationId(0)], Stopped::Dropped);
            let book = net.standings().await;
            assert_eq!((book.steps, book.scores.len()), (9, usize::from(MINERS)));
            assert_eq!(book.scores[&sn1_actors::testkit::hotkey(DEAD)], Score::ZERO);
        });
    }
}
