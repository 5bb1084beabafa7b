//! Axon: a miner's door. It refuses whom it must, in the SDK's order (blacklist, then signature),
//! lets the rest in by stake, and hands them to Assistant.
//!
//! The HTTP server first asks it to let a caller in by the head of the request alone (`Knock`), so
//! that nobody's body is read who may not ask, and then to `Admit` the question; it asks Assistant
//! to `Respond`.

mod gate;
mod queue;
mod rate;
mod refusal;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use actix::{Actor, AsyncContext, Context, Handler, Message, Supervised};
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use crate::assistant::{Respond, RespondError};
use crate::domain::{Hotkey, Metagraph, Moment, Query};
use crate::ports::{CallerCheck, Clock, Event, Journal, Piece, SignedHead};
use crate::runtime::{AskError, Failpoints, Job, Port, Tasks};

pub use gate::{Blacklist, Pass};
use queue::{Queue, Waiting};
use rate::RateLimits;
pub use refusal::Refusal;

/// Let a caller in, or refuse it.
#[derive(Debug, Message)]
#[rtype(result = "Result<Pass, Refusal>")]
pub struct Knock {
    /// Who says that it asks.
    pub head: SignedHead,
    /// It only wants to know whether somebody is there.
    pub ping: bool,
}

/// Answer somebody who was let in.
#[derive(Debug, Message)]
#[rtype(result = "Result<String, Refusal>")]
pub struct Admit {
    /// Who asks.
    pub pass: Pass,
    /// What is asked; it hashes to what the caller signed.
    pub query: Query,
    /// Where the answer goes piece by piece while it is written, as in
    /// [`Generate`](crate::model_worker::Generate). What no piece held is only in the answer.
    pub pieces: Option<mpsc::Sender<Piece>>,
}

/// Whom the axon lets in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Admission {
    /// Who is refused.
    pub blacklist: Blacklist,
    /// A registered hotkey may ask so many times a second on average; 0 is no limit.
    pub requests_per_second: u32,
}

/// Whom the axon serves, and how many at once.
#[derive(Clone, Debug)]
pub struct AxonConfig {
    /// Whom it lets in, as its operator has it now; each request is judged by the latest.
    pub admission: watch::Receiver<Arc<Admission>>,
    /// So many requests are with Assistant at once; the rest wait, the largest stake first.
    pub in_flight: usize,
    /// So many wait; one more is refused at once, or takes the place of the smallest stake.
    pub waiting: usize,
}

/// What Axon works with, and is rebuilt from.
#[derive(Clone)]
pub struct AxonDeps {
    /// Whom it serves.
    pub config: AxonConfig,
    /// Verifies callers; it outlives a restart, so that a replay is known after one too.
    pub check: Arc<Mutex<dyn CallerCheck>>,
    /// Who is registered.
    pub metagraph: watch::Receiver<Arc<Metagraph>>,
    /// Who answers.
    pub assistant: Port<Respond>,
    /// Deadlines.
    pub clock: Arc<dyn Clock>,
    /// What happened.
    pub journal: Arc<dyn Journal>,
    /// Where requests run.
    pub tasks: Tasks,
    /// For tests.
    pub failpoints: Failpoints,
}

/// The actor.
pub struct Axon {
    deps: AxonDeps,
    rates: RateLimits,
    queue: Queue,
    /// How many requests of each caller are with Assistant.
    in_flight: HashMap<Hotkey, usize>,
    /// Whose request left Assistant, once for each that did.
    done: mpsc::UnboundedSender<Hotkey>,
    finished: Option<mpsc::UnboundedReceiver<Hotkey>>,
}

/// One caller may have a quarter of the places, of those who wait and, while others wait, of those
/// who are being answered.
fn share_of(places: usize) -> usize {
    places.div_ceil(4)
}

impl Axon {
    /// A new one, with an empty queue.
    #[must_use]
    pub fn new(deps: AxonDeps) -> Self {
        // Unbounded, but it holds at most `in_flight` messages.
        let (done, finished) = mpsc::unbounded_channel();
        Self {
            rates: RateLimits::default(),
            queue: Queue::with_places(deps.config.waiting),
            deps,
            in_flight: HashMap::new(),
            done,
            finished: Some(finished),
        }
    }

    fn has_place(&mut self, pass: &Pass) -> bool {
        self.drop_unwanted();
        self.under_way() < self.deps.config.in_flight
            || self.queue.has_place(&pass.caller, pass.stake)
    }

    fn under_way(&self) -> usize {
        self.in_flight.values().sum()
    }

    /// Nobody waits any more for an answer to these: no work is done for them.
    fn drop_unwanted(&mut self) {
        let now = self.deps.clock.now();
        for gone in self.queue.take_unwanted(now) {
            let refusal = Refusal::new(408, "The caller was gone before its turn came.");
            self.deps.note(gone.caller.as_str(), String::new(), &Err(refusal), gone.since);
        }
    }

