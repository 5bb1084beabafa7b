//! API users' queries beside the validator's own.

use std::collections::BTreeSet;
use std::time::Duration;

use sn1_actors::assistant::Kind;
use sn1_actors::domain::{Query, Role, Score, Uid};
use sn1_actors::organic::{
    AskMiners, Choose, FIRST_ID, OrganicAnswer, OrganicError, SLACK, ask_miners,
};
use sn1_actors::ports::{ChainError, Event, OrganicOutcome, Stopped};
use sn1_actors::runtime::AskError;
use sn1_actors::testkit::{Stage, hotkey};

use crate::net::{self, DEAD, MINERS, Net, Organics, Plan, TIMEOUT};

const SECRET: &str = "my neighbour's cat ate the blue heron";

fn organics() -> Organics {
    Organics { in_flight: 8, rounds: 64, scored: 4, choose: Choose::First, log_texts: false }
}

fn plan(organics: Organics) -> Plan {
    Plan { organic: Some(organics), ..Plan::default() }
}

/// Nobody copies and nobody repeats the question.
fn honest() -> [Kind; DEAD as usize - 1] {
    let phrase = |text: &str| Kind::Phrase(text.into());
    [Kind::Model, phrase("Tea grows on hills."), phrase("I do not know."), Kind::Model, Kind::Model]
}

async fn ask(net: &Net, query: Query) -> Result<OrganicAnswer, OrganicError> {
    ask_miners(net.door(), query, TIMEOUT).await
}

fn question() -> Query {
    Query::from_user(format!("What does {SECRET} mean?"))
}

/// A validator and its miners that know of each other.
async fn awake(stage: &Stage, plan: Plan) -> Net {
    let net = Net::start(stage, plan);
    net.awake().await;
    net
}

/// Begins to ask and does not wait.
fn asks(stage: &Stage, net: &Net, query: Query) {
    let door = net.door().clone();
    stage.overseer.tasks().spawn("user", async move {
        let _answer = ask_miners(&door, query, TIMEOUT).await;
    });
}

fn outcomes(stage: &Stage) -> Vec<OrganicOutcome> {
    let outcome = |event| match event {
        Event::OrganicAnswered { outcome, .. } => Some(outcome),
        _ => None,
    };
    stage.journal.events().into_iter().filter_map(outcome).collect()
}

/// How users' conversations ended; each ends once.
fn ends(stage: &Stage) -> Vec<Stopped> {
    let (mut seen, mut ends) = (BTreeSet::new(), Vec::new());
    for event in stage.journal.events() {
        if let Event::ConversationEnded { conversation, stopped, .. } = event
            && conversation.0 >= FIRST_ID
        {
            assert!(seen.insert(conversation), "{conversation} ends twice");
            ends.push(stopped);
        }
    }
    ends
}

/// Lets everything under way come to its end, and checks that nothing of it is left.
async fn settle(stage: &Stage, net: &Net, before: usize) {
    stage.clock.sleep(Duration::from_secs(120)).await;
    assert_eq!(stage.overseer.credits_out(), 0, "a credit is out");
    assert_eq!(net.topology.in_use(), [].into(), "slots are out");
    assert_eq!(stage.overseer.tasks().running(), before, "tasks are left");
}

#[test]
fn a_user_gets_the_first_good_answer_while_others_are_silent() {
    Stage::play(async |stage: Stage| {
        let net = awake(&stage, Plan { miners: honest, ..plan(organics()) }).await;
        net.mute(&[1, 2, 4, 5]);
        let before = stage.overseer.tasks().running();
        let began = stage.clock.now();
        let answer = ask(&net, question()).await.expect("one answers");
        assert_eq!((answer.uid, &*answer.text), (Uid(3), "I do not know."));
        assert_eq!(answer.hotkey, hotkey(3));
        assert!(stage.clock.now().since(began) < Duration::from_secs(1), "it waits for nobody");
        settle(&stage, &net, before).await;
        assert_eq!(outcomes(&stage), [OrganicOutcome::Answered]);
        assert_eq!(ends(&stage), [Stopped::Completed]);
    });
}

