//! ModelWorker: the language model as an actor. It owns admission and batching; a device thread
//! does the computing.
//!
//! TaskMaker, PersonaAgent and Assistant ask it to `Generate`, RewardScorer to `Embed`. Sequences
//! of different askers share each step of the device. Validator's and miners' requests have queues
//! of their own, so that a burst of one does not starve the other.

pub mod device_thread;
pub mod sampling;
pub mod scheduler;
pub mod stand_in;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorFutureExt, AsyncContext, Context, Handler, Message, Supervised, WrapFuture,
};

use crate::domain::{ChatMessage, Generation, Lane, Moment, Sampling};
use crate::ports::{Clock, Codec, Device, DeviceDone, DeviceWork, EngineError, SequenceId, Step};
use crate::runtime::{AskError, Failpoints, Fault, FaultKind, Job, KillSwitch, Port, Reply, Slot};

use scheduler::{Finished, Request, Scheduler, SchedulerConfig};

/// Write a text.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Generation, ModelError>")]
pub struct Generate {
    /// The chat that the text continues.
    pub messages: Vec<ChatMessage>,
    /// How the next token is chosen.
    pub sampling: Sampling,
    /// On whose behalf.
    pub lane: Lane,
}

/// Turn texts into unit vectors.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<Vec<f32>>, ModelError>")]
pub struct Embed {
    /// The texts; one vector comes back for each.
    pub texts: Vec<String>,
}

/// Why there is no text and no vector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The request is at fault; asking again changes nothing.
    #[error("the model cannot take this request: {0}")]
    Request(String),
    /// The device failed; asking again may succeed.
    #[error("the model failed: {0}")]
    Failed(String),
    /// No answer in time, or the actor is gone.
    #[error("the model did not answer: {0}")]
    NoAnswer(AskError),
}

/// Asks for a text with `patience`, again if the actor is restarted meanwhile.
///
/// # Errors
/// [`ModelError`] by what the asker can do about it.
pub async fn generate(
    port: &Port<Generate>,
    request: Generate,
    patience: Duration,
) -> Result<Generation, ModelError> {
    let deadline = port.within(patience);
    port.ask_again(request, deadline).await.map_err(ModelError::NoAnswer)?
}

/// What ModelWorker works with, and is rebuilt from.
#[derive(Clone)]
pub struct ModelWorkerDeps {
    /// Text to tokens and back.
    pub codec: Arc<dyn Codec>,
    /// Where the model runs; it survives a restart of the actor.
    pub device: Arc<dyn Device>,
    /// How requests are batched.
    pub config: SchedulerConfig,
    /// Times requests.
    pub clock: Arc<dyn Clock>,
    /// Tripped when the device is lost.
    pub kill: KillSwitch,
    /// For tests.
    pub failpoints: Failpoints,
}

struct Waiting {
    reply: Reply<Result<Generation, ModelError>>,
    prompt_ids: Vec<u32>,
    asked: Moment,
    admitted: Option<Moment>,
    first_token: Option<Moment>,
    _slot: Slot,
}

/// The actor.
pub struct ModelWorker {
    deps: ModelWorkerDeps,
    scheduler: Scheduler<Waiting>,
    embeds: VecDeque<Job<Embed>>,
    busy: bool,
}

impl ModelWorker {
    /// A new one, whose device forgets all sequences of the one before it.
    #[must_use]
    pub fn new(deps: ModelWorkerDeps) -> Self {
        Self { scheduler: Scheduler::new(deps.config), embeds: VecDeque::new(), busy: false, deps }
    }

    /// Gives the device its next piece of work, if it is free and there is any.
    fn pump(&mut self, ctx: &mut Context<Self>) {
        if self.busy {
            return;
        }
        self.scheduler.drop_abandoned(|waiting| waiting.reply.is_abandoned());
        let (work, embed) = match self.embeds.pop_front() {
            Some(job) if job.reply.is_abandoned() => return self.pump(ctx),
            Some(job) => (DeviceWork::Embed { texts: job.message.texts.clone() }, Some(job)),
            None => match self.scheduler.next_step() {
                Some((released, rows)) => {
                    (DeviceWork::Step(Step { released, rows, ..Step::default() }), None)
                }
                None => return,
            },
        };
        self.deps.failpoints.hit("model_worker:step");
        let now = self.deps.clock.now();
        self.scheduler.each_running(|waiting| {
            waiting.admitted.get_or_insert(now);
        });
        self.busy = true;
        let done = self.deps.device.run(work).into_actor(self);
        ctx.spawn(done.map(move |done, actor, ctx| {
            actor.busy = false;
            match embed {
                Some(job) => actor.embedded(job, done),
                None => actor.stepped(done),
            }
            actor.pump(ctx);
        }));
    }

