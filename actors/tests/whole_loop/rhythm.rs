//! The whole loop where rounds go out in a rhythm.

use std::time::Duration;

use sn1_actors::domain::Query;
use sn1_actors::organic::{Choose, ask_miners};
use sn1_actors::testkit::Stage;

use crate::net::{Net, Organics, Plan, TIMEOUT};

const MEAN: Duration = Duration::from_secs(1);

fn plan() -> Plan {
    let organics =
        Organics { in_flight: 8, rounds: 64, scored: 4, choose: Choose::First, log_texts: false };
    Plan { organic: Some(organics), rhythm: MEAN, in_flight: 8, ..Plan::default() }
}

/// Checks that nothing is left of anything.
async fn settle(stage: &Stage, net: &Net) {
    stage.clock.sleep(Duration::from_secs(120)).await;
    assert_eq!((stage.overseer.credits_out(), net.topology.in_use()), (0, [].into()));
    assert_eq!(stage.overseer.kill().fault(), None);
}

#[test]
fn a_run_comes_to_its_end_and_users_beside_it_are_answered() {
    Stage::play(async |stage: Stage| {
        let net = Net::start(&stage, Plan { steps: 24, max_turns: 2, ..plan() });
        net.awake().await;
        for n in 0..4 {
            let (door, clock) = (net.door().clone(), net.validator.pacer.clock.clone());
            stage.overseer.tasks().spawn("user", async move {
                clock.sleep(n * MEAN).await;
                let query = Query::from_user(format!("What is {n}?"));
                assert!(ask_miners(&door, query, TIMEOUT).await.is_ok());
            });
        }
        let tally = net.run().await.tally;
        assert_eq!((tally.steps, tally.failed), (24, 0));
        settle(&stage, &net).await;
        assert_eq!(stage.overseer.tasks().panicked(), 0, "a user got no answer");
        assert_eq!(net.validator.organic_log.tally().borrow().completed, 4);
    });
}

#[test]
fn a_run_that_is_stopped_does_not_wait_until_all_that_wait_had_their_turns() {
    Stage::play(async |stage: Stage| {
        let in_flight = 64;
        let net = Net::start(&stage, Plan { steps: 1_000, in_flight, ..plan() });
        tokio::select! {
            _ = net.run() => panic!("a thousand steps take longer"),
            () = stage.clock.sleep(20 * MEAN) => {}
        }
        assert_eq!(net.validator.credits.out(), in_flight, "they wait for their beats");
        net.validator.log.want(Some(0));
        // What is being written, a beat, and what miners and scores take.
        stage.clock.sleep(16 * MEAN).await;
        assert_eq!(net.validator.credits.out(), 0);
        settle(&stage, &net).await;
    });
}
