//! Timers come last, and catch up all at once.

use std::time::Duration;

use actix::{Actor, AsyncContext, Context};
use tokio::time::{Instant, advance};

use super::subject::{Do, Log, Say, Subject, locally, mailbox};

#[tokio::test(start_paused = true)]
async fn timer_starves_behind_busy_mailbox() {
    const MESSAGES: u32 = 5_000;
    fn busy(left: u32) -> Do {
        Do::new(move |subject, ctx| {
            subject.log.say("message");
            if left > 1 {
                ctx.address().do_send(busy(left - 1));
            }
        })
    }
    let log = Log::default();
    let subject = Subject {
        on_started: |_, ctx| {
            ctx.run_later(Duration::ZERO, |subject, _| subject.log.say("timer"));
        },
        ..Subject::new(&log)
    };
    locally(async move {
        let (address, receiver) = mailbox(0);
        address.do_send(busy(MESSAGES));
        Context::with_receiver(receiver).run(subject);
        tokio::time::sleep(Duration::from_millis(1)).await;
    })
    .await;

    let said = log.said();
    let messages = usize::try_from(MESSAGES).unwrap();
    assert_eq!(said.iter().position(|line| line == "timer"), Some(1 + messages));
    assert_eq!(said.len(), 2 + messages, "though it was due before the first of them");
}

#[tokio::test(start_paused = true)]
async fn interval_bursts_after_stall() {
    let log = Log::default();
    let subject = Subject {
        on_started: |_, ctx| {
            let began = Instant::now();
            ctx.run_interval(Duration::from_millis(100), move |subject, _| {
                subject.log.say(&format!("tick at {} ms", began.elapsed().as_millis()));
            });
        },
        ..Subject::new(&log)
    };
    locally(async move {
        let address = subject.start();
        // A timer counts from when it is first polled.
        assert_eq!(address.send(Say("ready")).await, Ok(()));
        advance(Duration::from_millis(1_000)).await;
        assert_eq!(address.send(Say("stalled until here")).await, Ok(()));
        tokio::time::sleep(Duration::from_millis(150)).await;
    })
    .await;

    let said = log.said();
    let at = |when: &str| said.iter().filter(|line| *line == when).count();
    assert_eq!(at("tick at 1000 ms"), 10, "one for every missed period: {said:?}");
    assert_eq!(at("tick at 1100 ms"), 1, "then back on the beat: {said:?}");
}
