//! The validator's own queries in the shapes of users'.

use std::collections::BTreeMap;

use serde_json::Value;
use sn1_actors::assistant::Kind;
use sn1_actors::domain::{ChatMessage, Query, Role};
use sn1_actors::organic::{Choose, ask_miners};
use sn1_actors::ports::Event;
use sn1_actors::testkit::Stage;

use crate::net::{self, DEAD, MINERS, Net, Organics, Plan, TIMEOUT};

const SECRET: &str = "my neighbour's cat ate the blue heron";
/// As many as leave no guess.
const USERS: usize = 64;

/// What miners say does not depend on what they are asked.
fn phrases() -> [Kind; DEAD as usize - 1] {
    let phrase = |text: &str| Kind::Phrase(text.into());
    [
        phrase("Tea grows on hills, and it wants a lot of rain."),
        phrase("I do not know."),
        phrase("The answer is 12."),
        phrase("Most people think that rivers are long."),
        phrase("It was in May 1905."),
    ]
}

fn plan() -> Plan {
    let organics =
        Organics { in_flight: 8, rounds: 64, scored: 4, choose: Choose::First, log_texts: false };
    Plan { organic: Some(organics), miners: phrases, steps: 12, ..Plan::default() }
}

/// A chat that a user could have.
fn chat() -> Query {
    let text = |characters: usize| SECRET.repeat(40).chars().take(characters).collect();
    Query {
        roles: vec![Role::System, Role::User, Role::Assistant, Role::User],
        messages: vec![text(120), text(80), text(400), text(900)],
    }
}

/// A chat of so many exchanges that ends with fewer words than any challenge has.
fn short(exchanges: usize) -> Query {
    let exchange = [(Role::User, "and the cat?"), (Role::Assistant, "It is well.")];
    let said = [vec![(Role::System, SECRET)], exchange.repeat(exchanges), vec![(Role::User, "ok")]];
    let (roles, messages) =
        said.concat().into_iter().map(|(role, text)| (role, text.into())).unzip();
    Query { roles, messages }
}

