//! The whole incentive loop on virtual time: every actor real, the model a stand-in, the wire cut
//! short between dendrite and axons.

#![expect(clippy::expect_used, reason = "test code outside of a test function")]

#[path = "whole_loop/closing.rs"]
mod closing;
#[path = "whole_loop/code.rs"]
mod code;
#[path = "whole_loop/echoes.rs"]
mod echoes;
#[path = "whole_loop/net.rs"]
mod net;
#[path = "whole_loop/organic.rs"]
mod organic;
#[path = "whole_loop/pressure.rs"]
mod pressure;
#[path = "whole_loop/rhythm.rs"]
mod rhythm;
#[path = "whole_loop/shaping.rs"]
mod shaping;
#[path = "whole_loop/turns.rs"]
mod turns;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use net::{MINERS, Net, Plan};
use sn1_actors::domain::{Score, Uid};
use sn1_actors::model_worker::stand_in::ServiceRate;
use sn1_actors::ports::{ChainError, Event, Stopped};
use sn1_actors::testkit::{Stage, hotkey};
use sn1_actors::weight_setter::SetError;

#[test]
fn every_asked_hotkey_gets_a_score_and_silence_a_zero() {
    Stage::play(async |stage: Stage| {
        let net = Net::start(&stage, Plan { steps: 6, ..Plan::default() });
        let outcome = net.run().await;
        assert_eq!(outcome.tally.completed, 6);
        let steps = net::steps(&stage);
        assert_eq!(steps.len(), 6);
        for step in &steps {
            assert_eq!(step["uids"].as_array().unwrap().len(), usize::from(MINERS));
            assert_eq!(step["rewards"].as_array().unwrap().len(), usize::from(MINERS));
        }
        let book = net.standings().await;
        assert_eq!(book.steps, 6);
        assert_eq!(book.scores.len(), usize::from(MINERS), "everyone, and not the validator");
        assert_eq!(book.scores[&hotkey(net::DEAD)], Score::ZERO);
        let earned = book.scores.values().filter(|score| **score > Score::ZERO).count();
        assert!(earned >= 3, "those who answer earn: {:?}", book.scores);
    });
}

#[test]
fn scored_steps_become_weights_on_chain_at_the_epoch() {
    Stage::play(async |stage: Stage| {
        let net = Net::start(&stage, Plan { steps: 40, ..Plan::default() });
        net.run().await;
        stage.clock.sleep(Duration::from_secs(12 * 30)).await;
        let calls = net.chain.calls();
        let last = calls.last().expect("an epoch has turned");
        assert_eq!(last.values.iter().max(), Some(&u16::MAX));
        assert!(!last.uids.contains(&Uid(net::DEAD)) && !last.uids.contains(&Uid(0)));
    });
}

#[test]
fn a_chain_that_is_down_costs_no_scores() {
    Stage::play(async |stage: Stage| {
        let net = Net::start(&stage, Plan { steps: 3, ..Plan::default() });
        net.run().await;
        let before = net.standings().await;
        net.chain.fail(Some(ChainError::Unreachable("down".into())));
        let error = net.set_weights().await.unwrap_err();
        assert!(matches!(error, SetError::Chain(ChainError::Unreachable(_))), "{error}");
        assert_eq!(net.standings().await.scores, before.scores);
        net.chain.fail(None);
        // One attempt a block, and a block takes twelve seconds.
        stage.clock.sleep(Duration::from_secs(12)).await;
        assert!(net.set_weights().await.is_ok());
    });
}

#[test]
fn the_graph_has_no_circle_of_asks_and_no_narrow_port() {
    Stage::play(async |stage: Stage| {
        let net = Net::start(&stage, Plan { in_flight: 8, ..Plan::default() });
        net.topology.check(8).expect("the graph is sound");
        assert!(net.topology.check(9).is_err(), "a ninth conversation would find no slot");
    });
}

#[test]
fn tasks_personas_and_challenges_depend_on_the_seed_and_not_on_timing() {
    fn asked(seed: u64, in_flight: usize, rate: ServiceRate) -> BTreeMap<String, [String; 5]> {
        let mut asked = BTreeMap::new();
        Stage::play(async |stage: Stage| {
            let plan = Plan { seed, in_flight, rate, steps: 10, ..Plan::default() };
            Net::start(&stage, plan).run().await;
            for step in net::steps(&stage) {
                let fields = ["task", "query", "challenge", "mood", "profile"];
                asked.insert(step["conversation"].to_string(), fields.map(|f| step[f].to_string()));
            }
        });
        asked
    }
    let slow =
        ServiceRate { per_step: Duration::from_millis(30), per_row: Duration::from_millis(3) };
    let reference = asked(7, 1, Plan::default().rate);
    assert_eq!(reference.len(), 10);
    assert_eq!(asked(7, 6, slow), reference);
    assert_ne!(asked(8, 1, Plan::default().rate), reference);
}