#[test]
fn the_best_answer_is_one_that_no_other_earned_more_than() {
    Stage::play(async |stage: Stage| {
        let organics = Organics { choose: Choose::Best, ..organics() };
        let net = awake(&stage, Plan { miners: honest, ..plan(organics) }).await;
        let answer = ask(&net, question()).await.expect("most of them answer");
        let step = net::steps(&stage).pop().expect("it was scored first");
        let reward = |at: usize| step["rewards"][at].as_f64().unwrap();
        let uids = step["uids"].as_array().unwrap();
        let at = uids.iter().position(|uid| *uid == answer.uid.0).unwrap();
        assert!((0..uids.len()).all(|other| reward(other) <= reward(at)), "{step:?}");
        assert!(reward(at) > 0.0);
    });
}

#[test]
fn where_the_best_is_not_known_the_first_good_answer_has_to_do() {
    for (scored, place) in [(0, None), (4, Some("reward_scorer:task"))] {
        Stage::play(async |stage: Stage| {
            if let Some(place) = place {
                stage.failpoints.arm(place, 0);
            }
            let organics = Organics { choose: Choose::Best, scored, ..organics() };
            let net = awake(&stage, Plan { miners: honest, ..plan(organics) }).await;
            net.mute(&[1, 4, 5]);
            let before = stage.overseer.tasks().running();
            let answer = ask(&net, question()).await.expect("two answer");
            assert!([Uid(2), Uid(3)].contains(&answer.uid), "{answer:?}");
            settle(&stage, &net, before).await;
        });
    }
}

#[test]
fn a_user_whom_nobody_answers_hears_why() {
    Stage::play(async |stage: Stage| {
        let net = awake(&stage, plan(organics())).await;
        net.silence();
        let before = stage.overseer.tasks().running();
        let began = stage.clock.now();
        let error = ask(&net, question()).await.unwrap_err();
        assert!(stage.clock.now().since(began) < Duration::from_secs(1), "it waits for nothing");
        let cause = "503 nobody there".to_owned();
        assert_eq!(error, OrganicError::AllFailed { asked: usize::from(MINERS), cause });
        settle(&stage, &net, before).await;
        let step = net::steps(&stage).pop().expect("silence is scored");
        assert_eq!((&step["task"], &step["turn"]), (&"generic_instruction".into(), &0.into()));
        let knows = |event: &Event| match event {
            Event::ScoringBegan { rules, .. } => {
                rules.tasks.keys().any(|kind| kind.name() == "generic_instruction")
            }
            _ => false,
        };
        assert!(
            stage.journal.events().iter().any(knows),
            "a replay needs the rules of users' steps"
        );
        assert_eq!(step["rewards"], serde_json::json!([0.0, 0.0, 0.0, 0.0, 0.0, 0.0]));
        assert_eq!(outcomes(&stage), [OrganicOutcome::AllFailed]);
    });
}

#[test]
fn where_there_is_nobody_to_ask_a_user_hears_so() {
    Stage::play(async |stage: Stage| {
        let net = Net::start(&stage, plan(organics()));
        net.chain.fail(Some(ChainError::Unreachable("down".into())));
        let error = ask(&net, question()).await.unwrap_err();
        assert_eq!(error, OrganicError::NoMiners);
        assert_eq!(ends(&stage), [Stopped::NoMiners]);
    });
}

#[test]
fn a_query_too_many_is_refused_at_once_and_the_next_is_taken_when_there_is_a_place() {
    Stage::play(async |stage: Stage| {
        let thinking = Duration::from_secs(5);
        let organics = Organics { in_flight: 2, ..organics() };
        let net = awake(&stage, Plan { miners: honest, thinking, ..plan(organics) }).await;
        asks(&stage, &net, question());
        asks(&stage, &net, question());
        stage.clock.sleep(Duration::from_secs(1)).await;
        let began = stage.clock.now();
        assert_eq!(ask(&net, question()).await, Err(OrganicError::Overloaded));
        assert_eq!(stage.clock.now(), began);
        assert!(stage.journal.events().contains(&Event::OrganicShed));
        stage.clock.sleep(TIMEOUT).await;
        assert!(ask(&net, question()).await.is_ok());
    });
}

#[test]
fn a_miner_that_hangs_holds_up_no_user_and_cannot_tell_that_nobody_waits_for_it() {
    Stage::play(async |stage: Stage| {
        let organics = Organics { in_flight: 2, ..organics() };
        let net = awake(&stage, Plan { miners: honest, ..plan(organics) }).await;
        net.mute(&[1]);
        let before = stage.overseer.tasks().running();
        let began = stage.clock.now();
        for n in 0..20 {
            let answer = ask(&net, question()).await;
            assert!(answer.is_ok(), "query {n}: {answer:?}");
        }
        assert!(stage.clock.now().since(began) < TIMEOUT, "the pace is that of the others");
        settle(&stage, &net, before).await;
        assert_eq!(net.waited_out(), 20, "a request ended before its time was up");
        assert_eq!(outcomes(&stage), [OrganicOutcome::Answered; 20]);
        assert_eq!(ends(&stage), vec![Stopped::Completed; 20]);
    });
}

