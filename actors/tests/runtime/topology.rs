//! The graph of who sends what to whom.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::poll;
use sn1_actors::ports::{Clock, TokioClock};
use sn1_actors::runtime::{AskError, Inbox, Port, Topology, TopologyError, Verb};

use super::stage::{Keep, POLICY, Probe, Say, staged};

/// A mailbox that is only there for its ports.
fn inbox(name: &str) -> Inbox<Probe> {
    let clock: Arc<dyn Clock> = Arc::new(TokioClock::starting_now(|| Duration::ZERO));
    Inbox::open(name, clock)
}

fn say(name: &str, capacity: usize) -> Port<Say> {
    inbox(name).port(capacity)
}

#[test]
fn finds_a_circle_of_asks() {
    let mut graph = Topology::default();
    graph.ask("maker", &say("agent", 1));
    graph.ask("agent", &say("model", 1));
    assert_eq!(graph.check(1), Ok(()));
    graph.ask("model", &say("maker", 1));
    assert!(matches!(graph.check(1), Err(TopologyError::AskCycle(_))));

    let mut graph = Topology::default();
    graph.ask("model", &say("model", 1));
    assert_eq!(graph.check(1), Err(TopologyError::AskCycle("model.Say".to_owned())));
}

#[test]
fn finds_a_narrow_port_on_a_circle_of_pushes() {
    let mut graph = Topology::default();
    graph.push("maker", &say("agent", 8));
    graph.push("agent", &say("scorer", 7));
    assert_eq!(graph.check(100), Ok(()), "no circle yet: whoever is full makes the others wait");
    graph.push("scorer", &say("maker", 8));
    assert_eq!(graph.check(7), Ok(()));
    let narrow =
        TopologyError::NarrowPort { port: "scorer.Say".to_owned(), capacity: 7, needed: 8 };
    assert_eq!(graph.check(8), Err(narrow));
}

#[test]
fn finds_a_narrow_port_on_a_circle_closed_by_an_ask() {
    let mut graph = Topology::default();
    graph.push("maker", &say("agent", 3));
    graph.ask("agent", &say("maker", 1));
    assert_eq!(graph.check(3), Ok(()), "an ask has a deadline, and needs no slot for everyone");
    let narrow = TopologyError::NarrowPort { port: "agent.Say".to_owned(), capacity: 3, needed: 4 };
    assert_eq!(graph.check(4), Err(narrow));
}

#[test]
fn accepts_a_sound_graph() {
    let mut graph = Topology::default();
    for from in ["maker", "agent"] {
        graph.ask(from, &say("model", 1));
        graph.ask(from, &say("fetcher", 1));
    }
    graph.push("maker", &say("agent", 4));
    graph.push("agent", &say("scorer", 4));
    graph.push("scorer", &say("agent", 4));
    graph.push("scorer", &say("setter", 1));
    assert_eq!(graph.check(4), Ok(()));
    assert_eq!(graph.edges().count(), 8);
    let asks = graph.edges().filter(|edge| edge.verb == Verb::Ask).count();
    assert_eq!(asks, 4);
}

#[test]
fn draws_every_edge() {
    let mut graph = Topology::default();
    graph.push("maker", &say("agent", 4));
    graph.ask("agent", &inbox("model").port::<Keep>(2));
    let dot = graph.dot();
    assert!(dot.starts_with("digraph") && dot.ends_with("}\n"), "{dot}");
    assert!(dot.contains(r#""maker" -> "agent" [label="Say (4)", style=solid];"#), "{dot}");
    assert!(dot.contains(r#""agent" -> "model" [label="Keep (2)", style=dashed];"#), "{dot}");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn reports_how_full_its_ports_are_and_were() {
    staged(async |stage| {
        let mut graph = Topology::default();
        let keep = graph.push("test", &stage.port::<Keep>(4));
        let say = graph.ask("test", &stage.port::<Say>(4));
        let watch = stage.supervise(POLICY);
        for n in 1..=3 {
            keep.push(Keep(n)).await;
        }
        assert!(say.ask(Say("hello"), say.within(Duration::from_secs(1))).await.is_ok());
        watch.shared.shelf.borrow_mut().truncate(1);
        let ports = |entries: &[(&str, usize)]| -> BTreeMap<String, usize> {
            entries.iter().map(|(name, slots)| ((*name).to_owned(), *slots)).collect()
        };
        assert_eq!(graph.in_use(), ports(&[("probe.Keep", 1)]));
        assert_eq!(graph.peaks(), ports(&[("probe.Keep", 3), ("probe.Say", 1)]));
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn tells_how_long_senders_waited_for_a_full_port_and_messages_were_held() {
    staged(async |stage| {
        let mut graph = Topology::default();
        let keep = graph.push("maker", &stage.port::<Keep>(1));
        graph.push("another", &keep);
        let say = graph.ask("asker", &stage.port::<Say>(2));
        let watch = stage.supervise(POLICY);
        keep.push(Keep(1)).await;
        let mut second = pin!(keep.push(Keep(2)));
        assert!(poll!(second.as_mut()).is_pending());
        assert!(keep.offer(Keep(3)).is_err(), "what is refused has not waited");
        let patience = Duration::from_secs(2);
        let gave_up = keep.ask(Keep(4), keep.within(patience)).await;
        assert_eq!(gave_up, Err(AskError::Deadline));
        watch.pass(Duration::from_secs(3)).await;
        watch.shared.shelf.borrow_mut().clear();
        second.await;
        assert!(say.ask(Say("hello"), say.within(patience)).await.is_ok());

        let ports = graph.ports();
        let [kept, said] = ports.as_slice() else { panic!("{ports:?}") };
        let senders = ["another".to_owned(), "maker".to_owned()];
        assert_eq!((kept.port.as_str(), kept.to.as_str()), ("probe.Keep", "probe"));
        assert_eq!((kept.from.as_slice(), kept.verb, kept.capacity), (&senders[..], Verb::Push, 1));
        assert_eq!((said.verb, said.capacity, said.counts.messages), (Verb::Ask, 2, 1));
        assert_eq!(said.counts.waited, Duration::ZERO);
        let counts = kept.counts;
        assert_eq!((counts.messages, counts.peak, counts.in_use), (2, 1, 1));
        // The second one waited for five seconds, and two went by until the fourth gave up.
        assert_eq!((counts.waited.as_secs(), counts.held.as_secs()), (7, 5));
    })
    .await;
}
