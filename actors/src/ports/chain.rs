//! The chain, as far as a validator and a miner need it.

use std::net::SocketAddr;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::domain::{BlockNumber, Hotkey, Hyperparameters, Metagraph, Netuid, Uid};

use super::{PendingReveal, SignedCall, WeightsIntent, WeightsWay};

/// One weight setting (chain.md §2, `SubtensorModule.set_weights`): parallel lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightsCall {
    /// Which subnet.
    pub netuid: Netuid,
    /// Whom the weights are for, each once.
    pub uids: Vec<Uid>,
    /// Their weights; the largest is 65535, none is 0.
    pub values: Vec<u16>,
    /// The version key of the program that made them.
    pub version_key: u64,
}

/// A weight setting that is ready to be sent, in the way that the chain wants it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedWeights {
    /// How it will be sent.
    pub way: WeightsWay,
    /// The transaction; none where the chain takes calls unsigned.
    pub signed: Option<SignedCall>,
}

/// What is known of a transaction's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inclusion {
    /// They are in this block, and took effect.
    Included(BlockNumber),
    /// They are in a block, and the chain refused them there: their nonce is used up.
    Failed,
    /// They are in no block so far.
    NotYet,
    /// They are in no block, and another transaction has their nonce: they never will be.
    Overtaken,
    /// Nobody can tell: the blocks in question cannot be read.
    Unknown,
}

/// What was seen of a transaction, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The newest final block that was looked at.
    pub as_of: BlockNumber,
    /// Where the transaction is in it or before.
    pub inclusion: Inclusion,
}

/// Why the chain did not do what was asked. Variants are what a caller acts on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The hotkey is not on the subnet; nothing can be set until it is registered.
    #[error("hotkey {0} is not registered on the subnet: register it with `sn1 register`")]
    NotRegistered(Hotkey),
    /// The hotkey may not set weights on others.
    #[error("hotkey {0} has no validator permit: it needs more stake")]
    NoPermit(Hotkey),
    /// Too soon: the same call is allowed later.
    #[error("it is too soon for the chain: wait {wait} more blocks")]
    TooSoon {
        /// Blocks until it is allowed.
        wait: u64,
    },
    /// As it was signed the transaction cannot take effect any more: look where it is, and sign anew.
    #[error("the transaction is outdated: {0}")]
    Outdated(String),
    /// What the call is about is over, as a commit whose time to reveal has passed: give it up.
    #[error("it is too late: {0}")]
    TooLate(String),
    /// The call breaks a rule that trying again does not change.
    #[error("the chain refused the call: {0}")]
    Refused(String),
    /// The chain could not be asked; a later try may go through.
    #[error("the chain cannot be reached: {0}")]
    Unreachable(String),
}

/// A connection to the chain on behalf of one hotkey.
///
/// Every answer is as of a final block, which no fork undoes.
pub trait Chain: Send + Sync {
    /// Resolves with the newest final block as soon as one after `seen` is there.
    fn block_after(&self, seen: BlockNumber)
    -> BoxFuture<'static, Result<BlockNumber, ChainError>>;
    /// The subnet's neurons now.
    fn metagraph(&self) -> BoxFuture<'static, Result<Metagraph, ChainError>>;
    /// The subnet's rules now.
    fn hyperparameters(&self) -> BoxFuture<'static, Result<Hyperparameters, ChainError>>;
    /// Signs a weight setting, in the open or as a commit, as the chain wants it now. Sends nothing.
    fn prepare_weights(
        &self,
        call: WeightsCall,
    ) -> BoxFuture<'static, Result<PreparedWeights, ChainError>>;
    /// Sends what was prepared; resolves with the final block in which it took effect.
    ///
    /// [`ChainError::Unreachable`] and [`ChainError::Outdated`] leave open whether it will be in a
    /// block yet; any other error of a first sending says that it will not.
    fn submit_weights(
        &self,
        intent: WeightsIntent,
    ) -> BoxFuture<'static, Result<BlockNumber, ChainError>>;
    /// Looks where a transaction is.
    fn look_for(&self, signed: SignedCall) -> BoxFuture<'static, Result<Sighting, ChainError>>;
    /// Reveals a commit; resolves with the final block in which it took effect.
    fn reveal_weights(
        &self,
        reveal: PendingReveal,
    ) -> BoxFuture<'static, Result<BlockNumber, ChainError>>;
    /// Publishes where this hotkey's axon answers.
    fn serve_axon(&self, address: SocketAddr) -> BoxFuture<'static, Result<(), ChainError>>;
}