#[test]
fn rounds_that_nobody_waits_for_are_bounded_too() {
    Stage::play(async |stage: Stage| {
        let organics = Organics { in_flight: 2, rounds: 3, ..organics() };
        let net = awake(&stage, Plan { miners: honest, ..plan(organics) }).await;
        net.mute(&[1]);
        let before = stage.overseer.tasks().running();
        for _ in 0..2 {
            for _ in 0..3 {
                assert!(ask(&net, question()).await.is_ok());
            }
            let began = stage.clock.now();
            assert_eq!(ask(&net, question()).await, Err(OrganicError::Overloaded));
            assert_eq!(stage.clock.now(), began);
            stage.clock.sleep(Duration::from_secs(120)).await;
        }
        settle(&stage, &net, before).await;
    });
}

#[test]
fn what_a_user_asked_is_scored_after_the_user_has_gone_and_moves_averages() {
    Stage::play(async |stage: Stage| {
        let thinking = Duration::from_secs(2);
        let net = awake(&stage, Plan { miners: honest, thinking, ..plan(organics()) }).await;
        let before = stage.overseer.tasks().running();
        let port = net.door();
        let gone = port.within(Duration::from_secs(1));
        assert!(port.ask(AskMiners { query: question() }, gone).await.is_err());
        settle(&stage, &net, before).await;
        assert_eq!(outcomes(&stage), [OrganicOutcome::Gone]);
        assert_eq!((net::steps(&stage).len(), ends(&stage)), (1, vec![Stopped::Completed]));
        let book = net.standings().await;
        assert_eq!((book.steps, book.scores.len()), (1, usize::from(MINERS)));
        assert!(book.scores.values().any(|score| *score > Score::ZERO), "{:?}", book.scores);
        assert_eq!(book.scores[&hotkey(DEAD)], Score::ZERO);
        let (own, users) = (net.validator.log.tally(), net.validator.organic_log.tally());
        assert_eq!((own.borrow().begun, own.borrow().steps), (0, 0));
        assert_eq!((users.borrow().begun, users.borrow().steps), (1, 1));
    });
}

#[test]
fn no_more_are_scored_at_a_time_than_may_be() {
    Stage::play(async |stage: Stage| {
        let organics = Organics { scored: 2, ..organics() };
        let net = awake(&stage, Plan { miners: honest, ..plan(organics) }).await;
        for _ in 0..6 {
            asks(&stage, &net, question());
        }
        stage.clock.sleep(Duration::from_secs(120)).await;
        assert_eq!((net::steps(&stage).len(), ends(&stage).len()), (2, 6));
        assert!(ends(&stage).iter().all(|stopped| *stopped == Stopped::Completed));
    });
}

#[test]
fn users_have_no_more_steps_than_the_validator_s_own_and_the_places() {
    Stage::play(async |stage: Stage| {
        let organics = Organics { scored: 2, ..organics() };
        let net = awake(&stage, Plan { miners: honest, steps: 3, ..plan(organics) }).await;
        let users = async || {
            for _ in 0..9 {
                assert!(ask(&net, question()).await.is_ok());
                stage.clock.sleep(Duration::from_secs(120)).await;
            }
            net.validator.organic_log.tally().borrow().steps
        };
        assert_eq!(users().await, 2);
        net.run().await;
        assert_eq!(users().await, 3 + 2, "its own steps make room");
        assert_eq!(ends(&stage), vec![Stopped::Completed; 18]);
    });
}

#[test]
fn the_validator_s_own_steps_are_the_same_beside_users() {
    fn own(users: usize) -> BTreeSet<[String; 4]> {
        let mut own = BTreeSet::new();
        Stage::play(async |stage: Stage| {
            let net = awake(&stage, Plan { miners: honest, steps: 8, ..plan(organics()) }).await;
            for _ in 0..users {
                asks(&stage, &net, question());
            }
            let tally = net.run().await.tally;
            assert_eq!((tally.steps, tally.failed), (8, 0));
            for step in net::steps(&stage) {
                if step.get("organic").is_none() {
                    let fields = ["conversation", "task", "challenge", "reference"];
                    own.insert(fields.map(|field| step[field].to_string()));
                }
            }
        });
        own
    }
    let alone = own(0);
    assert_eq!((alone.len(), own(4)), (8, alone));
}

