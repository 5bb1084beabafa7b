//! ModelWorker: the language model as an actor. It owns admission and batching; a device thread
//! does the computing, or a remote backend writes the texts.
//!
//! TaskMaker, PersonaAgent and Assistant ask it to `Generate`, RewardScorer to `Embed`. Sequences
//! of different askers share each step of the device; embeddings run between steps, in small
//! batches. Each lane has a queue of its own, so that a burst of one does not starve the others.
//!
//! When the device fails and is built anew, sequences go on where they were, save those that may
//! have brought it down.

pub mod blocks;
pub mod detokeniser;
pub mod device_thread;
pub mod embed_queue;
pub mod growing_text;
pub mod lanes;
pub mod meter;
pub mod outbox;
pub mod prefix_cache;
mod remote;
mod requests;
pub mod sampling;
pub mod scheduler;
pub mod stand_in;
pub mod stop_strings;
pub mod text_stream;
mod waiting;

use std::sync::Arc;

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, Supervised, WrapFuture};

use crate::domain::Moment;
use crate::ports::{
    Clock, Codec, Device, DeviceDone, DeviceWork, EngineError, SequenceId, Step, TextBackend,
};
use crate::runtime::{Failpoints, Fault, FaultKind, Job, KillSwitch};

pub use requests::{Embed, Generate, ModelError, generate};

use embed_queue::EmbedQueue;
use meter::ModelMeter;
use remote::{RemoteJob, RemoteQueue};
use requests::check_texts;
use scheduler::{Laid, Loss, Refusal, Request, Scheduler, SchedulerConfig};
use stop_strings::StopStrings;
use text_stream::TextStream;
use waiting::Waiting;

/// Where texts are written.
#[derive(Clone)]
pub enum TextSource {
    /// On the device of this process; the codec is its model's.
    Local(Arc<dyn Codec>),
    /// Elsewhere.
    Remote(Arc<dyn TextBackend>),
}

/// What ModelWorker works with, and is rebuilt from.
#[derive(Clone)]
pub struct ModelWorkerDeps {
    /// Where texts are written.
    pub text: TextSource,
    /// Where embeddings are made, and texts if they are local; it survives a restart of the actor.
    pub device: Arc<dyn Device>,
    /// How requests are batched.
    pub config: SchedulerConfig,
    /// Times requests.
    pub clock: Arc<dyn Clock>,
    /// Counts what is done; it survives a restart of the actor.
    pub meter: Arc<ModelMeter>,
    /// Tripped when the device is lost.
    pub kill: KillSwitch,
    /// For tests.
    pub failpoints: Failpoints,
}

/// What the device has to do now.
enum Turn {
    Step(Laid),
    Embed(Vec<String>),
}

/// The actor.
pub struct ModelWorker {
    deps: ModelWorkerDeps,
    scheduler: Scheduler<Waiting>,
    embeds: EmbedQueue<Job<Embed>>,
    remote: RemoteQueue,
    busy: bool,
    /// Whether embeddings go first the next time that both wait.
    embeds_next: bool,
}

impl ModelWorker {
    /// A new one, whose device forgets all sequences of the one before it.
    #[must_use]
    pub fn new(deps: ModelWorkerDeps) -> Self {
        Self {
            scheduler: Scheduler::new(deps.config),
            embeds: EmbedQueue::new(deps.config.embed_texts, deps.config.embed_tokens),
            remote: RemoteQueue::default(),
            busy: false,
            embeds_next: false,
            deps,
        }
    }

