//! WeightSetter: keeps each hotkey's moving average and puts the averages on chain as weights.
//!
//! RewardScorer pushes `StepScored` to it, ChainWatch `EpochTurned`; the console and the end of a
//! run ask it for `Standings`. Every step is in the ledger before the next message is handled, so a
//! crash loses none. What is to be set is in the ledger before it is sent ([`WeightsIntent`]), and
//! stays there until its outcome is known; until then nothing else is set.

pub mod emit;
pub mod intent;
mod readiness;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorFutureExt, AsyncContext, Context, Handler, Message, Supervised, WrapFuture,
};
use futures_util::future::{self, Either};

use crate::domain::{BlockNumber, Hotkey, Netuid, Score, Uid};
use crate::ports::{
    Chain, ChainError, Clock, Event, Journal, Ledger, LedgerError, ScoreBook, WeightsCall,
    WeightsIntent, WeightsWay,
};
use crate::runtime::{Failpoints, Job};

use emit::mend::mended;
use emit::{Emission, emission};
use intent::{Inclusion, NextStep, next_step, resolve};

pub use readiness::{ColdStart, TooEarly};

/// A step is scored: every hotkey that was asked, silence included.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct StepScored {
    /// What each one earned.
    pub rewards: Vec<(Hotkey, Score)>,
}

/// Weights are due.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct EpochTurned {
    /// As of this block.
    pub block: BlockNumber,
}

/// How does everyone stand?
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "ScoreBook")]
pub struct Standings;

/// Set the weights now, whatever the epoch.
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
    /// Scores are kept, but nothing is put on chain.
    pub disabled: bool,
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
    setting: bool,
    /// As of which block a setting was tried last.
    tried: Option<BlockNumber>,
    /// The most neurons that the subnet was seen with.
    most_neurons: usize,
}

/// A setting that is ready to be sent.
struct Plan {
    /// As of this block.
    block: BlockNumber,
    call: WeightsCall,
    /// Everyone on the subnet.
    registered: BTreeSet<Hotkey>,
}

impl WeightSetter {
    /// Takes up where the ledger's book ends; `book` is what it held.
    #[must_use]
    pub fn new(deps: WeightSetterDeps, book: ScoreBook) -> Self {
        Self { deps, book, setting: false, tried: None, most_neurons: 0 }
    }

    fn save(&self) -> Result<(), LedgerError> {
        let saved = self.deps.ledger.save(&self.book);
        if let Err(error) = &saved {
            tracing::error!(%error, "scores are kept in memory only");
        }
        saved
    }

    /// Begins a setting; its outcome comes back to the actor and to `reply`.
    fn set(
        &mut self,
        ctx: &mut Context<Self>,
        reply: impl FnOnce(Result<WeightsOnChain, SetError>) + 'static,
    ) {
        if self.deps.config.disabled || self.setting {
            let why = if self.setting { "being set already" } else { "switched off" };
            return reply(Err(SetError::Skipped(why)));
        }
        self.setting = true;
        let plan = self.deps.clone().plan(self.book.clone());
        ctx.spawn(plan.into_actor(self).map(move |plan, actor, ctx| {
            match plan.and_then(|plan| actor.intend(plan)) {
                Ok(plan) => actor.send(plan, ctx, reply),
                Err(error) => {
                    actor.setting = false;
                    reply(Err(error));
                }
            }
        }));
    }

    /// Notes in the ledger what is about to be sent, if anything may be.
    fn intend(&mut self, plan: Plan) -> Result<Plan, SetError> {
        let block = plan.block;
        if self.tried.is_some_and(|tried| tried >= block) {
            return Err(SetError::Skipped("tried once in this block already"));
        }
        if let Some(intent) = &self.book.intent {
            let step = next_step(intent, block, Inclusion::Unknown);
            if let NextStep::Resend | NextStep::WaitUntil(_) = step {
                let begun = intent.begun;
                tracing::warn!(%begun, ?step, "an earlier setting has no outcome yet");
                return Err(SetError::Skipped("held back until an earlier setting has an outcome"));
            }
            resolve(&mut self.book, step);
        }
        self.tried = Some(block);
        self.book.intent = Some(WeightsIntent {
            begun: block,
            call: plan.call.clone(),
            way: WeightsWay::Plain,
            signed: None,
        });
        if let Err(error) = self.save() {
            self.book.intent = None;
            return Err(error.into());
        }
        self.deps.failpoints.hit("weight_setter:intent");
        Ok(plan)
    }

    fn send(
        &mut self,
        plan: Plan,
        ctx: &mut Context<Self>,
        reply: impl FnOnce(Result<WeightsOnChain, SetError>) + 'static,
    ) {
        let Plan { call, registered, .. } = plan;
        let sent = self.deps.clone().send(call);
        ctx.spawn(sent.into_actor(self).map(move |outcome, actor, _| {
            actor.setting = false;
            match &outcome {
                Ok(set) => {
                    resolve(&mut actor.book, NextStep::Settled(set.block));
                    actor.forget_the_replaced(&registered);
                }
                // Signed bytes may be included yet; the chain that takes unsigned calls drops them.
                Err(ChainError::Unreachable(_)) if actor.is_signed() => {}
                Err(_) => resolve(&mut actor.book, NextStep::Void),
            }
            let _logged = actor.save();
            reply(outcome.map_err(SetError::from));
        }));
    }

