//! One actor that can be made to do everything, and what it runs on.

#![expect(clippy::panic, clippy::expect_used, reason = "test code outside of a test function")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::fut::wrap_future;
use actix::{Actor, AsyncContext, Context, Handler, Message, Supervised};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use sn1_actors::domain::Moment;
use sn1_actors::ports::{Clock, Event, Journal, JournalError, TokioClock};
use sn1_actors::runtime::{ActorStatus, Inbox, Job, Overseer, Port, RestartPolicy, Tasks};
use tokio::task::LocalSet;

/// The name of the actor that every stage has.
pub(crate) const NAME: &str = "probe";

/// A policy with pauses long enough to be seen.
pub(crate) const POLICY: RestartPolicy = RestartPolicy {
    budget: 3,
    window: Duration::from_secs(600),
    first_pause: Duration::from_secs(1),
    longest_pause: Duration::from_secs(60),
};

/// Keeps what was recorded.
#[derive(Default)]
pub(crate) struct FakeJournal(Mutex<Vec<Event>>);

impl FakeJournal {
    /// Cause and pause of every crash.
    pub(crate) fn crashes(&self) -> Vec<(String, Option<Duration>)> {
        let crash = |event: &Event| match event {
            Event::ActorCrashed { actor, cause, restarting_in } if actor == NAME => {
                Some((cause.clone(), *restarting_in))
            }
            _ => None,
        };
        self.0.lock().iter().filter_map(crash).collect()
    }
}

impl Journal for FakeJournal {
    fn record(&self, event: Event) {
        self.0.lock().push(event);
    }

    fn ready(&self) -> BoxFuture<'static, Result<(), JournalError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// What the test and all generations of its actor share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tasks: Tasks,
    /// When each generation started.
    pub(crate) started: Rc<RefCell<Vec<Moment>>>,
    /// What was said, with the generation that said it.
    pub(crate) said: Rc<RefCell<Vec<(&'static str, u32)>>>,
    /// The jobs that the actor handed on instead of finishing them.
    pub(crate) shelf: Rc<RefCell<Vec<Job<Keep>>>>,
    /// So many restarts will panic.
    pub(crate) bad_restarts: Rc<Cell<u32>>,
}

pub(crate) struct Probe {
    shared: Shared,
    generation: u32,
}

impl Actor for Probe {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.shared.started.borrow_mut().push(self.shared.clock.now());
    }
}

impl Supervised for Probe {
    fn restarting(&mut self, _: &mut Context<Self>) {
        let left = self.shared.bad_restarts.get();
        if left > 0 {
            self.shared.bad_restarts.set(left - 1);
            panic!("no restart");
        }
        *self = Self { shared: self.shared.clone(), generation: self.generation + 1 };
    }
}

impl Probe {
    fn say(&self, what: &'static str) {
        self.shared.said.borrow_mut().push((what, self.generation));
    }
}

/// Is said; answered with the generation that said it.
#[derive(Debug, Message)]
#[rtype(result = "u32")]
pub(crate) struct Say(pub(crate) &'static str);

impl Handler<Job<Say>> for Probe {
    type Result = ();

    fn handle(&mut self, job: Job<Say>, _: &mut Context<Self>) {
        self.say(job.message.0);
        job.reply.send(self.generation);
    }
}

/// Panics in every generation before that one; answered with the generation.
#[derive(Clone, Debug, Message)]
#[rtype(result = "u32")]
pub(crate) struct CrashBefore(pub(crate) u32);

impl Handler<Job<CrashBefore>> for Probe {
    type Result = ();

    fn handle(&mut self, job: Job<CrashBefore>, _: &mut Context<Self>) {
        assert!(self.generation >= job.message.0, "boom in generation {}", self.generation);
        job.reply.send(self.generation);
    }
}

/// Put on the shelf, slot and all.
#[derive(Debug, PartialEq, Eq, Message)]
#[rtype(result = "&'static str")]
pub(crate) struct Keep(pub(crate) u32);

impl Handler<Job<Keep>> for Probe {
    type Result = ();

    fn handle(&mut self, job: Job<Keep>, _: &mut Context<Self>) {
        self.shared.shelf.borrow_mut().push(job);
    }
}

/// Begins a minute's work twice, as a task and in the actor's own context, then panics.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct BeginAndCrash;

impl Handler<Job<BeginAndCrash>> for Probe {
    type Result = ();

    fn handle(&mut self, _: Job<BeginAndCrash>, ctx: &mut Context<Self>) {
        for (what, as_task) in [("task done", true), ("context done", false)] {
            let said = Rc::clone(&self.shared.said);
            let generation = self.generation;
            let minute = self.shared.clock.sleep(Duration::from_secs(60));
            let work = async move {
                minute.await;
                said.borrow_mut().push((what, generation));
            };
            if as_task {
                self.shared.tasks.spawn("work", work);
            } else {
                ctx.spawn(wrap_future(work));
            }
        }
        panic!("boom after beginning");
    }
}

/// An overseer, an inbox, and what its actor will share with the test.
pub(crate) struct Stage {
    pub(crate) overseer: Overseer,
    pub(crate) journal: Arc<FakeJournal>,
    pub(crate) shared: Shared,
    inbox: Inbox<Probe>,
}

impl Stage {
    fn new() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::starting_now(|| Duration::ZERO));
        let journal = Arc::new(FakeJournal::default());
        let overseer = Overseer::new(Arc::clone(&clock), journal.clone());
        let shared = Shared {
            tasks: overseer.tasks().clone(),
            clock: Arc::clone(&clock),
            started: Rc::default(),
            said: Rc::default(),
            shelf: Rc::default(),
            bad_restarts: Rc::default(),
        };
        Self { overseer, journal, shared, inbox: Inbox::open(NAME, clock) }
    }

    pub(crate) fn port<M>(&self, capacity: usize) -> Port<M>
    where
        Probe: Handler<Job<M>>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        self.inbox.port(capacity)
    }

    /// Starts the actor; what is left of the stage watches it.
    pub(crate) fn supervise(self, policy: RestartPolicy) -> Watch {
        let Self { overseer, journal, shared, inbox } = self;
        overseer.supervise(inbox, policy, Probe { shared: shared.clone(), generation: 0 });
        Watch { overseer, journal, shared }
    }
}

/// Looks on while the actor runs.
pub(crate) struct Watch {
    pub(crate) overseer: Overseer,
    pub(crate) journal: Arc<FakeJournal>,
    pub(crate) shared: Shared,
}

impl Watch {
    pub(crate) fn now(&self) -> Moment {
        self.shared.clock.now()
    }

    /// Lets virtual time pass. It only passes once nobody has anything left to do, so even the
    /// shortest pause lets everyone finish.
    pub(crate) async fn pass(&self, time: Duration) {
        self.shared.clock.sleep(time).await;
    }

    pub(crate) async fn settle(&self) {
        self.pass(Duration::from_millis(1)).await;
    }

    pub(crate) fn said(&self) -> Vec<(&'static str, u32)> {
        self.shared.said.borrow().clone()
    }

    pub(crate) fn generations(&self) -> usize {
        self.shared.started.borrow().len()
    }

    pub(crate) fn status(&self) -> ActorStatus {
        let [status] = self.overseer.roster().all().try_into().expect("one actor");
        status
    }
}

/// Runs a test on a stage of its own.
pub(crate) async fn staged(test: impl AsyncFnOnce(Stage)) {
    LocalSet::new().run_until(async { test(Stage::new()).await }).await;
}
