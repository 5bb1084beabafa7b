//! A part that is slow holds up what comes after it, and nothing piles up before it.

use std::time::Duration;

use sn1_actors::runtime::PortStatus;
use sn1_actors::testkit::Stage;

use crate::net::{Net, Plan};

const STEPS: u64 = 24;
const IN_FLIGHT: usize = 6;

/// Where embeddings take so long and the model takes few requests at once: how long the run takes,
/// and how its ports were doing.
fn run(embedding: Duration, askers: Option<usize>) -> (Duration, Vec<PortStatus>) {
    let mut told = None;
    Stage::play(async |stage: Stage| {
        let plan =
            Plan { steps: STEPS, in_flight: IN_FLIGHT, embedding, askers, ..Plan::default() };
        let net = Net::start(&stage, plan);
        let began = stage.clock.now();
        let outcome = net.run().await;
        assert_eq!((outcome.tally.completed, outcome.tally.failed), (STEPS, 0));
        let credits = &net.validator.credits;
        assert_eq!((credits.peak(), credits.out()), (IN_FLIGHT, 0));
        told = Some((stage.clock.now().since(began), net.topology.ports()));
    });
    told.expect("it was played")
}

/// How long senders waited for a slot at the model, all together.
fn waited(ports: &[PortStatus]) -> Duration {
    let model = ports.iter().filter(|port| port.to == "model_worker");
    model.map(|port| port.counts.waited).sum()
}

fn port<'a>(ports: &'a [PortStatus], name: &str) -> &'a PortStatus {
    ports.iter().find(|port| port.port == name).expect("there is such a port")
}

#[test]
fn a_scorer_that_is_slow_holds_conversations_back_and_nothing_piles_up_before_it() {
    let (quick, at_ease) = run(Duration::ZERO, None);
    let (slow, pressed) = run(Duration::from_secs(20), Some(2));
    assert!(slow > quick + Duration::from_secs(20 * STEPS / 4), "{quick:?} and {slow:?}");
    for port in at_ease.iter().chain(&pressed) {
        let counts = port.counts;
        assert!(counts.peak <= port.capacity && counts.in_use == 0, "{port:?}");
    }
    // Nobody has more rounds than there are conversations, however long they wait to be scored.
    let rounds = port(&pressed, "reward_scorer.Round");
    assert_eq!(rounds.counts.messages, STEPS);
    assert!(rounds.counts.peak <= IN_FLIGHT, "{rounds:?}");
    // The wait is where the slots are few, and it is seen there.
    assert_eq!(waited(&at_ease), Duration::ZERO);
    assert!(waited(&pressed) > Duration::from_secs(60), "{:?}", waited(&pressed));
    let held = port(&pressed, "model_worker.Embed").counts.held;
    assert!(held >= Duration::from_secs(20) && held < 2 * slow, "{held:?}");
}
