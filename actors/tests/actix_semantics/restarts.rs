//! What a restart keeps and what it drops.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, Waker};

use actix::fut::wrap_future;
use actix::{ActorContext, AsyncContext, Context, MailboxError, Supervisor};
use futures_util::poll;

use super::subject::{Do, LastWords, Log, Say, Subject, locally, mailbox};

fn poll_once(future: &mut (impl Future<Output = ()> + Unpin)) -> Poll<()> {
    Pin::new(future).poll(&mut TaskContext::from_waker(Waker::noop()))
}

#[tokio::test]
async fn context_fut_survives_catch_unwind_and_restart_keeps_queue() {
    let log = Log::default();
    let (address, receiver) = mailbox(0);
    let mut actor = Context::with_receiver(receiver).into_future(Subject::new(&log));
    let crashing = address.send(Do::panic());
    let mut behind = Box::pin(address.send(Say("behind")));

    assert!(catch_unwind(AssertUnwindSafe(|| poll_once(&mut actor))).is_err());
    assert!(address.connected());
    assert_eq!(crashing.await, Err(MailboxError::Closed), "its asker is told before the restart");
    assert!(poll!(&mut behind).is_pending());
    let during = address.send(Say("sent before the restart"));

    assert!(actor.restart());
    assert!(poll_once(&mut actor).is_pending());
    assert_eq!((behind.await, during.await), (Ok(()), Ok(())));
    drop(actor);
    assert!(!address.connected());
    let said = log.said();
    let expected = [
        "started",
        "restarting",
        "started",
        "behind",
        "sent before the restart",
        "stopping",
        "stopped",
    ];
    assert_eq!(said, expected);
}

#[tokio::test]
async fn started_runs_again_after_restart() {
    let log = Log::default();
    let subject = Subject {
        on_started: |subject, ctx| {
            subject.kept.push(ctx.spawn(wrap_future(std::future::pending())));
            subject.log.say(&format!("{} handles kept", subject.kept.len()));
        },
        ..Subject::new(&log)
    };
    locally(async move {
        let address = Supervisor::start(|_| subject);
        let stopped = address.send(Do::new(|_, ctx| ctx.stop()));
        let behind = address.send(Say("behind"));
        assert_eq!((stopped.await, behind.await), (Ok(()), Ok(())));
    })
    .await;
    let said = log.said();
    let first = ["started", "1 handles kept", "stopping", "stopped", "restarting"];
    let second = ["started", "2 handles kept", "behind"];
    assert_eq!(said[..first.len()], first);
    assert_eq!(
        said[first.len()..first.len() + second.len()],
        second,
        "the very same value goes on"
    );
}

#[tokio::test]
async fn spawn_handle_reused_after_restart() {
    fn crash_after(action: fn(&mut Subject, &mut Context<Subject>)) -> Vec<String> {
        let log = Log::default();
        let subject = Subject {
            on_started: |subject, ctx| {
                let words = LastWords(subject.log.clone(), "work dropped");
                subject.kept.push(ctx.spawn(wrap_future(async move {
                    let _words = words;
                    std::future::pending().await
                })));
            },
            ..Subject::new(&log)
        };
        let (address, receiver) = mailbox(0);
        let mut actor = Context::with_receiver(receiver).into_future(subject);
        assert!(poll_once(&mut actor).is_pending());
        address.do_send(Do::new(move |subject, ctx| {
            action(subject, ctx);
            panic!("boom");
        }));
        assert!(catch_unwind(AssertUnwindSafe(|| poll_once(&mut actor))).is_err());
        assert!(actor.restart());
        log.say("next generation");
        assert!(poll_once(&mut actor).is_pending());
        address.do_send(Do::new(|subject, ctx| {
            let [old, new] = subject.kept[..] else { panic!("two generations") };
            assert_eq!(old, new);
            subject.log.say("cancelling the old handle");
            ctx.cancel_future(old);
        }));
        assert!(poll_once(&mut actor).is_pending());
        log.say("cancelled");
        log.said()
    }

    let said = crash_after(|_, _| {});
    let first = ["started", "work dropped", "restarting", "next generation", "started"];
    assert_eq!(said[..5], first);
    let hits_the_new = ["cancelling the old handle", "work dropped", "cancelled"];
    assert_eq!(said[5..], hits_the_new, "the old handle names the new work");

    let said = crash_after(|subject, ctx| {
        ctx.cancel_future(subject.kept[0]);
    });
    assert_eq!(said[..5], first);
    let lost_at_once = ["work dropped", "cancelling the old handle", "cancelled"];
    assert_eq!(said[5..], lost_at_once, "a cancellation from before the crash hits the new work");
}