#[test]
fn a_crash_of_organic_loses_no_credit_and_no_later_query() {
    for place in ["organic:ask", "organic:task", "organic:after"] {
        for choose in [Choose::First, Choose::Best] {
            println!("crash at {place}, {choose:?}");
            Stage::play(async |stage: Stage| {
                stage.failpoints.arm(place, 1);
                let organics = Organics { choose, ..organics() };
                let net = awake(&stage, Plan { miners: honest, ..plan(organics) }).await;
                let before = stage.overseer.tasks().running();
                for _ in 0..3 {
                    // The one that it crashes on is asked again.
                    assert!(ask(&net, question()).await.is_ok());
                }
                settle(&stage, &net, before).await;
                assert_eq!(stage.overseer.kill().fault(), None);
                let reached = stage.failpoints.reached();
                assert!(reached.iter().any(|(reached, hits)| *reached == place && *hits > 1));
            });
        }
    }
}

#[test]
fn a_crash_on_a_user_s_way_costs_no_more_than_that_query() {
    for place in
        ["dendrite:challenge", "dendrite:task", "reward_scorer:round", "reward_scorer:task"]
    {
        println!("crash at {place}");
        Stage::play(async |stage: Stage| {
            stage.failpoints.arm(place, 0);
            let net = awake(&stage, Plan { miners: honest, ..plan(organics()) }).await;
            let before = stage.overseer.tasks().running();
            let first = ask(&net, question()).await;
            if place.starts_with("dendrite") {
                assert_eq!(first, Err(OrganicError::Interrupted(AskError::Interrupted)));
                assert_eq!(outcomes(&stage), [OrganicOutcome::Interrupted]);
            } else {
                assert!(first.is_ok(), "{first:?}");
            }
            settle(&stage, &net, before).await;
            assert_eq!(ends(&stage), [Stopped::Dropped]);
            assert!(ask(&net, question()).await.is_ok());
        });
    }
}

#[test]
fn miners_are_asked_the_same_way_whoever_asks() {
    Stage::play(async |stage: Stage| {
        let net = awake(&stage, Plan { sample_size: 2, steps: 3, ..plan(organics()) }).await;
        for _ in 0..3 {
            assert!(ask(&net, question()).await.is_ok());
            stage.clock.sleep(TIMEOUT).await;
        }
        let users = net.requests();
        net.run().await;
        let own = net.requests().split_off(users.len());
        assert_eq!((users.len(), own.len()), (6, 6), "two of six, three times");
        for request in users.iter().chain(&own) {
            assert_eq!(request.timeout, TIMEOUT);
            assert_eq!(request.query.roles.last(), Some(&Role::User));
            let number = request.target.uid.0;
            assert_eq!(request.target.hotkey, hotkey(number));
            assert_eq!(request.target.address.port(), 8_000 + number);
        }
        assert!(users.iter().all(|request| request.query == question()), "as it was asked");
        let uids = |requests: &[net::Request]| {
            requests.iter().map(|request| request.target.uid).collect::<BTreeSet<_>>()
        };
        let everyone: BTreeSet<Uid> = (1..=MINERS).map(Uid).collect();
        assert_eq!((uids(&users), uids(&own)), (everyone.clone(), everyone), "all have a turn");
    });
}

#[test]
fn users_and_validator_take_turns_in_one_rotation() {
    Stage::play(async |stage: Stage| {
        let net = awake(&stage, Plan { sample_size: 3, steps: 1, ..plan(organics()) }).await;
        assert!(ask(&net, question()).await.is_ok());
        net.run().await;
        let asked: BTreeSet<Uid> = net.asked().into_iter().map(|(uid, _)| uid).collect();
        assert_eq!(asked.len(), 6, "whoever a user asked has had a turn");
    });
}

