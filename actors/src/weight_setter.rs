//! WeightSetter: keeps each hotkey's moving average and puts the averages on chain as weights.
//!
//! RewardScorer pushes `StepScored` to it, ChainWatch `EpochTurned`; the console and the end of a
//! run ask it for `Standings`. Every step is in the ledger before the next message is handled, so a
//! crash loses none; an intent is written before weights are set and cleared by the outcome.

pub mod emit;

use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorFutureExt, AsyncContext, Context, Handler, Message, Supervised, WrapFuture,
};
use futures_util::future::{self, Either};
use tokio::sync::watch;

use crate::domain::{BlockNumber, Hotkey, Metagraph, Netuid, Score, Uid};
use crate::ports::{
    Chain, ChainError, Clock, Event, Journal, Ledger, ScoreBook, WeightsCall, WeightsIntent,
};
use crate::runtime::{Failpoints, Job};

use emit::mend::mended;
use emit::{Emission, emission};

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
    /// It is switched off, or being done.
    #[error("weights are {0}")]
    Skipped(&'static str),
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
    /// Who there is.
    pub metagraph: watch::Receiver<Arc<Metagraph>>,
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
}

impl WeightSetter {
    /// Takes up where the ledger's book ends; `book` is what it held.
    #[must_use]
    pub fn new(deps: WeightSetterDeps, book: ScoreBook) -> Self {
        Self { deps, book, setting: false }
    }

    fn save(&self) {
        if let Err(error) = self.deps.ledger.save(&self.book) {
            tracing::error!(%error, "scores are kept in memory only");
        }
    }

    /// Begins a setting; its outcome comes back to the actor and to `reply`.
    fn set(
        &mut self,
        begun: BlockNumber,
        ctx: &mut Context<Self>,
        reply: impl FnOnce(Result<WeightsOnChain, SetError>) + 'static,
    ) {
        if self.deps.config.disabled || self.setting {
            let why = if self.setting { "being set already" } else { "switched off" };
            return reply(Err(SetError::Skipped(why)));
        }
        self.setting = true;
        self.book.intent = Some(WeightsIntent { begun });
        self.save();
        self.deps.failpoints.hit("weight_setter:intent");
        let work = self.deps.clone().put_on_chain(self.book.clone());
        ctx.spawn(work.into_actor(self).map(move |outcome, actor, _| {
            actor.setting = false;
            actor.book.intent = None;
            if let Ok(set) = &outcome {
                actor.book.weights_set = Some(set.block);
            }
            actor.save();
            reply(outcome);
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
        *self = Self::new(self.deps.clone(), book);
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
        self.save();
        self.deps.failpoints.hit("weight_setter:after");
    }
}

impl Handler<Job<EpochTurned>> for WeightSetter {
    type Result = ();

    fn handle(&mut self, job: Job<EpochTurned>, ctx: &mut Context<Self>) {
        self.deps.failpoints.hit("weight_setter:epoch");
        let slot = job.slot;
        self.set(job.message.block, ctx, move |outcome| {
            let _slot = slot;
            match outcome {
                Ok(set) => tracing::info!(block = %set.block, "weights set"),
                Err(error @ (SetError::NothingEarned | SetError::Skipped(_))) => {
                    tracing::info!(%error, "no weights set");
                }
                Err(error) => tracing::warn!(%error, "weights could not be set"),
            }
        });
    }
}

impl Handler<Job<SetWeights>> for WeightSetter {
    type Result = ();

    fn handle(&mut self, job: Job<SetWeights>, ctx: &mut Context<Self>) {
        let Job { reply, slot, .. } = job;
        let begun = self.deps.metagraph.borrow().block;
        self.set(begun, ctx, move |outcome| {
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
    async fn put_on_chain(self, book: ScoreBook) -> Result<WeightsOnChain, SetError> {
        let patience = self.clock.sleep(self.config.patience);
        let outcome = match future::select(Box::pin(self.try_once(book)), patience).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => {
                Err(ChainError::Unreachable("weights were sent, no answer in time".into()).into())
            }
        };
        if !matches!(outcome, Err(SetError::NothingEarned)) {
            let set = outcome.as_ref().ok();
            self.journal.record(Event::WeightsSet {
                block: set.map(|set| set.block),
                uids: set.map(|set| set.uids.clone()).unwrap_or_default(),
                weights: set.map(|set| set.values.clone()).unwrap_or_default(),
                error: outcome.as_ref().err().map(ToString::to_string),
            });
        }
        outcome
    }

    async fn try_once(&self, book: ScoreBook) -> Result<WeightsOnChain, SetError> {
        let rules = self.chain.hyperparameters().await?;
        let metagraph = self.chain.metagraph().await?;
        let emission = emission(&book.scores, &metagraph, &rules);
        let (uids, values) = match mended(emission, &book.scores, &metagraph, &rules) {
            Emission::Weights { uids, values } => (uids, values),
            Emission::NothingEarned => return Err(SetError::NothingEarned),
        };
        let block = self
            .chain
            .set_weights(WeightsCall {
                netuid: self.config.netuid,
                uids: uids.clone(),
                values: values.clone(),
                version_key: self.config.version_key,
            })
            .await?;
        Ok(WeightsOnChain { block, uids, values })
    }
}
