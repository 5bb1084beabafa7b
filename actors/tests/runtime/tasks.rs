//! Tasks and the credits they hold.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::poll;
use sn1_actors::runtime::{Credits, KillSwitch};

use super::stage::{POLICY, Say, staged};

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_panicking_task_hurts_nobody_and_is_counted() {
    staged(async |stage| {
        let say = stage.port(1);
        let watch = stage.supervise(POLICY);
        let tasks = watch.overseer.tasks();
        let clock = watch.overseer.clock();
        let bystander_done = Rc::new(std::cell::Cell::new(false));
        let done = Rc::clone(&bystander_done);
        tasks.spawn("bystander", async move {
            clock.sleep(Duration::from_secs(1)).await;
            done.set(true);
        });
        tasks.spawn("panicking", async { panic!("boom in a task") });
        assert_eq!(tasks.running(), 2);
        watch.settle().await;
        assert_eq!((tasks.running(), tasks.panicked()), (1, 1));
        watch.pass(Duration::from_secs(1)).await;
        assert_eq!((tasks.running(), tasks.panicked()), (0, 1));
        assert!(bystander_done.get());
        assert_eq!(say.ask(Say("alive"), say.within(Duration::from_secs(1))).await, Ok(0));
        assert!(!watch.overseer.kill().is_dead());
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_killed_task_is_dropped_where_it_stands_and_none_begins_after() {
    staged(async |stage| {
        let watch = stage.supervise(POLICY);
        let held = Rc::new(());
        let holding = Rc::clone(&held);
        watch.overseer.tasks().spawn("endless", async move {
            let _holding = holding;
            std::future::pending().await
        });
        watch.settle().await;
        assert_eq!(Rc::strong_count(&held), 2);
        watch.overseer.kill().stop();
        watch.overseer.tasks().spawn("late", async { panic!("it ran") });
        watch.settle().await;
        assert_eq!(Rc::strong_count(&held), 1);
        let tasks = watch.overseer.tasks();
        assert_eq!((tasks.running(), tasks.panicked()), (0, 0));
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_kill_switch_wakes_whoever_waits_for_it() {
    let switch = KillSwitch::default();
    let clone = switch.clone();
    let mut dead = pin!(switch.dead());
    assert!(poll!(dead.as_mut()).is_pending());
    clone.stop();
    assert!(poll!(dead.as_mut()).is_ready());
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn credits_come_back_when_dropped() {
    let credits = Credits::new(2);
    let first = credits.take().await;
    let _second = credits.clone().take().await;
    assert_eq!((credits.out(), credits.total()), (2, 2));
    let mut third = pin!(credits.take());
    assert!(poll!(third.as_mut()).is_pending());
    drop(first);
    assert!(poll!(third.as_mut()).is_ready());
    assert_eq!(Credits::new(0).total(), 1, "or nothing would ever happen");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn credits_come_back_through_a_panic_and_a_kill() {
    staged(async |stage| {
        let watch = stage.supervise(POLICY);
        let credits = Credits::new(2);
        let (panicking, endless) = (credits.take().await, credits.take().await);
        watch.overseer.tasks().spawn("endless", async move {
            let _credit = endless;
            std::future::pending().await
        });
        watch.overseer.tasks().spawn("panicking", async move {
            let _credit = panicking;
            panic!("boom with a credit");
        });
        assert_eq!(credits.out(), 2);
        watch.settle().await;
        assert_eq!(credits.out(), 1);
        watch.overseer.kill().stop();
        watch.settle().await;
        assert_eq!(credits.out(), 0);
    })
    .await;
}