#[test]
fn users_texts_reach_the_journal_only_with_leave() {
    for log_texts in [false, true] {
        Stage::play(async |stage: Stage| {
            let miners = || {
                let phrase = |n: u8| Kind::Phrase(format!("about {SECRET}: {n}"));
                [1, 2, 3, 4, 5].map(phrase)
            };
            let organics = Organics { log_texts, ..organics() };
            let writer = |_: &[_]| format!("The reference says {SECRET}.");
            let plan = Plan { miners, writer: Some(writer), ..plan(organics) };
            let net = awake(&stage, plan).await;
            let mut query = question();
            query.roles.splice(0..0, [Role::User, Role::Assistant]);
            query.messages.splice(0..0, [SECRET, SECRET].map(str::to_owned));
            assert!(ask(&net, query).await.is_ok());
            stage.clock.sleep(Duration::from_secs(60)).await;
            let events = stage.journal.events();
            // What the miners of this process write down is theirs.
            let ours = events.iter().filter(|event| !matches!(event, Event::Served { .. }));
            let lines: Vec<String> =
                ours.map(|event| serde_json::to_string(event).unwrap()).collect();
            assert_eq!(lines.iter().any(|line| line.contains(SECRET)), log_texts, "{lines:#?}");
            let of = |name: &str| {
                lines.iter().find(|line| line.contains(&format!("\"event\":\"{name}\""))).unwrap()
            };
            assert!(of("challenged").contains("\"organic\":true"));
            let step = &net::steps(&stage)[0];
            assert_eq!(step["organic"], true);
            assert_eq!(step["completions"].as_array().unwrap().len(), usize::from(MINERS));
            let fields = ["history", "texts_withheld"].map(|key| step.contains_key(key));
            assert_eq!(fields, [log_texts, !log_texts]);
            assert_eq!(step["reference"].as_str().unwrap().contains(SECRET), log_texts);
        });
    }
}

#[test]
fn what_a_model_s_server_quotes_of_a_user_reaches_the_journal_only_with_leave() {
    for log_texts in [false, true] {
        Stage::play(async |stage: Stage| {
            let organics = Organics { log_texts, ..organics() };
            let net = awake(&stage, Plan { miners: honest, quoting: true, ..plan(organics) }).await;
            assert!(ask(&net, question()).await.is_ok());
            stage.clock.sleep(Duration::from_secs(60)).await;
            let ends = ends(&stage);
            let [Stopped::NoText(cause)] = &*ends else { panic!("{ends:?}") };
            assert_eq!(cause.contains(SECRET), log_texts, "{cause}");
        });
    }
}

#[test]
fn a_validator_that_ends_takes_no_more_users_and_answers_those_it_has() {
    Stage::play(async |stage: Stage| {
        let thinking = Duration::from_secs(5);
        let net = awake(&stage, Plan { miners: honest, thinking, ..plan(organics()) }).await;
        asks(&stage, &net, question());
        stage.clock.sleep(Duration::from_secs(1)).await;
        net.validator.organic_log.want(Some(0));
        let late = ask(&net, question()).await;
        assert_eq!(late, Err(OrganicError::Interrupted(AskError::Gone)));
        stage.clock.sleep(TIMEOUT + SLACK).await;
        assert_eq!((outcomes(&stage), ends(&stage).len()), (vec![OrganicOutcome::Answered], 1));
    });
}

#[test]
fn a_thousand_users_who_leave_midway_leave_nothing_behind() {
    Stage::play(async |stage: Stage| {
        let organics = Organics { in_flight: 64, ..organics() };
        let net = awake(&stage, Plan { thinking: Duration::from_secs(1), ..plan(organics) }).await;
        let before = stage.overseer.tasks().running();
        for n in 0..1_000_u64 {
            let door = net.door().clone();
            stage.overseer.tasks().spawn("user", async move {
                let patience = door.within(Duration::from_millis(7 * (n % 140)));
                let _gone = door.ask(AskMiners { query: question() }, patience).await;
            });
            stage.clock.sleep(Duration::from_millis(20)).await;
        }
        stage.clock.sleep(TIMEOUT + SLACK).await;
        settle(&stage, &net, before).await;
        let begun = net.validator.organic_log.tally().borrow().begun;
        assert!(begun > 100, "{begun}");
        assert_eq!(ends(&stage).len() as u64, begun);
        assert!(ask(&net, question()).await.is_ok());
    });
}

#[test]
fn the_graph_with_users_has_no_circle_of_asks_and_no_narrow_port() {
    Stage::play(async |stage: Stage| {
        let net = awake(&stage, Plan { in_flight: 3, ..plan(organics()) }).await;
        // The validator's own conversations, and the users' rounds.
        net.topology.check(3 + 64).expect("the graph is sound");
        assert!(net.topology.check(3 + 64 + 1).is_err());
    });
}
