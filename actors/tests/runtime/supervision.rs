//! What a crash costs, and what it does not.

use std::time::Duration;

use sn1_actors::runtime::{ActorHealth, AskError, Fault, FaultKind, RestartPolicy};

use super::stage::{BeginAndCrash, CrashBefore, Keep, NAME, POLICY, Say, staged};

const HOUR: Duration = Duration::from_secs(3_600);
const NEVER: u32 = u32::MAX;

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn restarts_after_panic_and_keeps_queue() {
    staged(async |stage| {
        let (crash, say) = (stage.port(1), stage.port(8));
        let watch = stage.supervise(POLICY);
        say.push(Say("before")).await;
        crash.push(CrashBefore(1)).await;
        say.push(Say("behind")).await;
        watch.settle().await;
        say.push(Say("during")).await;
        assert_eq!(watch.said(), [("before", 0)]);
        assert_eq!(say.ask(Say("asked"), say.within(HOUR)).await, Ok(1));
        assert_eq!(watch.said(), [("before", 0), ("behind", 1), ("during", 1), ("asked", 1)]);
        assert_eq!(watch.generations(), 2);
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn the_asker_of_the_crashing_message_is_told_at_once() {
    staged(async |stage| {
        let crash = stage.port(1);
        let watch = stage.supervise(POLICY);
        let asked = watch.now();
        let answer = crash.ask(CrashBefore(NEVER), crash.within(HOUR)).await;
        assert_eq!(answer, Err(AskError::Interrupted));
        assert_eq!(watch.now(), asked, "not after the pause before the restart");
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn ask_again_reaches_the_next_generation_and_tries_three_times_at_the_most() {
    let patient = RestartPolicy { budget: 100, ..POLICY };
    for (needed, answer) in [(1, Ok(1)), (2, Ok(2)), (3, Err(AskError::Interrupted))] {
        staged(async |stage| {
            let crash = stage.port(1);
            let watch = stage.supervise(patient);
            let deadline = crash.within(HOUR);
            assert_eq!(crash.ask_again(CrashBefore(needed), deadline).await, answer);
            assert_eq!(watch.journal.crashes().len(), needed as usize);
        })
        .await;
    }
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn ask_again_gives_up_at_its_deadline() {
    staged(async |stage| {
        let crash = stage.port(1);
        let watch = stage.supervise(POLICY);
        let deadline = crash.within(Duration::from_millis(500));
        let answer = crash.ask_again(CrashBefore(NEVER), deadline).await;
        assert_eq!(answer, Err(AskError::Deadline), "the restart takes longer");
        assert_eq!(watch.now(), deadline);
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn backs_off_before_each_restart() {
    staged(async |stage| {
        let (crash, say) = (stage.port(1), stage.port(1));
        let watch = stage.supervise(POLICY);
        for nominal in [1.0, 2.0, 4.0] {
            let crashed = watch.now();
            assert!(crash.ask(CrashBefore(NEVER), crash.within(HOUR)).await.is_err());
            assert_eq!(watch.now(), crashed);
            assert_eq!(watch.status().health, ActorHealth::BackingOff);
            assert!(say.ask(Say("up again"), say.within(HOUR)).await.is_ok());

            let waited = watch.now().since(crashed);
            let announced = watch.journal.crashes().last().unwrap().1.unwrap();
            let resolution = Duration::from_millis(1);
            assert!(waited >= announced && waited <= announced + resolution, "{waited:?}");
            let jitter = 0.75 * nominal..=1.25 * nominal + resolution.as_secs_f64();
            assert!(jitter.contains(&waited.as_secs_f64()), "{waited:?} for {nominal} s");
            assert_eq!(watch.shared.started.borrow().last(), Some(&watch.now()));
            assert_eq!(watch.status().health, ActorHealth::Running);
        }
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn gives_up_beyond_its_budget_and_trips_the_kill_switch() {
    staged(async |stage| {
        let (crash, say) = (stage.port(1), stage.port(8));
        let watch = stage.supervise(RestartPolicy { budget: 2, ..POLICY });
        for _ in 0..2 {
            let answer = crash.ask(CrashBefore(NEVER), crash.within(HOUR)).await;
            assert_eq!(answer, Err(AskError::Interrupted));
        }
        assert!(!watch.overseer.kill().is_dead());
        let answer = crash.ask(CrashBefore(NEVER), crash.within(HOUR)).await;
        assert_eq!(answer, Err(AskError::Gone));

        let cause = "crashed too often, last with: boom in generation 2".to_owned();
        let fault = Fault { kind: FaultKind::GaveUp, part: NAME.to_owned(), cause };
        assert_eq!(watch.overseer.kill().fault(), Some(fault.clone()));
        let later =
            Fault { kind: FaultKind::DeviceLost, part: "later".into(), cause: "full".into() };
        watch.overseer.kill().trip(later);
        assert_eq!(watch.overseer.kill().fault(), Some(fault), "the first fault is kept");
        assert!(watch.overseer.kill().is_dead());

        assert_eq!(say.ask(Say("anyone?"), say.within(HOUR)).await, Err(AskError::Gone));
        assert_eq!(watch.status().health, ActorHealth::GaveUp);
        assert!(watch.overseer.roster().alive().is_empty());
        assert_eq!(watch.journal.crashes().len(), 3);
        assert_eq!(watch.journal.crashes()[2].1, None);
        assert!(watch.said().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_panic_while_restarting_counts_as_a_crash() {
    staged(async |stage| {
        let (crash, say) = (stage.port(1), stage.port(1));
        let watch = stage.supervise(RestartPolicy { budget: 2, ..POLICY });
        watch.shared.bad_restarts.set(1);
        crash.push(CrashBefore(NEVER)).await;
        assert_eq!(say.ask(Say("up again"), say.within(HOUR)).await, Ok(1));
        let causes: Vec<_> = watch.journal.crashes().into_iter().map(|(cause, _)| cause).collect();
        assert_eq!(causes, ["boom in generation 0", "no restart"]);
        assert_eq!(watch.status().restarts, 2);
        assert_eq!(watch.generations(), 2);
        let answer = crash.ask(CrashBefore(NEVER), crash.within(HOUR)).await;
        assert_eq!(answer, Err(AskError::Gone), "it was charged to the budget");
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_actor_that_cannot_be_rebuilt_is_given_up_without_being_started_again() {
    staged(async |stage| {
        let (crash, say) = (stage.port(1), stage.port(1));
        let watch = stage.supervise(RestartPolicy { budget: 2, ..POLICY });
        watch.shared.bad_restarts.set(2);
        crash.push(CrashBefore(NEVER)).await;
        assert_eq!(say.ask(Say("unheard"), say.within(HOUR)).await, Err(AskError::Gone));
        assert_eq!(watch.status().health, ActorHealth::GaveUp);
        assert_eq!(watch.overseer.kill().fault().map(|fault| fault.kind), Some(FaultKind::GaveUp));
        assert_eq!(watch.generations(), 1);
        assert!(watch.said().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn the_kill_switch_stops_actors_and_tasks_and_drops_what_is_queued() {
    staged(async |stage| {
        let (say, keep) = (stage.port(8), stage.port(1));
        let watch = stage.supervise(POLICY);
        keep.push(Keep(1)).await;
        watch.overseer.tasks().spawn("endless", std::future::pending());
        watch.settle().await;
        assert_eq!(watch.overseer.tasks().running(), 1);
        assert_eq!(watch.overseer.roster().alive(), [NAME]);

        assert!(say.offer(Say("queued")).is_ok());
        assert!(say.offer(Say("queued")).is_ok());
        assert_eq!(say.in_use(), 2);
        watch.overseer.kill().stop();
        watch.settle().await;
        assert!(watch.said().is_empty());
        assert_eq!(say.in_use(), 0);
        assert_eq!(watch.overseer.tasks().running(), 0);
        assert_eq!(watch.status().health, ActorHealth::Stopped);
        assert!(watch.overseer.roster().alive().is_empty());
        assert_eq!(watch.overseer.kill().fault(), None, "it was stopped in good order");
        assert_eq!(say.ask(Say("anyone?"), say.within(HOUR)).await, Err(AskError::Gone));
        assert_eq!(watch.journal.crashes(), []);
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn the_kill_switch_ends_a_back_off() {
    staged(async |stage| {
        let (crash, say) = (stage.port(1), stage.port(1));
        let watch = stage.supervise(POLICY);
        crash.push(CrashBefore(NEVER)).await;
        watch.settle().await;
        let asked = watch.now();
        let stop = async { watch.overseer.kill().stop() };
        let (answer, ()) = tokio::join!(say.ask(Say("unheard"), say.within(HOUR)), stop);
        assert_eq!(answer, Err(AskError::Gone));
        assert_eq!(watch.now(), asked, "without waiting for the restart");
        assert_eq!(watch.status().health, ActorHealth::Stopped);
        assert_eq!(watch.generations(), 1);
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_actor_that_is_killed_before_its_first_poll_never_starts() {
    staged(async |stage| {
        let watch = stage.supervise(POLICY);
        watch.overseer.kill().stop();
        watch.settle().await;
        assert_eq!(watch.status().health, ActorHealth::Stopped);
        assert_eq!(watch.generations(), 0);
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_actor_that_nobody_can_reach_works_on_and_is_restarted_too() {
    staged(async |stage| {
        let crash = stage.port(1);
        let watch = stage.supervise(POLICY);
        crash.push(BeginAndCrash).await;
        drop(crash);
        watch.pass(HOUR).await;
        assert_eq!(watch.status().health, ActorHealth::Running);
        assert_eq!(watch.generations(), 2);
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn tasks_outlive_the_restart_of_the_actor_that_began_them() {
    staged(async |stage| {
        let (begin, say) = (stage.port(1), stage.port(1));
        let watch = stage.supervise(POLICY);
        begin.push(BeginAndCrash).await;
        assert_eq!(say.ask(Say("up again"), say.within(HOUR)).await, Ok(1));
        assert_eq!(watch.overseer.tasks().running(), 1);
        watch.pass(HOUR).await;
        let said = watch.said();
        assert_eq!(said, [("up again", 1), ("task done", 0)], "what ran in the context is gone");
        assert_eq!(watch.overseer.tasks().running(), 0);
    })
    .await;
}
