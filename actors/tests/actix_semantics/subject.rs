//! The actor under observation: it logs what happens to it, and does what a message tells it to.

use std::future::Future;
use std::sync::Arc;

use actix::dev::channel::{AddressReceiver, channel};
use actix::{Actor, Addr, Context, Handler, Message, Running, SpawnHandle, Supervised};
use parking_lot::Mutex;
use tokio::task::LocalSet;

/// What happened, in order. Lines written while the thread unwinds say so.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn say(&self, what: &str) {
        let unwinding = if std::thread::panicking() { " (unwinding)" } else { "" };
        self.0.lock().push(format!("{what}{unwinding}"));
    }

    pub(crate) fn said(&self) -> Vec<String> {
        self.0.lock().clone()
    }
}

/// Says something when it is dropped.
pub(crate) struct LastWords(pub(crate) Log, pub(crate) &'static str);

impl Drop for LastWords {
    fn drop(&mut self) {
        self.0.say(self.1);
    }
}

pub(crate) struct Subject {
    pub(crate) log: Log,
    pub(crate) on_started: fn(&mut Subject, &mut Context<Subject>),
    pub(crate) on_stopping: fn() -> Running,
    pub(crate) kept: Vec<SpawnHandle>,
}

impl Subject {
    pub(crate) fn new(log: &Log) -> Self {
        Self {
            log: log.clone(),
            on_started: |_, _| {},
            on_stopping: || Running::Stop,
            kept: Vec::new(),
        }
    }
}

impl Actor for Subject {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.log.say("started");
        (self.on_started)(self, ctx);
    }

    fn stopping(&mut self, _: &mut Context<Self>) -> Running {
        self.log.say("stopping");
        (self.on_stopping)()
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        self.log.say("stopped");
    }
}

impl Supervised for Subject {
    fn restarting(&mut self, _: &mut Context<Self>) {
        self.log.say("restarting");
    }
}

/// Makes the subject say something.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Say(pub(crate) &'static str);

impl Handler<Say> for Subject {
    type Result = ();

    fn handle(&mut self, Say(what): Say, _: &mut Context<Self>) {
        self.log.say(what);
    }
}

type Action = Box<dyn FnOnce(&mut Subject, &mut Context<Subject>) + Send>;

/// Makes the subject do something.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Do(Action);

impl Do {
    pub(crate) fn new(
        action: impl FnOnce(&mut Subject, &mut Context<Subject>) + Send + 'static,
    ) -> Self {
        Self(Box::new(action))
    }

    pub(crate) fn panic() -> Self {
        Self::new(|_, _| panic!("boom"))
    }
}

impl Handler<Do> for Subject {
    type Result = ();

    fn handle(&mut self, Do(action): Do, ctx: &mut Context<Self>) {
        action(self, ctx);
    }
}

/// A mailbox that nobody reads yet.
pub(crate) fn mailbox(capacity: usize) -> (Addr<Subject>, AddressReceiver<Subject>) {
    let (sender, receiver) = channel(capacity);
    (Addr::new(sender), receiver)
}

/// Runs a test on a local task set, where actors can be started without a system.
pub(crate) async fn locally<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(test).await
}
