//! WeightSetter: keeps each hotkey's moving average and puts the averages on chain as weights.
//!
//! RewardScorer pushes `StepScored` to it, ChainWatch offers `BlockArrived`; the console and the end
//! of a run ask it for `Standings`. Every step is in the ledger before the next message is handled,
//! so a crash loses none. What is to be set is signed and in the ledger before it is sent
//! ([`WeightsIntent`]), and stays there until its outcome is known; until then nothing else is set.
//! Each block is one occasion: to look for what was sent, to reveal a commit, or to set.

pub mod averages;
pub mod emit;
mod errands;
pub mod intent;
mod readiness;
mod reveals;
mod schedule;

use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorFutureExt, AsyncContext, Context, Handler, Message, Supervised, WrapFuture,
};

use crate::domain::{
    BlockNumber, ConversationId, Hotkey, Hyperparameters, Metagraph, Netuid, Score, Turn, Uid,
};
use crate::ports::{
    Chain, ChainError, Clock, Event, Journal, Ledger, LedgerError, PreparedWeights, ScoreBook,
    Sighting, SignedCall, WeightsCall, WeightsIntent,
};
use crate::runtime::{Failpoints, Job};

use averages::Census;
use errands::ONCE;
use intent::{NextStep, next_step, resolve};
use schedule::due_after;

pub use readiness::{ColdStart, TooEarly};

/// A step is scored: every hotkey that was asked, silence included.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct StepScored {
    /// Of which conversation.
    pub conversation: ConversationId,
    /// Which turn of it.
    pub turn: Turn,
    /// What each one earned.
    pub rewards: Vec<(Hotkey, Score)>,
}

/// A new final block is there.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct BlockArrived {
    /// Its number.
    pub block: BlockNumber,
}

/// How does everyone stand?
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "ScoreBook")]
pub struct Standings;

/// Set the weights now, whether they are due or not.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Result<WeightsOnChain, SetError>")]
pub struct SetWeights;

/// Weights that the chain took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightsOnChain {
    /// The block they are in.
    pub block: BlockNumber,
    /// Whom they are for.
    pub uids: Vec<Uid>,
    /// Their values; the largest is 65535.
    pub values: Vec<u16>,
}

