//! Axon: a miner's door. It refuses whom it must, in the SDK's order (blacklist, then signature),
//! lets the rest in by stake, and hands them to Assistant.
//!
//! The HTTP server asks it to `Admit`; it asks Assistant to `Respond`.

use std::collections::BinaryHeap;
use std::sync::Arc;

use actix::{Actor, AsyncContext, Context, Handler, Message, Supervised};
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use crate::assistant::{Respond, RespondError};
use crate::domain::{Hotkey, Metagraph, Moment, Query, Tao};
use crate::ports::{CallerCheck, Clock, Event, Journal, SignedHead, Standing};
use crate::runtime::{Failpoints, Job, Port, Reply, Slot, Tasks};

/// Answer a request, or refuse it.
#[derive(Debug, Message)]
#[rtype(result = "Result<String, Refusal>")]
pub struct Admit {
    /// Who says that it asks.
    pub head: SignedHead,
    /// What is asked.
    pub query: Query,
}

/// A request that was not answered: HTTP status and message as the SDK's axon words them
/// (wire.md §6).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status} {message}")]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// What the caller is told.
    pub message: String,
}

/// Whom the axon serves.
#[derive(Clone, Debug)]
pub struct AxonConfig {
    /// Callers who are on no subnet are served too.
    pub allow_non_registered: bool,
    /// Callers without a validator permit are refused.
    pub force_validator_permit: bool,
    /// So many requests are with Assistant at once; the rest wait, the largest stake first.
    pub in_flight: usize,
    /// So many wait; one more is refused at once.
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

struct Waiting {
    stake: Tao,
    arrival: u64,
    deadline: Moment,
    caller: Hotkey,
    query: Query,
    reply: Reply<Result<String, Refusal>>,
    slot: Slot,
}

/// The actor.
pub struct Axon {
    deps: AxonDeps,
    waiting: BinaryHeap<Waiting>,
    in_flight: usize,
    arrivals: u64,
    /// One message for each request that left Assistant.
    done: mpsc::UnboundedSender<()>,
    finished: Option<mpsc::UnboundedReceiver<()>>,
}

impl Axon {
    /// A new one, with an empty queue.
    #[must_use]
    pub fn new(deps: AxonDeps) -> Self {
        // Unbounded, but it holds at most `in_flight` messages.
        let (done, finished) = mpsc::unbounded_channel();
        Self {
            deps,
            waiting: BinaryHeap::new(),
            in_flight: 0,
            arrivals: 0,
            done,
            finished: Some(finished),
        }
    }

    fn admit(&self, message: &Admit) -> Result<(Hotkey, Tao), Refusal> {
        let metagraph = Arc::clone(&self.deps.metagraph.borrow());
        let claimed = message.head.hotkey.as_deref().unwrap_or_default();
        let neuron = metagraph.neurons.iter().find(|neuron| neuron.hotkey.as_str() == claimed);
        let blacklisted = match neuron {
            None if !self.deps.config.allow_non_registered => Some("Unrecognized hotkey"),
            None if self.deps.config.force_validator_permit => Some("No validator permit"),
            Some(n) if self.deps.config.force_validator_permit && !n.validator_permit => {
                Some("No validator permit")
            }
            None | Some(_) => None,
        };
        if let Some(reason) = blacklisted {
            let message = format!("Forbidden. Key is blacklisted: {reason}.");
            return Err(Refusal { status: 403, message });
        }
        let now = self.deps.clock.unix();
        let standing = if neuron.is_some() { Standing::Registered } else { Standing::Stranger };
        let verified = self.deps.check.lock().verify(&message.head, standing, now);
        let caller = verified.map_err(|cause| Refusal {
            status: 401,
            message: format!("Not Verified with error: {cause}"),
        })?;
        if self.waiting.len() >= self.deps.config.waiting {
            return Err(Refusal { status: 503, message: "Too many requests are waiting.".into() });
        }
        Ok((caller, neuron.map_or(Tao(0.0), |neuron| neuron.stake)))
    }

    fn dispatch(&mut self) {
        while self.in_flight < self.deps.config.in_flight {
            let Some(next) = self.waiting.pop() else { return };
            if next.reply.is_abandoned() {
                continue;
            }
            self.in_flight += 1;
            let left = Left(self.done.clone());
            let deps = self.deps.clone();
            self.deps.tasks.spawn("respond", async move {
                let _left = left;
                deps.failpoints.hit("axon:task");
                let Waiting { caller, query, deadline, reply, slot, .. } = next;
                let _slot = slot;
                let began = deps.clock.now();
                let prompt = query.messages.last().cloned().unwrap_or_default();
                let answer = deps.assistant.ask(Respond { query, deadline }, deadline).await;
                let answer = match answer {
                    Ok(Ok(completion)) => Ok(completion),
                    Ok(Err(RespondError::Failed(cause))) => Err(Refusal {
                        status: 500,
                        message: format!("Internal server error with error: {cause}"),
                    }),
                    Err(error) => Err(Refusal { status: 503, message: format!("{error}.") }),
                };
                journal(&deps, caller.as_str(), prompt, &answer, began);
                reply.send(answer);
            });
        }
    }
}

/// Tells the axon that a request left Assistant, however it did.
struct Left(mpsc::UnboundedSender<()>);

impl Drop for Left {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

fn journal(
    deps: &AxonDeps,
    caller: &str,
    prompt: String,
    answer: &Result<String, Refusal>,
    began: Moment,
) {
    let (status, message, completion) = match answer {
        Ok(completion) => (200, "Success".to_owned(), completion.clone()),
        Err(refusal) => (refusal.status, refusal.message.clone(), String::new()),
    };
    deps.journal.record(Event::Served {
        hotkey: caller.to_owned(),
        status,
        message,
        prompt,
        completion,
        seconds: deps.clock.now().since(began).as_secs_f64(),
    });
}

impl Actor for Axon {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        if let Some(finished) = self.finished.take() {
            let stream = futures_util::stream::unfold(finished, |mut finished| async move {
                finished.recv().await.map(|()| (Done, finished))
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

/// A request left Assistant.
struct Done;

impl actix::StreamHandler<Done> for Axon {
    fn handle(&mut self, _: Done, _: &mut Context<Self>) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.dispatch();
    }

    // The default stops the actor; this stream ends only with the actor itself.
    fn finished(&mut self, _: &mut Context<Self>) {}
}

impl Handler<Job<Admit>> for Axon {
    type Result = ();

    fn handle(&mut self, job: Job<Admit>, _: &mut Context<Self>) {
        self.deps.failpoints.hit("axon:admit");
        let Job { message, reply, slot, .. } = job;
        let (caller, stake) = match self.admit(&message) {
            Ok(admitted) => admitted,
            Err(refusal) => {
                let claimed = message.head.hotkey.clone().unwrap_or_default();
                let now = self.deps.clock.now();
                journal(&self.deps, &claimed, String::new(), &Err(refusal.clone()), now);
                return reply.send(Err(refusal));
            }
        };
        self.arrivals += 1;
        self.waiting.push(Waiting {
            stake,
            arrival: self.arrivals,
            deadline: self.deps.clock.now().after(message.head.timeout),
            caller,
            query: message.query,
            reply,
            slot,
        });
        self.dispatch();
    }
}

impl Ord for Waiting {
    /// The larger stake first, then the earlier arrival.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.stake.0.total_cmp(&other.stake.0).then(other.arrival.cmp(&self.arrival))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}
