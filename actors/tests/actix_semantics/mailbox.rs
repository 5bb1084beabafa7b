//! A mailbox's capacity bounds next to nothing.

use std::time::Duration;

use actix::dev::SendError;
use actix::{Context, MailboxError};
use futures_util::future::join_all;
use futures_util::poll;

use super::subject::{Log, Say, Subject, locally, mailbox};

#[tokio::test]
async fn send_ignores_capacity_when_full() {
    const ASKED: usize = 200;
    let log = Log::default();
    let subject = Subject::new(&log);
    locally(async move {
        let (address, receiver) = mailbox(2);
        assert!(address.try_send(Say("offered")).is_ok());
        assert!(address.try_send(Say("offered")).is_ok());
        assert!(matches!(address.try_send(Say("refused")), Err(SendError::Full(_))));

        let mut asks: Vec<_> = (0..ASKED).map(|_| Box::pin(address.send(Say("asked")))).collect();
        for ask in &mut asks {
            assert!(poll!(ask).is_pending());
        }
        for _ in 0..ASKED {
            address.do_send(Say("sent"));
        }
        Context::with_receiver(receiver).run(subject);
        assert!(join_all(asks).await.iter().all(Result::is_ok));
    })
    .await;
    let said = log.said();
    let count = |what: &str| said.iter().filter(|line| *line == what).count();
    assert_eq!((count("offered"), count("asked"), count("sent")), (2, ASKED, ASKED));
    assert_eq!(count("refused"), 0);
}

#[test]
fn try_send_bound_grows_with_clones() {
    const CAPACITY: usize = 4;
    for clones in 0..3 {
        let (address, _receiver) = mailbox(CAPACITY);
        let mut senders = vec![address.clone(); clones];
        senders.push(address);
        let mut accepted = 0;
        for sender in &senders {
            while sender.try_send(Say("offered")).is_ok() {
                accepted += 1;
            }
        }
        assert_eq!(accepted, CAPACITY + clones, "with {clones} clones");
    }

    let (address, _receiver) = mailbox(CAPACITY);
    let all = (0..200).all(|_| address.clone().try_send(Say("offered")).is_ok());
    assert!(all, "a clone for each message is no bound at all");
}

#[tokio::test(start_paused = true)]
async fn dropped_ask_skips_handler() {
    let log = Log::default();
    let subject = Subject::new(&log);
    locally(async move {
        let (address, receiver) = mailbox(0);
        drop(address.send(Say("dropped")));
        let late = address.send(Say("timed out")).timeout(Duration::from_secs(1));
        assert_eq!(late.await, Err(MailboxError::Timeout));
        address.do_send(Say("sent"));
        let waited_for = address.send(Say("waited for"));
        Context::with_receiver(receiver).run(subject);
        assert_eq!(waited_for.await, Ok(()));
    })
    .await;
    assert_eq!(log.said(), ["started", "sent", "waited for"]);
}