/// Has users ask, and then the validator; gives what miners saw of the validator's own queries.
async fn own(stage: &Stage, net: &Net, chat: fn(usize) -> Query) -> Vec<Query> {
    net.awake().await;
    for n in 0..USERS {
        // A query that a crash interrupted may be asked again.
        let _answer = ask_miners(net.door(), chat(n), TIMEOUT).await;
        stage.clock.sleep(TIMEOUT).await;
    }
    let users = net.asked().len();
    assert!(users >= (USERS - 1) * usize::from(MINERS));
    net.run().await;
    net.asked().split_off(users).into_iter().map(|(_, query)| query).collect()
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn is_near(found: usize, wanted: usize) -> bool {
    // A drawn length is a tenth off at most, and sentences do not fill it to the letter.
    found.abs_diff(wanted) * 6 <= wanted
}

fn is_shaped(query: &Query) -> bool {
    let (first, last) = (&query.messages[0], &query.messages[query.messages.len() - 1]);
    query.roles[0] == Role::System && is_near(length(first), 120) && is_near(length(last), 900)
}

#[test]
fn the_validator_s_queries_take_the_shapes_of_users() {
    Stage::play(async |stage: Stage| {
        let kinds = &[("qa", 0.5), ("summarization", 0.5)];
        let net = Net::start(&stage, Plan { kinds, ..plan() });
        let own = own(&stage, &net, |_| chat()).await;
        assert_eq!(own.len(), 12 * usize::from(MINERS));
        for query in &own {
            let lengths: Vec<usize> = query.messages.iter().map(|text| length(text)).collect();
            assert!(is_shaped(query), "{lengths:?}");
        }
        // The first ones find no conversation that is over, whose texts they could show.
        let whole = |query: &&Query| query.roles == chat().roles;
        let whole: Vec<&Query> = own.iter().filter(whole).collect();
        assert!(whole.len() >= usize::from(MINERS), "{} of {}", whole.len(), own.len());
    });
}

#[test]
fn the_journal_has_what_miners_were_sent_and_what_the_person_said() {
    Stage::play(async |stage: Stage| {
        let net = Net::start(&stage, plan());
        let own = own(&stage, &net, |_| chat()).await;
        let mut steps = net::steps(&stage);
        steps.retain(|step| !step.contains_key("organic"));
        assert_eq!(steps.len(), 12);
        for step in &steps {
            let sent: Vec<ChatMessage> = serde_json::from_value(step["sent"].clone()).unwrap();
            let seen = own.iter().filter(|query| Query::clone(query).into_messages() == sent);
            assert_eq!(seen.count(), usize::from(MINERS));
            let challenge = step["challenge"].as_str().unwrap();
            assert!(sent.last().unwrap().content.contains(challenge), "{step:?}");
            assert!(length(challenge) < 600 && !step.contains_key("history"), "{step:?}");
        }
    });
}

#[test]
fn what_a_query_is_dressed_with_earns_and_costs_nothing() {
    fn earned(organic: Option<Organics>) -> BTreeMap<String, [Value; 5]> {
        let mut earned = BTreeMap::new();
        Stage::play(async |stage: Stage| {
            let net = Net::start(&stage, Plan { organic, ..plan() });
            net.run().await;
            assert!(net.asked().iter().all(|(_, query)| !query.messages.is_empty()));
            for step in net::steps(&stage) {
                assert_eq!(step.contains_key("sent"), organic.is_some());
                let at = format!("{} {}", step["conversation"], step["turn"]);
                let fields = ["query", "reference", "uids", "challenge", "rewards"];
                earned.insert(at, fields.map(|field| step[field].clone()));
            }
        });
        earned
    }
    let plain = earned(None);
    assert_eq!(plain.len(), 12);
    let dressed = earned(plan().organic);
    let mut same = 0;
    for (at, plain) in &plain {
        assert_eq!(dressed[at][..3], plain[..3]);
        // Where there is no room, the person says it in few words; what was said costs a little.
        if dressed[at][3] == plain[3] {
            assert_eq!(dressed[at], *plain);
            same += 1;
        }
    }
    assert!(same >= 8, "{same}");
}

#[test]
fn where_there_are_no_users_miners_are_sent_what_the_person_says() {
    Stage::play(async |stage: Stage| {
        let net = Net::start(&stage, Plan { organic: None, ..plan() });
        net.run().await;
        let asked: Vec<Query> = net.asked().into_iter().map(|(_, query)| query).collect();
        for step in net::steps(&stage) {
            let plain = Query::from_user(step["challenge"].as_str().unwrap());
            assert!(asked.iter().filter(|query| **query == plain).count() >= usize::from(MINERS));
        }
    });
}

#[test]
fn a_later_turn_adds_to_what_miners_were_sent_before() {
    Stage::play(async |stage: Stage| {
        let net = Net::start(&stage, Plan { max_turns: 3, steps: 40, ..plan() });
        own(&stage, &net, |n| if n % 2 == 0 { chat() } else { short(1 + n / 2 % 3) }).await;
        let mut sent = BTreeMap::<_, Vec<ChatMessage>>::new();
        let mut later = 0;
        for step in net::steps(&stage) {
            if step.contains_key("organic") {
                continue;
            }
            let this: Vec<ChatMessage> = serde_json::from_value(step["sent"].clone()).unwrap();
            let best = step["best"].as_str().unwrap();
            if let Some(before) = sent.get(&step["conversation"].to_string()) {
                assert_eq!(this[..this.len() - 1], before[..], "{step:?}");
                let said = step["history"].as_array().unwrap().len() as u64;
                assert_eq!(said, 2 * step["turn"].as_u64().unwrap(), "only what was really said");
                later += 1;
            }
            let answer = ChatMessage { role: Role::Assistant, content: best.to_owned() };
            sent.insert(step["conversation"].to_string(), [this, vec![answer]].concat());
        }
        assert!(later >= 3, "{later}");
    });
}

#[test]
fn nobody_is_asked_on_where_users_do_not_ask_on() {
    Stage::play(async |stage: Stage| {
        let net = Net::start(&stage, Plan { max_turns: 3, ..plan() });
        own(&stage, &net, |_| Query::from_user("ok")).await;
        let own = net::steps(&stage).into_iter().filter(|step| !step.contains_key("organic"));
        let turns: Vec<u64> = own.map(|step| step["turn"].as_u64().unwrap()).collect();
        assert_eq!(turns, [0; 12]);
    });
}

#[test]
fn no_crash_loses_the_shapes() {
    for (place, nth) in
        [("persona_agent:task_ready", 0), ("persona_agent:turn_scored", 0), ("organic:after", 60)]
    {
        println!("crash at {place}");
        Stage::play(async |stage: Stage| {
            stage.failpoints.arm(place, nth);
            let net = Net::start(&stage, Plan { in_flight: 1, ..plan() });
            let own = own(&stage, &net, |_| chat()).await;
            let shaped = own.iter().filter(|query| query.roles[0] == Role::System).count();
            // A quarter of the guesses have a system message; all of these users have one.
            assert_eq!(shaped, own.len());
            let crashed = |event: &Event| matches!(event, Event::ActorCrashed { .. });
            assert!(stage.journal.events().iter().any(crashed));
        });
    }
}

#[test]
fn nothing_that_a_user_said_is_in_the_validator_s_own_queries() {
    for log_texts in [false, true] {
        Stage::play(async |stage: Stage| {
            let organic = plan().organic.map(|organics| Organics { log_texts, ..organics });
            let net = Net::start(&stage, Plan { organic, steps: 24, in_flight: 2, ..plan() });
            let own = own(&stage, &net, |_| chat()).await;
            let shows = own.iter().filter(|query| query.roles.contains(&Role::Assistant)).count();
            assert!(shows > own.len() / 2, "other conversations are shown: {shows}");
            for query in &own {
                let said = query.messages.concat();
                assert!(!said.contains("neighbour's cat") && !said.contains("heron"), "{said}");
            }
        });
    }
}