    /// Gives the device and the backend their next work, if they are free and there is any.
    fn pump(&mut self, ctx: &mut Context<Self>) {
        self.begin_remote(ctx);
        if self.busy {
            return;
        }
        self.end_early();
        let Some(turn) = self.next_turn() else { return };
        self.deps.failpoints.hit("model_worker:step");
        let began = self.deps.clock.now();
        let (work, laid) = match turn {
            Turn::Embed(texts) => (DeviceWork::Embed { texts }, None),
            Turn::Step(Laid { step, .. }) if step.rows.is_empty() => (DeviceWork::Step(step), None),
            Turn::Step(laid) => {
                self.scheduler.each_running(|waiting| waiting.admitted(began));
                let counts = Laid { step: Step::default(), ..laid };
                (DeviceWork::Step(laid.step), Some(counts))
            }
        };
        let embeds = matches!(work, DeviceWork::Embed { .. });
        self.busy = true;
        let done = self.deps.device.run(work).into_actor(self);
        ctx.spawn(done.map(move |done, actor, ctx| {
            actor.busy = false;
            let took = actor.deps.clock.now().since(began);
            actor.deps.meter.busy_us.add_time(took);
            if let Some(laid) = &laid {
                actor.deps.meter.step_took(took, laid.prefill, laid.decode);
            }
            if embeds {
                actor.embedded(done);
            } else {
                actor.stepped(done, laid.as_ref());
            }
            actor.pump(ctx);
        }));
    }

    /// Steps and embeddings take turns while both wait.
    fn next_turn(&mut self) -> Option<Turn> {
        let embeds_first = std::mem::take(&mut self.embeds_next);
        if embeds_first && let Some(texts) = self.embeds.next_batch() {
            return Some(Turn::Embed(texts));
        }
        if let Some(laid) = self.scheduler.next_step() {
            self.embeds_next = true;
            return Some(Turn::Step(laid));
        }
        self.embeds.next_batch().map(Turn::Embed)
    }

    /// Takes out whatever nobody waits for any more, or too late.
    fn end_early(&mut self) {
        let now = self.deps.clock.now();
        for waiting in self.scheduler.take_out(|waiting| waiting.end(now).is_some()) {
            if let Some(error) = waiting.end(now) {
                self.deps.meter.ended_early(&error);
                waiting.fail(error);
            }
        }
        let gone = self.embeds.take_out(|job| job.reply.is_abandoned());
        self.deps.meter.cancelled.add(gone.len());
    }

    fn begin_remote(&mut self, ctx: &mut Context<Self>) {
        let TextSource::Remote(backend) = &self.deps.text else { return };
        for (job, error) in self.remote.take_out(self.deps.clock.now()) {
            self.deps.meter.ended_early(&error);
            job.reply.send(Err(error));
        }
        while let Some(job) = self.remote.begin(backend.capacity()) {
            let (clock, meter) = (Arc::clone(&self.deps.clock), Arc::clone(&self.deps.meter));
            let written = remote::write(Arc::clone(backend), clock, meter, job);
            ctx.spawn(written.into_actor(self).map(move |(), actor, ctx| {
                actor.remote.ended();
                actor.begin_remote(ctx);
            }));
        }
    }

    fn embedded(&mut self, done: Result<DeviceDone, EngineError>) {
        match done {
            Ok(DeviceDone::Embeddings(vectors)) if vectors.len() == self.embeds.awaited() => {
                self.deps.meter.embedded_texts.add(vectors.len());
                for done in self.embeds.apply(vectors) {
                    done.carried.reply.send(Ok(done.vectors));
                }
            }
            Ok(_) => self.embeds_failed(&mixed_up()),
            Err(error @ EngineError::Request(_)) => {
                if let Some(job) = self.embeds.refused() {
                    job.reply.send(Err(model_error(&error)));
                }
            }
            Err(error) => self.embeds_failed(&error),
        }
    }

    fn embeds_failed(&mut self, error: &EngineError) {
        for job in self.embeds.failed() {
            job.reply.send(Err(model_error(error)));
        }
        self.device_failed(error);
    }