    fn is_signed(&self) -> bool {
        self.book.intent.as_ref().is_some_and(|intent| intent.signed.is_some())
    }

    /// Who lost its slot starts from zero when it comes back. A subnet that looks smaller than it
    /// was may be half an answer: then nobody is forgotten, nor at the first setting after a start,
    /// before which nothing was seen.
    fn forget_the_replaced(&mut self, registered: &BTreeSet<Hotkey>) {
        let whole = self.most_neurons > 0 && registered.len() >= self.most_neurons;
        if whole {
            self.book.scores.retain(|hotkey, _| registered.contains(hotkey));
        }
        self.most_neurons = self.most_neurons.max(registered.len());
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
        let (tried, most_neurons) = (self.tried, self.most_neurons);
        *self = Self { tried, most_neurons, ..Self::new(self.deps.clone(), book) };
    }
}

impl Handler<Job<StepScored>> for WeightSetter {
    type Result = ();

    fn handle(&mut self, job: Job<StepScored>, _: &mut Context<Self>) {
        self.deps.failpoints.hit("weight_setter:step");
        let alpha = self.deps.config.alpha;
        for (hotkey, reward) in job.message.rewards {
            let score = self.book.scores.entry(hotkey).or_insert(Score::ZERO);
            *score = score.toward(reward, alpha);
        }
        self.book.steps += 1;
        let _logged = self.save();
        self.deps.failpoints.hit("weight_setter:after");
    }
}

impl Handler<Job<EpochTurned>> for WeightSetter {
    type Result = ();

    fn handle(&mut self, job: Job<EpochTurned>, ctx: &mut Context<Self>) {
        self.deps.failpoints.hit("weight_setter:epoch");
        let slot = job.slot;
        let turned = job.message.block;
        self.set(ctx, move |outcome| {
            let _slot = slot;
            match outcome {
                Ok(set) => tracing::info!(block = %set.block, "weights set"),
                Err(
                    error
                    @ (SetError::NothingEarned | SetError::TooEarly(_) | SetError::Skipped(_)),
                ) => {
                    tracing::info!(%turned, %error, "no weights set");
                }
                Err(error) => tracing::warn!(%turned, %error, "weights could not be set"),
            }
        });
    }
}

impl Handler<Job<SetWeights>> for WeightSetter {
    type Result = ();

    fn handle(&mut self, job: Job<SetWeights>, ctx: &mut Context<Self>) {
        let Job { reply, slot, .. } = job;
        self.set(ctx, move |outcome| {
            let _slot = slot;
            reply.send(outcome);
        });
    }
}

impl Handler<Job<Standings>> for WeightSetter {
    type Result = ();

    fn handle(&mut self, job: Job<Standings>, _: &mut Context<Self>) {
        job.reply.send(self.book.clone());
    }
}

impl WeightSetterDeps {
    /// Works out what to set, as the chain is now.
    async fn plan(self, book: ScoreBook) -> Result<Plan, SetError> {
        let reads =
            async { Ok((self.chain.hyperparameters().await?, self.chain.metagraph().await?)) };
        let read = self.bounded(reads, "no answer in time").await;
        if let Err(error) = &read {
            self.journal.record(attempt(Vec::new(), Vec::new(), Err(error)));
        }
        let (rules, metagraph) = read?;
        self.config.cold_start.check(&book, &metagraph)?;
        let earned = emission(&book.scores, &metagraph, &rules);
        let mended = mended(earned.clone(), &book.scores, &metagraph, &rules);
        if mended != earned {
            tracing::warn!("the chain would refuse the weights by its own rules: they are mended");
        }
        let (uids, values) = match mended {
            Emission::Weights { uids, values } => (uids, values),
            Emission::NothingEarned => return Err(SetError::NothingEarned),
        };
        let WeightSetterConfig { netuid, version_key, .. } = self.config;
        let call = WeightsCall { netuid, uids, values, version_key };
        let registered = metagraph.neurons.into_iter().map(|neuron| neuron.hotkey).collect();
        Ok(Plan { block: metagraph.block, call, registered })
    }

    async fn send(self, call: WeightsCall) -> Result<WeightsOnChain, ChainError> {
        let WeightsCall { uids, values, .. } = call.clone();
        let sent = self.chain.set_weights(call);
        let outcome = self.bounded(sent, "weights were sent, no answer in time").await;
        self.journal.record(attempt(uids.clone(), values.clone(), outcome.as_ref().copied()));
        Ok(WeightsOnChain { block: outcome?, uids, values })
    }

    async fn bounded<T>(
        &self,
        answer: impl Future<Output = Result<T, ChainError>>,
        late: &str,
    ) -> Result<T, ChainError> {
        let patience = self.clock.sleep(self.config.patience);
        match future::select(Box::pin(answer), patience).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(ChainError::Unreachable(late.into())),
        }
    }
}

fn attempt(uids: Vec<Uid>, weights: Vec<u16>, outcome: Result<BlockNumber, &ChainError>) -> Event {
    let error = outcome.err().map(ToString::to_string);
    Event::WeightsSet { block: outcome.ok(), uids, weights, error }
}
