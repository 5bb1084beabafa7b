//! A subnet inside the process, for `sn1 localnet` and for tests of what sits on top of it.
//!
//! It has the real chain's rules for weights and axons, its block and epoch schedule, and a
//! metagraph; blocks come from a [`Clock`], so with virtual time a day passes at once. Left out:
//! keys and signatures (a handle simply speaks for its hotkey), registration fees, stake that
//! moves, commit-reveal, bonds and the whole Yuma consensus. Permits follow the stake at once and
//! not at the next epoch.
//!
//! A call is in the block after the one in which it is made, as a transaction would be. A caller
//! that drops the future before that block has not made the call.

mod rules;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{self, BoxFuture};
use parking_lot::Mutex;
use sn1_actors::domain::{
    BlockNumber, Coldkey, Hotkey, Hyperparameters, Metagraph, Moment, Netuid, Neuron, Tao, Uid,
};
use sn1_actors::ports::{
    Chain, ChainError, Clock, Inclusion, PendingReveal, PreparedWeights, Sighting, SignedCall,
    WeightsCall, WeightsIntent, WeightsWay,
};

/// How many neurons fit.
const CAPACITY: usize = 1024;

/// The local subnet's number, pace and rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalChainConfig {
    /// Which subnet it is.
    pub netuid: Netuid,
    /// From one block to the next; not zero.
    pub block_time: Duration,
    /// How many of those with the most stake may set weights.
    pub max_validators: u16,
    /// Blocks that must lie between two publications of one hotkey's axon.
    pub serving_rate_limit: u64,
    /// What the chain says its rules for weights are, and goes by.
    pub hyperparameters: Hyperparameters,
}

impl Default for LocalChainConfig {
    /// Quick to watch: a block a second, an epoch every 20 blocks, weights every 10.
    fn default() -> Self {
        Self {
            netuid: Netuid(1),
            block_time: Duration::from_secs(1),
            max_validators: 64,
            serving_rate_limit: 0,
            hyperparameters: Hyperparameters {
                tempo: 19,
                weights_rate_limit: 10,
                min_allowed_weights: 1,
                max_weight_limit: u16::MAX,
                weights_version: 0,
            },
        }
    }
}

/// What a local chain cannot be set up with.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LocalChainError {
    /// Blocks must take time.
    #[error("a local chain needs a block time above zero")]
    NoBlockTime,
    /// Each hotkey has one slot.
    #[error("hotkey {0} is registered already")]
    AlreadyRegistered(Hotkey),
    /// Stake is a finite number from 0 up.
    #[error("{stake} TAO is no stake for hotkey {hotkey}: it must be finite and not negative")]
    NoStake {
        /// Whose it should be.
        hotkey: Hotkey,
        /// How much.
        stake: f64,
    },
    /// All slots are taken.
    #[error("the local subnet is full: it holds {CAPACITY} neurons")]
    Full,
}

/// The chain itself, as its operator sees it; clones are the same chain.
#[derive(Clone)]
pub struct LocalChain {
    shared: Arc<Shared>,
}

struct Shared {
    config: LocalChainConfig,
    clock: Arc<dyn Clock>,
    genesis: Moment,
    slots: Mutex<Vec<Slot>>,
}

/// What the chain stores of one neuron, at the index of its uid.
struct Slot {
    hotkey: Hotkey,
    coldkey: Coldkey,
    stake: Tao,
    axon: Option<Axon>,
    weights: Vec<(Uid, u16)>,
    last_update: BlockNumber,
}

struct Axon {
    address: SocketAddr,
    served: BlockNumber,
}

impl LocalChain {
    /// A subnet without neurons, whose block 0 is now.
    ///
    /// # Errors
    /// [`LocalChainError::NoBlockTime`].
    pub fn new(config: LocalChainConfig, clock: Arc<dyn Clock>) -> Result<Self, LocalChainError> {
        if config.block_time.is_zero() {
            return Err(LocalChainError::NoBlockTime);
        }
        let genesis = clock.now();
        let slots = Mutex::new(Vec::new());
        Ok(Self { shared: Arc::new(Shared { config, clock, genesis, slots }) })
    }