/// Why no weights were set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// Nobody earned anything, so there is nothing to set.
    #[error("nobody has earned anything yet")]
    NothingEarned,
    /// The scores are too few or too new to judge anybody by.
    #[error(transparent)]
    TooEarly(#[from] TooEarly),
    /// It is switched off, or being done, or was done in this block.
    #[error("weights are {0}")]
    Skipped(&'static str),
    /// What is to be sent could not be saved, so it was not sent: after a crash nobody would know.
    #[error("weights are not sent: {0}")]
    NotKept(#[from] LedgerError),
    /// The chain did not take them.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// How scores become weights.
#[derive(Clone, Debug)]
pub struct WeightSetterConfig {
    /// Which subnet.
    pub netuid: Netuid,
    /// How much the newest step counts in the moving average, in `0.0..=1.0`.
    pub alpha: f64,
    /// This program's version as the chain wants it.
    pub version_key: u64,
    /// No setting is begun. Scores are kept, and what was begun before is settled and revealed.
    pub disabled: bool,
    /// Weights are due so many blocks after the last (`neuron.epoch_length`).
    pub epoch_blocks: u64,
    /// From when on there are scores enough to set weights.
    pub cold_start: ColdStart,
    /// How long a setting may take before its outcome counts as unknown.
    pub patience: Duration,
}

/// What WeightSetter works with, and is rebuilt from.
#[derive(Clone)]
pub struct WeightSetterDeps {
    /// How scores become weights.
    pub config: WeightSetterConfig,
    /// The chain.
    pub chain: Arc<dyn Chain>,
    /// Keeps the scores.
    pub ledger: Arc<dyn Ledger>,
    /// Bounds the wait for the chain.
    pub clock: Arc<dyn Clock>,
    /// What happened.
    pub journal: Arc<dyn Journal>,
    /// For tests.
    pub failpoints: Failpoints,
}

/// The actor.
pub struct WeightSetter {
    deps: WeightSetterDeps,
    book: ScoreBook,
    /// Something is under way with the chain.
    busy: bool,
    /// The newest block that was told of or read.
    newest: BlockNumber,
    /// As of which block a setting was tried last.
    tried: Option<BlockNumber>,
    /// When weights are to be set next.
    due: BlockNumber,
    /// When the oldest commit is to be revealed; tried at once after a start.
    reveal_due: BlockNumber,
    /// A reveal failed: where a setting is to be made or settled, the next block is for that.
    set_next: bool,
    /// How many neurons the subnet was seen with.
    census: Census,
}

/// A setting that is ready to be signed.
#[derive(Clone)]
struct Plan {
    /// Everyone on the subnet, as of some block.
    metagraph: Metagraph,
    rules: Hyperparameters,
    call: WeightsCall,
}

/// Who waits for the outcome of a setting.
type Waiting = Box<dyn FnOnce(Result<WeightsOnChain, SetError>)>;

impl WeightSetter {
    /// Takes up where the ledger's book ends; `book` is what it held.
    #[must_use]
    pub fn new(deps: WeightSetterDeps, book: ScoreBook) -> Self {
        let epoch_blocks = deps.config.epoch_blocks;
        let due = book.weights_set.map_or(0, |set| set.0.saturating_add(epoch_blocks));
        let (due, reveal_due) = (BlockNumber(due), BlockNumber(0));
        Self {
            deps,
            book,
            busy: false,
            newest: BlockNumber(0),
            tried: None,
            due,
            reveal_due,
            set_next: false,
            census: Census::default(),
        }
    }

    fn save(&self) -> Result<(), LedgerError> {
        let saved = self.deps.ledger.save(&self.book);
        if let Err(error) = &saved {
            tracing::error!(%error, "scores are kept in memory only");
        }
        saved
    }

    /// Begins a setting, or settles the last one if its outcome is not known.
    fn set(&mut self, ctx: &mut Context<Self>, waiting: Waiting) {
        if self.busy {
            return waiting(Err(SetError::Skipped("being set already")));
        }
        self.busy = true;
        let begun = self.book.intent.clone();
        match begun.and_then(|intent| Some((intent.signed.clone()?, intent))) {
            Some((signed, intent)) => self.settle(intent, signed, ctx, waiting),
            None => {
                // What was not signed was not sent.
                resolve(&mut self.book, NextStep::Void);
                self.plan(ctx, waiting);
            }
        }
    }

    /// Tells the outcome, and when the next setting is due.
    fn finish(&mut self, outcome: Result<WeightsOnChain, SetError>, waiting: Waiting) {
        self.busy = false;
        let due = due_after(&outcome, self.newest, self.deps.config.epoch_blocks);
        self.due = due.unwrap_or(self.due);
        waiting(outcome);
    }

    /// Finds out what became of an earlier setting.
    fn settle(
        &mut self,
        intent: WeightsIntent,
        signed: SignedCall,
        ctx: &mut Context<Self>,
        waiting: Waiting,
    ) {
        let looked = self.deps.clone().look_for(signed);
        ctx.spawn(looked.into_actor(self).map(move |looked, actor, ctx| match looked {
            Ok(sighting) => actor.act_on(sighting, intent, ctx, waiting),
            Err(error) => actor.finish(Err(error.into()), waiting),
        }));
    }

    fn act_on(
        &mut self,
        sighting: Sighting,
        intent: WeightsIntent,
        ctx: &mut Context<Self>,
        waiting: Waiting,
    ) {
        let (now, begun) = (sighting.as_of, intent.begun);
        self.newest = self.newest.max(now);
        let step = next_step(&intent, now, sighting.inclusion);
        match step {
            NextStep::Settled(block) => {
                tracing::info!(%begun, %block, "an earlier setting is on chain after all");
                self.deps.found(&intent, block);
                let set = self.settled(&intent, block);
                self.finish(Ok(set), waiting);
            }
            NextStep::Void | NextStep::Abandon => {
                tracing::warn!(%begun, ?step, "an earlier setting is given up");
                resolve(&mut self.book, step);
                let _logged = self.save();
                self.plan(ctx, waiting);
            }
            NextStep::WaitUntil(until) => {
                tracing::warn!(%begun, %until, "an earlier setting has no outcome yet");
                let held = "held back until an earlier setting has an outcome";
                self.finish(Err(SetError::Skipped(held)), waiting);
            }
            NextStep::Resend if self.tried.is_some_and(|tried| tried >= now) => {
                self.finish(Err(SetError::Skipped(ONCE)), waiting);
            }
            NextStep::Resend => {
                self.tried = Some(now);
                let sent = self.deps.clone().send(intent.clone());
                ctx.spawn(sent.into_actor(self).map(move |sent, actor, _| {
                    // Only where the bytes are says what became of them: they were sent before.
                    let set = sent.map(|block| actor.settled(&intent, block));
                    actor.finish(set.map_err(SetError::from), waiting);
                }));
            }
        }
    }

    /// Notes in the book that an intent is on chain.
    fn settled(&mut self, intent: &WeightsIntent, block: BlockNumber) -> WeightsOnChain {
        resolve(&mut self.book, NextStep::Settled(block));
        let _logged = self.save();
        let WeightsCall { uids, values, .. } = intent.call.clone();
        WeightsOnChain { block, uids, values }
    }

    /// Works out a new setting, signs it, and sends it once it is in the ledger.
    fn plan(&mut self, ctx: &mut Context<Self>, waiting: Waiting) {
        if self.deps.config.disabled {
            return self.finish(Err(SetError::Skipped("switched off")), waiting);
        }
        let read = self.deps.clone().read();
        ctx.spawn(read.into_actor(self).map(move |read, actor, ctx| {
            match read.and_then(|(rules, metagraph)| actor.decide(rules, metagraph)) {
                Ok(plan) => actor.sign(plan, ctx, waiting),
                Err(error) => actor.finish(Err(error), waiting),
            }
        }));
    }

    /// What to set, as the chain was read and the scores are now.
    fn decide(&self, rules: Hyperparameters, metagraph: Metagraph) -> Result<Plan, SetError> {
        let plan = self.deps.planned(&self.book, rules, metagraph)?;
        if self.tried.is_some_and(|tried| tried >= plan.metagraph.block) {
            return Err(SetError::Skipped(ONCE));
        }
        let Plan { metagraph, rules, call } = plan.clone();
        let WeightsCall { uids, values: weights, .. } = call;
        self.deps.journal.record(Event::WeightsPlanned { metagraph, rules, uids, weights });
        Ok(plan)
    }

    fn sign(&mut self, plan: Plan, ctx: &mut Context<Self>, waiting: Waiting) {
        let signed = self.deps.clone().sign(plan.call.clone());
        ctx.spawn(signed.into_actor(self).map(move |signed, actor, ctx| {
            match signed.and_then(|prepared| actor.intend(&plan, prepared)) {
                Ok(intent) => actor.send(intent, plan.metagraph, ctx, waiting),
                Err(error) => actor.finish(Err(error), waiting),
            }
        }));
    }

    /// Notes in the ledger what is about to be sent.
    fn intend(
        &mut self,
        plan: &Plan,
        prepared: PreparedWeights,
    ) -> Result<WeightsIntent, SetError> {
        let block = plan.metagraph.block;
        self.tried = Some(block);
        self.newest = self.newest.max(block);
        let PreparedWeights { way, signed } = prepared;
        let intent = WeightsIntent { begun: block, call: plan.call.clone(), way, signed };
        self.book.intent = Some(intent.clone());
        if let Err(error) = self.save() {
            self.book.intent = None;
            return Err(error.into());
        }
        self.deps.failpoints.hit("weight_setter:intent");
        Ok(intent)
    }

    fn send(
        &mut self,
        intent: WeightsIntent,
        metagraph: Metagraph,
        ctx: &mut Context<Self>,
        waiting: Waiting,
    ) {
        let sent = self.deps.clone().send(intent.clone());
        ctx.spawn(sent.into_actor(self).map(move |outcome, actor, _| {
            let outcome = match outcome {
                Ok(block) => {
                    actor.census.forget_the_replaced(&mut actor.book.scores, &metagraph);
                    Ok(actor.settled(&intent, block))
                }
                // Signed bytes may be included yet; the chain that takes unsigned calls drops them,
                // or says at the next try that it is too soon.
                Err(error @ (ChainError::Unreachable(_) | ChainError::Outdated(_)))
                    if intent.signed.is_some() =>
                {
                    Err(error)
                }
                Err(error) => {
                    resolve(&mut actor.book, NextStep::Void);
                    let _logged = actor.save();
                    Err(error)
                }
            };
            actor.finish(outcome.map_err(SetError::from), waiting);
        }));
    }
}

impl Actor for WeightSetter {
    type Context = Context<Self>;
}

impl Supervised for WeightSetter {
    fn restarting(&mut self, _: &mut Context<Self>) {
        let book = match self.deps.ledger.load() {
            // A save may have failed; what is in memory then is ahead, and whole.
            Ok(book) if book.steps >= self.book.steps => book,
            Ok(_) => std::mem::take(&mut self.book),
            Err(error) => {
                tracing::error!(%error, "the scores in memory are used instead");
                std::mem::take(&mut self.book)
            }
        };
        let Self { newest, tried, due, census, .. } = *self;
        *self = Self { newest, tried, due, census, ..Self::new(self.deps.clone(), book) };
    }
}

impl Handler<Job<StepScored>> for WeightSetter {
    type Result = ();

    fn handle(&mut self, job: Job<StepScored>, _: &mut Context<Self>) {
        self.deps.failpoints.hit("weight_setter:step");
        let alpha = self.deps.config.alpha;
        let StepScored { conversation, turn, rewards } = job.message;
        let averages = averages::take_step(&mut self.book.scores, rewards, alpha);
        self.book.steps += 1;
        let _logged = self.save();
        let steps = self.book.steps;
        self.deps.journal.record(Event::AveragesMoved { conversation, turn, steps, averages });
        self.deps.failpoints.hit("weight_setter:after");
    }
}

impl Handler<Job<BlockArrived>> for WeightSetter {
    type Result = ();

    fn handle(&mut self, job: Job<BlockArrived>, ctx: &mut Context<Self>) {
        self.deps.failpoints.hit("weight_setter:block");
        let now = job.message.block;
        self.newest = self.newest.max(now);
        if self.busy {
            return;
        }
        let set_due = now >= self.due && !self.deps.config.disabled || self.book.intent.is_some();
        let set_first = std::mem::take(&mut self.set_next) && set_due;
        if !set_first && let Some(reveal) = self.to_reveal(now) {
            return self.reveal(reveal, now, ctx);
        }
        if !set_due {
            return;
        }
        let slot = job.slot;
        let told = move |outcome: Result<WeightsOnChain, SetError>| {
            let _slot = slot;
            tell(&outcome, now);
        };
        self.set(ctx, Box::new(told));
    }
}

/// Says how a setting went that nobody asked for.
fn tell(outcome: &Result<WeightsOnChain, SetError>, now: BlockNumber) {
    match outcome {
        Ok(set) => tracing::info!(block = %set.block, "weights set"),
        Err(
            error @ (SetError::NothingEarned
            | SetError::TooEarly(_)
            | SetError::Skipped(_)
            | SetError::Chain(ChainError::TooSoon { .. })),
        ) => tracing::info!(%now, %error, "no weights set"),
        Err(
            error @ (SetError::NotKept(_)
            | SetError::Chain(ChainError::Unreachable(_) | ChainError::Outdated(_))),
        ) => tracing::warn!(%now, %error, "weights could not be set"),
        Err(SetError::Chain(error)) => {
            tracing::error!(%now, %error, "the chain refuses the weights: somebody must see to it");
        }
    }
}

impl Handler<Job<SetWeights>> for WeightSetter {
    type Result = ();

    fn handle(&mut self, job: Job<SetWeights>, ctx: &mut Context<Self>) {
        let Job { reply, slot, .. } = job;
        let told = move |outcome| {
            let _slot = slot;
            reply.send(outcome);
        };
        self.set(ctx, Box::new(told));
    }
}

impl Handler<Job<Standings>> for WeightSetter {
    type Result = ();

    fn handle(&mut self, job: Job<Standings>, _: &mut Context<Self>) {
        job.reply.send(self.book.clone());
    }
}
