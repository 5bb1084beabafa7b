//! Slots, deadlines and answers.

use std::pin::pin;
use std::time::Duration;

use futures_util::poll;
use sn1_actors::runtime::{AskError, Port, Refused};

use super::stage::{CrashBefore, Keep, POLICY, Say, staged};

const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn refuses_when_full() {
    staged(async |stage| {
        let keep: Port<Keep> = stage.port(2);
        let clone = keep.clone();
        assert!(keep.offer(Keep(1)).is_ok());
        assert!(clone.offer(Keep(2)).is_ok());
        let refused = |offered: Result<(), Refused<Keep>>| offered.unwrap_err().0;
        assert_eq!(refused(clone.offer(Keep(3))), Keep(3), "what is queued counts, clones or not");

        let watch = stage.supervise(POLICY);
        watch.settle().await;
        assert_eq!(watch.shared.shelf.borrow().len(), 2);
        assert_eq!(refused(keep.offer(Keep(4))), Keep(4), "what is being worked on counts too");
        watch.shared.shelf.borrow_mut().clear();
        assert!(keep.offer(Keep(5)).is_ok());
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn ports_of_one_actor_do_not_share_slots() {
    staged(async |stage| {
        let (keep, say): (Port<Keep>, Port<Say>) = (stage.port(1), stage.port(1));
        assert!(keep.offer(Keep(1)).is_ok());
        assert!(keep.offer(Keep(2)).is_err());
        assert!(say.offer(Say("through")).is_ok());
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn push_waits_for_a_slot() {
    staged(async |stage| {
        let keep = stage.port(1);
        let watch = stage.supervise(POLICY);
        keep.push(Keep(1)).await;
        let mut second = pin!(keep.push(Keep(2)));
        assert!(poll!(second.as_mut()).is_pending());
        watch.pass(PATIENCE).await;
        assert!(poll!(second.as_mut()).is_pending(), "as long as it takes");

        let first = watch.shared.shelf.borrow_mut().pop().unwrap();
        drop(first);
        assert!(poll!(second.as_mut()).is_ready(), "a slot returns when its job is dropped");
        watch.settle().await;
        assert_eq!(watch.shared.shelf.borrow()[0].message, Keep(2));
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_slot_returns_when_the_actor_crashes_on_its_job() {
    staged(async |stage| {
        let (crash, say) = (stage.port(1), stage.port(4));
        let watch = stage.supervise(POLICY);
        crash.push(CrashBefore(1)).await;
        say.push(Say("behind")).await;
        watch.settle().await;
        assert_eq!(
            (crash.in_use(), say.in_use()),
            (0, 1),
            "what is behind the crash keeps its own"
        );
        watch.pass(PATIENCE).await;
        assert_eq!(say.in_use(), 0);
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_ask_is_answered_from_wherever_its_job_is() {
    staged(async |stage| {
        let keep = stage.port(1);
        let watch = stage.supervise(POLICY);
        let answer = async {
            watch.settle().await;
            let job = watch.shared.shelf.borrow_mut().pop().unwrap();
            assert_eq!(job.message, Keep(1));
            job.reply.send("from outside the actor");
        };
        let (answered, ()) = tokio::join!(keep.ask(Keep(1), keep.within(PATIENCE)), answer);
        assert_eq!(answered, Ok("from outside the actor"));
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_job_dropped_unanswered_interrupts_its_asker() {
    staged(async |stage| {
        let keep = stage.port(1);
        let watch = stage.supervise(POLICY);
        let lose = async {
            watch.settle().await;
            watch.shared.shelf.borrow_mut().clear();
        };
        let (answered, ()) = tokio::join!(keep.ask(Keep(1), keep.within(PATIENCE)), lose);
        assert_eq!(answered, Err(AskError::Interrupted));
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_asks_deadline_covers_the_wait_for_a_slot() {
    staged(async |stage| {
        let keep = stage.port(1);
        let watch = stage.supervise(POLICY);
        keep.push(Keep(1)).await;
        let deadline = keep.within(PATIENCE);
        assert_eq!(keep.ask(Keep(2), deadline).await, Err(AskError::Deadline));
        assert_eq!(watch.now(), deadline);

        watch.shared.shelf.borrow_mut().clear();
        watch.settle().await;
        assert!(watch.shared.shelf.borrow().is_empty(), "and nothing is sent after it");
        assert_eq!(keep.in_use(), 0);
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_asks_deadline_covers_slot_and_answer_together() {
    staged(async |stage| {
        let keep = stage.port(1);
        let watch = stage.supervise(POLICY);
        keep.push(Keep(1)).await;
        let deadline = keep.within(PATIENCE);
        let free_the_slot = async {
            watch.pass(PATIENCE * 3 / 5).await;
            watch.shared.shelf.borrow_mut().clear();
        };
        let (answered, ()) = tokio::join!(keep.ask(Keep(2), deadline), free_the_slot);
        assert_eq!(answered, Err(AskError::Deadline));
        assert_eq!(watch.now(), deadline);
        assert_eq!(watch.shared.shelf.borrow()[0].message, Keep(2), "it was sent in the meantime");
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_abandoned_ask_is_visible_to_its_handler() {
    staged(async |stage| {
        let keep = stage.port(2);
        let watch = stage.supervise(POLICY);
        keep.push(Keep(1)).await;
        {
            let mut ask = pin!(keep.ask(Keep(2), keep.within(PATIENCE)));
            assert!(poll!(ask.as_mut()).is_pending());
            watch.settle().await;
            let shelf = watch.shared.shelf.borrow();
            assert!(!shelf[0].reply.is_abandoned(), "nobody ever waited for a push");
            assert!(!shelf[1].reply.is_abandoned());
        }
        let abandoned = watch.shared.shelf.borrow_mut().pop().unwrap();
        assert!(abandoned.reply.is_abandoned());
        assert_eq!(keep.in_use(), 2, "its slot is taken until the handler lets go of it");
        abandoned.reply.send("too late");
        assert_eq!(keep.in_use(), 2);
        drop(abandoned.slot);
        assert_eq!(keep.in_use(), 1);
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn counts_what_is_in_use_and_the_most_that_ever_was() {
    staged(async |stage| {
        let keep = stage.port(4);
        let watch = stage.supervise(POLICY);
        assert_eq!((keep.in_use(), keep.peak()), (0, 0));
        for n in 1..=3 {
            keep.push(Keep(n)).await;
        }
        assert_eq!((keep.in_use(), keep.peak()), (3, 3));
        watch.settle().await;
        watch.shared.shelf.borrow_mut().truncate(1);
        assert_eq!((keep.in_use(), keep.peak()), (1, 3));
        keep.push(Keep(4)).await;
        assert_eq!((keep.in_use(), keep.peak()), (2, 3));
        assert_eq!(keep.name(), "probe.Keep");
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn has_one_slot_at_least() {
    staged(async |stage| {
        let say = stage.port(0);
        let _watch = stage.supervise(POLICY);
        assert_eq!(say.ask(Say("through"), say.within(PATIENCE)).await, Ok(0));
    })
    .await;
}