    fn dispatch(&mut self) {
        self.drop_unwanted();
        let (places, share) = (self.deps.config.in_flight, share_of(self.deps.config.in_flight));
        while self.under_way() < places {
            let busy = |caller: &Hotkey| self.in_flight.get(caller).is_some_and(|n| *n >= share);
            let Some(next) = self.queue.pop(busy) else { return };
            *self.in_flight.entry(next.caller.clone()).or_default() += 1;
            let left = Left(self.done.clone(), next.caller.clone());
            let deps = self.deps.clone();
            self.deps.tasks.spawn("respond", async move {
                let _left = left;
                deps.failpoints.hit("axon:task");
                deps.respond(next).await;
            });
        }
    }
}

impl AxonDeps {
    /// Has one request answered, and says in the journal what came of it.
    async fn respond(&self, waiting: Waiting) {
        let Waiting { caller, query, pieces, deadline, mut reply, slot, .. } = waiting;
        let _slot = slot;
        let began = self.clock.now();
        let prompt = query.messages.last().cloned().unwrap_or_default();
        let respond = Respond { query, pieces, deadline };
        let answer = tokio::select! {
            answer = self.assistant.ask(respond, deadline) => match answer {
                Ok(Ok(completion)) => Ok(completion),
                Ok(Err(RespondError::Failed(cause))) => Err(Refusal::internal(cause)),
                Err(AskError::Deadline) => Err(Refusal::timed_out(deadline.since(began))),
                Err(error @ (AskError::Interrupted | AskError::Gone)) => {
                    Err(Refusal::internal(error.to_string()))
                }
            },
            () = reply.abandoned() => Err(Refusal::new(408, "The caller hung up.")),
        };
        self.note(caller.as_str(), prompt, &answer, began);
        reply.send(answer);
    }

    fn note(&self, caller: &str, prompt: String, answer: &Result<String, Refusal>, began: Moment) {
        let (status, message, completion) = match answer {
            Ok(completion) => (200, "Success".to_owned(), completion.clone()),
            Err(refusal) => (refusal.status, refusal.for_the_operator().to_owned(), String::new()),
        };
        self.journal.record(Event::Served {
            hotkey: caller.to_owned(),
            status,
            message,
            prompt,
            completion,
            seconds: self.clock.now().since(began).as_secs_f64(),
        });
    }
}

/// Tells the axon that a request left Assistant, however it did.
struct Left(mpsc::UnboundedSender<Hotkey>, Hotkey);

impl Drop for Left {
    fn drop(&mut self) {
        let _ = self.0.send(self.1.clone());
    }
}

impl Actor for Axon {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        if let Some(finished) = self.finished.take() {
            let stream = futures_util::stream::unfold(finished, |mut finished| async move {
                finished.recv().await.map(|caller| (Done(caller), finished))
            });
            ctx.add_stream(stream);
        }
    }
}

impl Supervised for Axon {
    fn restarting(&mut self, _: &mut Context<Self>) {
        *self = Self::new(self.deps.clone());
    }
}

/// A request of this caller left Assistant.
struct Done(Hotkey);

impl actix::StreamHandler<Done> for Axon {
    fn handle(&mut self, Done(caller): Done, _: &mut Context<Self>) {
        if let Entry::Occupied(mut count) = self.in_flight.entry(caller) {
            match count.get_mut() {
                0 | 1 => drop(count.remove()),
                more => *more -= 1,
            }
        }
        self.dispatch();
    }

    // The default stops the actor; this stream ends only with the actor itself.
    fn finished(&mut self, _: &mut Context<Self>) {}
}

impl Handler<Job<Knock>> for Axon {
    type Result = ();

    fn handle(&mut self, job: Job<Knock>, _: &mut Context<Self>) {
        self.deps.failpoints.hit("axon:knock");
        let Job { message, reply, slot } = job;
        let _slot = slot;
        let answer = match self.deps.let_in(&message, &mut self.rates) {
            Ok(pass) if !message.ping && !self.has_place(&pass) => Err(Refusal::full()),
            answer => answer,
        };
        if let Err(refusal) = &answer {
            let claimed = message.head.hotkey.as_deref().unwrap_or_default();
            let now = self.deps.clock.now();
            self.deps.note(claimed, String::new(), &Err(refusal.clone()), now);
        }
        reply.send(answer);
    }
}

impl Handler<Job<Admit>> for Axon {
    type Result = ();

    fn handle(&mut self, job: Job<Admit>, _: &mut Context<Self>) {
        self.deps.failpoints.hit("axon:admit");
        let Job { message: Admit { pass, query, pieces }, reply, slot } = job;
        let Pass { caller, stake, deadline } = pass;
        let since = self.deps.clock.now();
        let waiting = Waiting { caller, stake, since, deadline, query, pieces, reply, slot };
        if let Some(outdone) = self.queue.push(waiting) {
            let refusal = Err(Refusal::full());
            let now = self.deps.clock.now();
            self.deps.note(outdone.caller.as_str(), String::new(), &refusal, now);
            outdone.reply.send(refusal);
        }
        self.dispatch();
    }
}