    fn embedded(&mut self, job: Job<Embed>, done: Result<DeviceDone, EngineError>) {
        let answer = match done {
            Ok(DeviceDone::Embeddings(vectors)) => Ok(vectors),
            Ok(DeviceDone::Logits(_)) => Err(ModelError::Failed("the device mixed up".into())),
            Err(error) => {
                if !matches!(error, EngineError::Request(_)) {
                    self.device_failed(&error);
                }
                Err(model_error(&error))
            }
        };
        job.reply.send(answer);
    }

    fn stepped(&mut self, done: Result<DeviceDone, EngineError>) {
        self.deps.failpoints.hit("model_worker:stepped");
        match done {
            Ok(DeviceDone::Logits(logits)) => {
                let now = self.deps.clock.now();
                let codec = Arc::clone(&self.deps.codec);
                let finished = self.scheduler.apply(
                    &logits,
                    |id| codec.is_stop(id),
                    |waiting| {
                        waiting.first_token.get_or_insert(now);
                    },
                );
                for finished in finished {
                    self.answer(finished, now);
                }
            }
            Ok(DeviceDone::Embeddings(_)) => {
                self.device_failed(&EngineError::Recoverable("the device mixed up".into()));
            }
            Err(error) => self.device_failed(&error),
        }
    }

    /// All sequences are lost with the device's memory of them.
    fn device_failed(&mut self, error: &EngineError) {
        tracing::error!(%error, "the device failed");
        if let EngineError::Poisoned(cause) = error {
            self.deps.kill.trip(Fault {
                kind: FaultKind::DeviceLost,
                part: "model_worker".into(),
                cause: cause.clone(),
            });
        }
        for waiting in self.scheduler.fail_running() {
            waiting.reply.send(Err(model_error(error)));
        }
    }

    fn answer(&self, finished: Finished<Waiting>, now: Moment) {
        let Finished { carried, generated_ids, reason } = finished;
        let admitted = carried.admitted.unwrap_or(carried.asked);
        let first = carried.first_token.unwrap_or(now);
        carried.reply.send(Ok(Generation {
            text: self.deps.codec.decode(&generated_ids).trim().to_owned(),
            prompt_ids: carried.prompt_ids,
            generated_ids,
            finish_reason: reason,
            queued: admitted.since(carried.asked),
            prefill: first.since(admitted),
            decode: now.since(first),
        }));
    }
}

fn model_error(error: &EngineError) -> ModelError {
    match error {
        EngineError::Request(cause) => ModelError::Request(cause.clone()),
        EngineError::Recoverable(cause) | EngineError::Poisoned(cause) => {
            ModelError::Failed(cause.clone())
        }
    }
}

impl Actor for ModelWorker {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let all = (0..self.deps.config.max_sequences).map(SequenceId).collect();
        let forget = DeviceWork::Step(Step { released: all, ..Step::default() });
        let forget = self.deps.device.run(forget);
        self.busy = true;
        ctx.spawn(forget.into_actor(self).map(|_, actor, ctx| {
            actor.busy = false;
            actor.pump(ctx);
        }));
    }
}

impl Supervised for ModelWorker {
    fn restarting(&mut self, _: &mut Context<Self>) {
        *self = Self::new(self.deps.clone());
    }
}

impl Handler<Job<Generate>> for ModelWorker {
    type Result = ();

    fn handle(&mut self, job: Job<Generate>, ctx: &mut Context<Self>) {
        self.deps.failpoints.hit("model_worker:generate");
        let Job { message, reply, slot, .. } = job;
        let prompt_ids = match self.deps.codec.encode_chat(&message.messages) {
            Ok(ids) => ids,
            Err(error) => return reply.send(Err(ModelError::Request(error.to_string()))),
        };
        let waiting = Waiting {
            reply,
            prompt_ids: prompt_ids.clone(),
            asked: self.deps.clock.now(),
            admitted: None,
            first_token: None,
            _slot: slot,
        };
        let request = Request { prompt_ids, sampling: message.sampling, lane: message.lane };
        let context_length = self.deps.codec.context_length();
        if let Err((waiting, refusal)) = self.scheduler.submit(request, context_length, waiting) {
            return waiting.reply.send(Err(ModelError::Request(refusal.to_string())));
        }
        self.pump(ctx);
    }
}

impl Handler<Job<Embed>> for ModelWorker {
    type Result = ();

    fn handle(&mut self, job: Job<Embed>, ctx: &mut Context<Self>) {
        self.deps.failpoints.hit("model_worker:embed");
        self.embeds.push_back(job);
        self.pump(ctx);
    }
}
