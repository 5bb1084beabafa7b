//! ChainWatch: follows the chain. It publishes the metagraph and tells of blocks.
//!
//! Nobody sends to it; it offers `BlockArrived` to WeightSetter, publishes the metagraph through a
//! watch that Dendrite and Axon read, and the head through another that health is judged by: that
//! blocks arrive.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Supervised, WrapFuture};
use tokio::sync::watch;

use crate::domain::{BlockNumber, Metagraph, Moment};
use crate::ports::{Chain, ChainError, Clock, in_time};
use crate::runtime::{Failpoints, Port};
use crate::weight_setter::BlockArrived;

/// The newest block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub block: BlockNumber,
    /// When it was told of.
    pub seen: Moment,
}

/// How the chain is followed.
#[derive(Clone, Copy, Debug)]
pub struct ChainWatchConfig {
    /// The metagraph is read again after so many blocks.
    pub resync_blocks: u64,
    /// How long any answer of the chain may take.
    pub patience: Duration,
}

/// What ChainWatch works with, and is rebuilt from.
#[derive(Clone)]
pub struct ChainWatchDeps {
    /// How the chain is followed.
    pub config: ChainWatchConfig,
    /// The chain.
    pub chain: Arc<dyn Chain>,
    /// Where the metagraph is published.
    pub metagraph: Arc<watch::Sender<Arc<Metagraph>>>,
    /// Where the head is published; none before the first block.
    pub head: Arc<watch::Sender<Option<Head>>>,
    /// Who is told of blocks; a miner has none.
    pub weight_setter: Option<Port<BlockArrived>>,
    /// Paces tries.
    pub clock: Arc<dyn Clock>,
    /// For tests.
    pub failpoints: Failpoints,
}

/// The actor.
pub struct ChainWatch {
    deps: ChainWatchDeps,
}

impl ChainWatch {
    /// A new one; it has no state to lose.
    #[must_use]
    pub fn new(deps: ChainWatchDeps) -> Self {
        Self { deps }
    }
}

impl Actor for ChainWatch {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.deps.failpoints.hit("chain_watch:started");
        ctx.spawn(self.deps.clone().follow().into_actor(self));
    }
}

impl Supervised for ChainWatch {
    fn restarting(&mut self, _: &mut Context<Self>) {
        *self = Self::new(self.deps.clone());
    }
}

impl ChainWatchDeps {
    async fn follow(self) {
        let mut seen = BlockNumber(0);
        let mut read_at: Option<BlockNumber> = None;
        let mut failures = 0_u32;
        loop {
            match self.next(seen).await {
                Ok(block) => {
                    self.failpoints.hit("chain_watch:block");
                    (seen, failures) = (block, 0);
                    self.resync(block, &mut read_at).await;
                }
                Err(error) => {
                    let pause = Duration::from_secs(1 << failures.min(5));
                    failures = failures.saturating_add(1);
                    tracing::warn!(%error, failures, ?pause, "the chain does not answer");
                    self.clock.sleep(pause).await;
                }
            }
        }
    }

    /// Waits for the next block and tells of it.
    async fn next(&self, seen: BlockNumber) -> Result<BlockNumber, ChainError> {
        let block = self.bounded(self.chain.block_after(seen)).await?;
        // After a restart the chain tells of a block that is known: that makes it no younger.
        self.head.send_if_modified(|head| {
            let newer = head.is_none_or(|head| head.block < block);
            if newer {
                *head = Some(Head { block, seen: self.clock.now() });
            }
            newer
        });
        if let Some(weight_setter) = &self.weight_setter
            && weight_setter.offer(BlockArrived { block }).is_err()
        {
            tracing::debug!(%block, "weights are being set still");
        }
        Ok(block)
    }

    /// Reads the metagraph if that is due at a block; where it cannot be read, the next block is for
    /// another try. Blocks flow all the same: what WeightSetter does with them cannot wait.
    async fn resync(&self, block: BlockNumber, read_at: &mut Option<BlockNumber>) {
        let fresh = |read: BlockNumber| block.0.saturating_sub(read.0) < self.config.resync_blocks;
        if read_at.is_some_and(fresh) {
            return;
        }
        match self.bounded(self.chain.metagraph()).await {
            Ok(metagraph) => {
                *read_at = Some(metagraph.block);
                self.publish(metagraph);
            }
            Err(error) => tracing::warn!(%error, %block, "the metagraph cannot be read"),
        }
    }

    /// A subnet does not empty itself: such an answer is the node's fault, and the last one stays.
    fn publish(&self, metagraph: Metagraph) {
        if metagraph.neurons.is_empty() && !self.metagraph.borrow().neurons.is_empty() {
            tracing::warn!(block = %metagraph.block, "the chain shows no neurons; the last stay");
            return;
        }
        self.metagraph.send_replace(Arc::new(metagraph));
    }

    async fn bounded<T>(
        &self,
        answer: impl Future<Output = Result<T, ChainError>>,
    ) -> Result<T, ChainError> {
        let answer = in_time(&*self.clock, self.config.patience, answer).await;
        answer.unwrap_or_else(|| Err(ChainError::Unreachable("no answer in time".into())))
    }
}