    /// Gives a hotkey the next free slot.
    ///
    /// # Errors
    /// [`LocalChainError`] when the hotkey has a slot, the stake is none, or all slots are taken.
    pub fn register(
        &self,
        hotkey: Hotkey,
        coldkey: Coldkey,
        stake: Tao,
    ) -> Result<Uid, LocalChainError> {
        if !(stake.0.is_finite() && stake.0 >= 0.0) {
            return Err(LocalChainError::NoStake { hotkey, stake: stake.0 });
        }
        let mut slots = self.shared.slots.lock();
        if slots.iter().any(|slot| slot.hotkey == hotkey) {
            return Err(LocalChainError::AlreadyRegistered(hotkey));
        }
        let free = u16::try_from(slots.len()).ok().filter(|uid| usize::from(*uid) < CAPACITY);
        let uid = Uid(free.ok_or(LocalChainError::Full)?);
        slots.push(Slot {
            hotkey,
            coldkey,
            stake,
            axon: None,
            weights: Vec::new(),
            last_update: BlockNumber(0),
        });
        Ok(uid)
    }

    /// A connection on behalf of a hotkey, which need not be registered.
    #[must_use]
    pub fn handle(&self, hotkey: Hotkey) -> Arc<dyn Chain> {
        Arc::new(Handle { shared: self.shared.clone(), hotkey })
    }

    /// The newest block.
    #[must_use]
    pub fn block(&self) -> BlockNumber {
        self.shared.block()
    }

    /// Whether an epoch ends with this block: one in `tempo + 1` does, which one hangs on the
    /// netuid (the schedule of the real chain up to its version 3.4.7).
    #[must_use]
    pub fn epoch_turns_at(&self, block: BlockNumber) -> bool {
        let LocalChainConfig { netuid, hyperparameters, .. } = self.shared.config;
        let shifted = u128::from(block.0) + u128::from(netuid.0) + 1;
        shifted.is_multiple_of(u128::from(hyperparameters.tempo) + 1)
    }

    /// The weights that a neuron set last, as stored; none if it never did.
    #[must_use]
    pub fn weights_of(&self, uid: Uid) -> Vec<(Uid, u16)> {
        let slots = self.shared.slots.lock();
        slots.get(usize::from(uid.0)).map(|slot| slot.weights.clone()).unwrap_or_default()
    }

    /// Each neuron's share of what the weights of now would earn, by uid: the mean of the permitted
    /// validators' weights by their stake, without what they give themselves. Sums to 1, or is all
    /// zeros while nobody has set weights.
    ///
    /// The real chain also clips what a minority says; this one takes the plain mean.
    #[must_use]
    pub fn incentives(&self) -> Vec<f64> {
        rules::incentives(&self.shared.slots.lock(), self.shared.config.max_validators)
    }
}

impl Shared {
    fn block(&self) -> BlockNumber {
        let elapsed = self.clock.now().since(self.genesis).as_nanos();
        let blocks = elapsed / self.config.block_time.as_nanos().max(1);
        BlockNumber(u64::try_from(blocks).unwrap_or(u64::MAX))
    }

    async fn block_after(&self, seen: BlockNumber) -> BlockNumber {
        loop {
            let newest = self.block();
            if newest > seen {
                return newest;
            }
            let block_time = self.config.block_time.as_nanos();
            let due = block_time.saturating_mul(u128::from(seen.0) + 1);
            let due = u64::try_from(due).map_or(Duration::MAX, Duration::from_nanos);
            let elapsed = self.clock.now().since(self.genesis);
            self.clock.sleep(due.saturating_sub(elapsed)).await;
        }
    }