    /// `laid` is what the step was made of; without it the device only had something to forget.
    fn stepped(&mut self, done: Result<DeviceDone, EngineError>, laid: Option<&Laid>) {
        self.deps.failpoints.hit("model_worker:stepped");
        let logits = match done {
            Ok(DeviceDone::Logits(logits)) if logits.len() == self.scheduler.awaited() => logits,
            Ok(_) => return self.device_failed(&mixed_up()),
            Err(error) => return self.device_failed(&error),
        };
        let (Some(laid), TextSource::Local(codec)) = (laid, &self.deps.text) else { return };
        let (codec, now) = (Arc::clone(codec), self.deps.clock.now());
        self.count(laid, logits.len());
        let see = |waiting: &mut Waiting, token| waiting.token(codec.as_ref(), token, now);
        for finished in self.scheduler.apply(&logits, see) {
            Waiting::answer(finished, codec.as_ref(), now);
        }
    }

    fn count(&self, laid: &Laid, new_tokens: usize) {
        let meter = &self.deps.meter;
        meter.steps.add(1);
        meter.prompt_tokens.add(laid.prompt);
        meter.cached_tokens.add(laid.cached);
        meter.prefilled_tokens.add(laid.prefill);
        meter.decoded_tokens.add(new_tokens);
    }

    fn device_failed(&mut self, error: &EngineError) {
        tracing::error!(%error, "the device failed");
        let loss = match error {
            EngineError::Request(_) => Loss::Step,
            EngineError::Recoverable(_) => {
                self.deps.meter.rebuilds.add(1);
                Loss::Memory
            }
            EngineError::Poisoned(cause) => {
                self.deps.kill.trip(Fault {
                    kind: FaultKind::DeviceLost,
                    part: "model_worker".into(),
                    cause: cause.clone(),
                });
                Loss::Device
            }
        };
        for waiting in self.scheduler.device_failed(loss) {
            waiting.fail(model_error(error));
        }
    }

    fn refuse(&self, refusal: Refusal) -> ModelError {
        let error = ModelError::Refused(refusal);
        self.deps.meter.ended_early(&error);
        error
    }

    fn submit_local(&mut self, job: Job<Generate>, codec: &dyn Codec) {
        let Job { message, reply, slot } = job;
        let prompt_ids = match codec.encode_chat(&message.messages) {
            Ok(ids) => ids,
            Err(error) => return reply.send(Err(ModelError::Request(error.to_string()))),
        };
        let stop = match StopStrings::new(message.stop.clone()) {
            Ok(stop) => stop,
            Err(refusal) => return reply.send(Err(self.refuse(refusal))),
        };
        let request = Request { prompt_ids, sampling: message.sampling, lane: message.lane };
        let asked = self.deps.clock.now();
        let waiting = Waiting::new(message, TextStream::new(stop), reply, slot, asked);
        let submitted = self.scheduler.submit(request, codec.context_length(), waiting);
        if let Err((waiting, refusal)) = submitted {
            waiting.fail(self.refuse(refusal));
        }
    }

    fn submit_remote(&mut self, job: Job<Generate>, asked: Moment) {
        let Job { message, reply, slot } = job;
        match self.remote.check(&message, &self.deps.config) {
            Ok(()) => self.remote.push(RemoteJob { request: message, reply, slot, asked }),
            Err(refusal) => reply.send(Err(self.refuse(refusal))),
        }
    }
}

fn mixed_up() -> EngineError {
    EngineError::Recoverable("it gave what it was not asked for".into())
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
        match self.deps.text.clone() {
            TextSource::Local(codec) => self.submit_local(job, codec.as_ref()),
            TextSource::Remote(_) => self.submit_remote(job, self.deps.clock.now()),
        }
        self.pump(ctx);
    }
}

impl Handler<Job<Embed>> for ModelWorker {
    type Result = ();

    fn handle(&mut self, mut job: Job<Embed>, ctx: &mut Context<Self>) {
        self.deps.failpoints.hit("model_worker:embed");
        let texts = std::mem::take(&mut job.message.texts);
        match check_texts(&texts, self.embeds.len(), self.deps.config.queue) {
            Ok(()) => self.embeds.push(texts, job),
            Err(refusal) => job.reply.send(Err(self.refuse(refusal))),
        }
        self.pump(ctx);
    }
}
