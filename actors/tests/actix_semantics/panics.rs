//! A panic ends an actor silently, and its mailbox with it.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ThreadId;

use actix::fut::wrap_future;
use actix::{
    Actor, Arbiter, Context, Handler, MailboxError, Message, ResponseActFuture, ResponseFuture,
    Running, Supervisor, SyncArbiter, SyncContext, System,
};
use tokio::sync::oneshot;

use super::subject::{Do, Log, Say, Subject, locally, mailbox};

#[tokio::test]
async fn plain_supervisor_does_not_restart_on_panic() {
    let log = Log::default();
    let subject = Subject::new(&log);
    locally(async move {
        let address = Supervisor::start(|_| subject);
        assert_eq!(address.send(Do::panic()).await, Err(MailboxError::Closed));
        assert!(!address.connected());
        assert_eq!(address.send(Say("anyone?")).await, Err(MailboxError::Closed));
    })
    .await;
    assert_eq!(log.said(), ["started", "stopping (unwinding)", "stopped (unwinding)"]);
}

#[tokio::test]
async fn panic_closes_mailbox_and_pending_asks_get_closed() {
    let log = Log::default();
    let subject = Subject::new(&log);
    locally(async move {
        let (address, receiver) = mailbox(0);
        let before = address.send(Say("before"));
        let crashing = address.send(Do::panic());
        address.do_send(Say("sent behind"));
        let behind = address.send(Say("asked behind"));
        Context::with_receiver(receiver).run(subject);

        assert_eq!(before.await, Ok(()));
        assert_eq!(crashing.await, Err(MailboxError::Closed));
        assert_eq!(behind.await, Err(MailboxError::Closed), "not to be told from the crash itself");
        address.do_send(Say("lost without a word"));
        assert!(!address.connected());
    })
    .await;
    let said = log.said();
    assert_eq!(said, ["started", "before", "stopping (unwinding)", "stopped (unwinding)"]);
}

#[test]
fn other_actor_on_same_arbiter_survives() {
    let log = Log::default();
    let (crashing, bystander) = (Subject::new(&log), Subject::new(&log));
    System::new().block_on(async move {
        let arbiter = Arbiter::new();
        let crashing = Subject::start_in_arbiter(&arbiter.handle(), |_| crashing);
        let bystander = Subject::start_in_arbiter(&arbiter.handle(), |_| bystander);
        assert_eq!(crashing.send(Do::panic()).await, Err(MailboxError::Closed));
        assert_eq!(bystander.send(Say("still here")).await, Ok(()));
        assert!(arbiter.stop());
        assert!(arbiter.join().is_ok(), "the arbiter's thread did not die of the panic");
    });
    assert!(log.said().contains(&"still here".to_owned()));
}

/// Panics in the future that the handler returns.
#[derive(Message)]
#[rtype(result = "()")]
struct PanicDetached;

impl Handler<PanicDetached> for Subject {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: PanicDetached, _: &mut Context<Self>) -> Self::Result {
        Box::pin(async { panic!("boom in a detached future") })
    }
}

/// Panics in the future that the handler puts into the actor's own context.
#[derive(Message)]
#[rtype(result = "()")]
struct PanicInContext;

impl Handler<PanicInContext> for Subject {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, _: PanicInContext, _: &mut Context<Self>) -> Self::Result {
        Box::pin(wrap_future(async { panic!("boom in the context") }))
    }
}

#[tokio::test]
async fn response_future_panic_leaves_actor_alive() {
    let log = Log::default();
    let subject = Subject::new(&log);
    locally(async move {
        let address = subject.start();
        assert_eq!(address.send(PanicDetached).await, Err(MailboxError::Closed));
        assert_eq!(address.send(Say("alive")).await, Ok(()));
        assert_eq!(address.send(PanicInContext).await, Err(MailboxError::Closed));
        assert_eq!(address.send(Say("dead")).await, Err(MailboxError::Closed));
    })
    .await;
    let said = log.said();
    assert_eq!(said, ["started", "alive", "stopping (unwinding)", "stopped (unwinding)"]);
}

/// Set in the environment of the process that is to abort.
const ABORTING: &str = "ACTIX_SEMANTICS_ABORTING";
const SIGABRT: i32 = 6;

#[test]
fn stopping_hook_runs_during_unwind() {
    if std::env::var_os(ABORTING).is_some() {
        die_with_hook(|| panic!("a second panic while unwinding from the first"));
        return;
    }
    let log = die_with_hook(|| Running::Stop);
    assert_eq!(log.said(), ["started", "stopping (unwinding)", "stopped (unwinding)"]);

    let this_test = "panics::stopping_hook_runs_during_unwind";
    let aborted = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", this_test])
        .env(ABORTING, "1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(aborted.signal(), Some(SIGABRT), "a panicking hook takes the process with it");
}

#[test]
fn stopping_hook_can_put_the_broken_actor_back_to_work_during_unwind() {
    let log = die_with_hook(|| Running::Continue);
    let said = log.said();
    assert_eq!(said, ["started", "stopping (unwinding)", "behind (unwinding)"]);
}

/// Makes an actor with that hook panic with one message behind; what it logged.
fn die_with_hook(on_stopping: fn() -> Running) -> Log {
    let log = Log::default();
    let subject = Subject { on_stopping, ..Subject::new(&log) };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(locally(async move {
        let (address, receiver) = mailbox(0);
        let crashing = address.send(Do::panic());
        address.do_send(Say("behind"));
        Context::with_receiver(receiver).run(subject);
        assert_eq!(crashing.await, Err(MailboxError::Closed));
    }));
    log
}

struct Worker;

impl Actor for Worker {
    type Context = SyncContext<Self>;
}

/// Asks a worker for its thread, or makes it panic.
#[derive(Message)]
#[rtype(result = "ThreadId")]
struct Work {
    panics: bool,
}

impl Handler<Work> for Worker {
    type Result = actix::MessageResult<Work>;

    fn handle(&mut self, work: Work, _: &mut SyncContext<Self>) -> Self::Result {
        assert!(!work.panics, "boom");
        actix::MessageResult(std::thread::current().id())
    }
}

#[test]
fn sync_arbiter_loses_thread_on_panic() {
    System::new().block_on(async {
        let built = Arc::new(AtomicUsize::new(0));
        let building = Arc::clone(&built);
        // The factory is dropped with the last thread, after that thread's end of the queue.
        let (held, last_thread_ended) = oneshot::channel::<()>();
        let pool = SyncArbiter::start(2, move || {
            let _held = &held;
            building.fetch_add(1, Ordering::SeqCst);
            Worker
        });

        assert_eq!(pool.send(Work { panics: true }).await, Err(MailboxError::Closed));
        let survivor = pool.send(Work { panics: false }).await;
        assert!(survivor.is_ok());
        for _ in 0..50 {
            assert_eq!(pool.send(Work { panics: false }).await, survivor, "one thread is left");
        }

        assert_eq!(pool.send(Work { panics: true }).await, Err(MailboxError::Closed));
        assert!(last_thread_ended.await.is_err());
        assert_eq!(built.load(Ordering::SeqCst), 2, "no thread was replaced");
        assert!(pool.connected(), "and nobody has noticed");
        assert_eq!(pool.send(Work { panics: false }).await, Err(MailboxError::Closed));
        assert!(!pool.connected(), "the forwarder itself panicked on finding no thread");
    });
}