    fn metagraph(&self) -> Metagraph {
        let slots = self.slots.lock();
        let permits = rules::permits(&slots, self.config.max_validators);
        let incentives = rules::incentives(&slots, self.config.max_validators);
        let neurons = slots.iter().zip(0..).map(|(slot, uid)| Neuron {
            uid: Uid(uid),
            hotkey: slot.hotkey.clone(),
            coldkey: slot.coldkey.clone(),
            stake: slot.stake,
            validator_permit: permits.contains(&usize::from(uid)),
            axon: slot.axon.as_ref().map(|axon| axon.address),
            last_update: slot.last_update,
            incentive: incentives.get(usize::from(uid)).copied().unwrap_or(0.0),
        });
        Metagraph { netuid: self.config.netuid, block: self.block(), neurons: neurons.collect() }
    }

    fn set_weights(
        &self,
        hotkey: &Hotkey,
        call: &WeightsCall,
        block: BlockNumber,
    ) -> Result<(), ChainError> {
        let mut slots = self.slots.lock();
        let (uid, weights) = rules::check_weights(&self.config, &slots, hotkey, call, block)?;
        if let Some(slot) = slots.get_mut(uid) {
            slot.weights = weights;
            slot.last_update = block;
        }
        Ok(())
    }

    fn serve_axon(
        &self,
        hotkey: &Hotkey,
        address: SocketAddr,
        block: BlockNumber,
    ) -> Result<(), ChainError> {
        let mut slots = self.slots.lock();
        let slot = slots
            .iter_mut()
            .find(|slot| slot.hotkey == *hotkey)
            .ok_or_else(|| ChainError::NotRegistered(hotkey.clone()))?;
        rules::check_axon(&self.config, slot, address, block)?;
        slot.axon = Some(Axon { address, served: block });
        Ok(())
    }
}

struct Handle {
    shared: Arc<Shared>,
    hotkey: Hotkey,
}

impl Chain for Handle {
    fn block_after(
        &self,
        seen: BlockNumber,
    ) -> BoxFuture<'static, Result<BlockNumber, ChainError>> {
        let shared = self.shared.clone();
        Box::pin(async move { Ok(shared.block_after(seen).await) })
    }

    fn metagraph(&self) -> BoxFuture<'static, Result<Metagraph, ChainError>> {
        Box::pin(future::ready(Ok(self.shared.metagraph())))
    }

    fn hyperparameters(&self) -> BoxFuture<'static, Result<Hyperparameters, ChainError>> {
        Box::pin(future::ready(Ok(self.shared.config.hyperparameters)))
    }

    fn prepare_weights(
        &self,
        _: WeightsCall,
    ) -> BoxFuture<'static, Result<PreparedWeights, ChainError>> {
        let prepared = PreparedWeights { way: WeightsWay::Plain, signed: None };
        Box::pin(future::ready(Ok(prepared)))
    }

    fn submit_weights(
        &self,
        intent: WeightsIntent,
    ) -> BoxFuture<'static, Result<BlockNumber, ChainError>> {
        let (shared, hotkey) = (self.shared.clone(), self.hotkey.clone());
        Box::pin(async move {
            let block = shared.block_after(shared.block()).await;
            shared.set_weights(&hotkey, &intent.call, block)?;
            Ok(block)
        })
    }

    fn look_for(&self, _: SignedCall) -> BoxFuture<'static, Result<Sighting, ChainError>> {
        let sighting = Sighting { as_of: self.shared.block(), inclusion: Inclusion::Unknown };
        Box::pin(future::ready(Ok(sighting)))
    }

    fn reveal_weights(
        &self,
        _: PendingReveal,
    ) -> BoxFuture<'static, Result<BlockNumber, ChainError>> {
        let refusal = ChainError::Refused("this chain takes no commits".into());
        Box::pin(future::ready(Err(refusal)))
    }

    fn serve_axon(&self, address: SocketAddr) -> BoxFuture<'static, Result<(), ChainError>> {
        let (shared, hotkey) = (self.shared.clone(), self.hotkey.clone());
        Box::pin(async move {
            let block = shared.block_after(shared.block()).await;
            shared.serve_axon(&hotkey, address, block)
        })
    }
}

#[cfg(test)]
mod tests;