#[test]
fn conversations_overlap_while_miners_think() {
    let minutes = |in_flight| {
        let mut took = Duration::ZERO;
        Stage::play(async |stage: Stage| {
            let thinking = Duration::from_secs(2);
            let rate = ServiceRate { per_row: Duration::from_micros(2), ..Plan::default().rate };
            let plan = Plan { in_flight, steps: 40, thinking, rate, ..Plan::default() };
            let net = Net::start(&stage, plan);
            let began = stage.clock.now();
            net.run().await;
            took = stage.clock.now().since(began);
        });
        took
    };
    let (one, eight) = (minutes(1), minutes(8));
    assert!(one > 5 * eight, "virtual time: one in flight {one:?}, eight {eight:?}");
}

/// Where actors can crash, as a run without faults shows.
fn places() -> BTreeSet<&'static str> {
    let mut places = BTreeSet::new();
    Stage::play(async |stage: Stage| {
        let net = Net::start(&stage, Plan { in_flight: 8, steps: 8, ..Plan::default() });
        net.run().await;
        net.set_weights().await.expect("someone has earned something");
        places.extend(stage.failpoints.reached().into_iter().map(|(place, _)| place));
    });
    places
}

#[test]
fn a_crash_of_any_actor_at_any_place_costs_at_most_one_conversation() {
    let places = places();
    for actor in [
        "task_maker",
        "tool_fetcher",
        "model_worker",
        "persona_agent",
        "dendrite",
        "reward_scorer",
        "weight_setter",
        "chain_watch",
        "axon",
        "assistant",
    ] {
        let known = places.iter().any(|place| place.starts_with(actor));
        assert!(known, "{actor} is not reached: {places:?}");
    }
    for place in places {
        for nth in [0, 2] {
            println!("crash at {place}, hit {nth}");
            Stage::play(async |stage: Stage| {
                stage.failpoints.arm(place, nth);
                let net = Net::start(&stage, Plan { in_flight: 8, steps: 8, ..Plan::default() });
                let outcome = net.run().await;
                let set = net.set_weights().await;
                let what = format!("{place}, hit {nth}: {:?}", outcome.tally);
                assert_eq!(outcome.tally.steps, 8, "{what}");
                assert!(outcome.tally.failed <= 1, "{what}");
                assert_eq!(net.validator.credits.out(), 0, "{what}: a credit is out");
                stage.clock.sleep(Duration::from_secs(120)).await;
                let slots = net.topology.in_use();
                assert!(slots.is_empty(), "{what}: slots are out: {slots:?}");
                assert!(set.is_ok() || place.starts_with("weight_setter"), "{what}: {set:?}");
                let fault = stage.overseer.kill().fault();
                assert_eq!(fault, None, "{what}");
                assert_eq!(
                    net::steps(&stage).len() as u64,
                    net.standings().await.steps + u64::from(place == "weight_setter:step"),
                    "{what}: a score was lost"
                );
            });
        }
    }
}

#[test]
fn a_conversation_never_vanishes_silently() {
    Stage::play(async |stage: Stage| {
        stage.failpoints.arm("dendrite:challenge", 1);
        let net = Net::start(&stage, Plan { in_flight: 3, steps: 3, ..Plan::default() });
        net.run().await;
        let mut begun = BTreeSet::new();
        let mut ended = BTreeMap::new();
        for event in stage.journal.events() {
            match event {
                Event::TaskMade { conversation, .. } => {
                    begun.insert(conversation);
                }
                Event::ConversationEnded { conversation, stopped, .. } => {
                    assert!(ended.insert(conversation, stopped).is_none(), "it ends once");
                }
                _ => {}
            }
        }
        assert_eq!(begun, ended.keys().copied().collect());
        let dropped = ended.values().filter(|stopped| **stopped == Stopped::Dropped).count();
        assert_eq!((begun.len(), dropped), (4, 1));
    });
}
