//! The chain, as far as a validator and a miner need it.

use std::net::SocketAddr;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::domain::{BlockNumber, Hotkey, Hyperparameters, Metagraph, Netuid, Uid};

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

/// Why the chain did not do what was asked. Variants are what a caller acts on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The hotkey is not on the subnet; nothing can be set until it is registered.
    #[error("hotkey {0} is not registered on the subnet: register it, then start again")]
    NotRegistered(Hotkey),
    /// The hotkey may not set weights on others.
    #[error("hotkey {0} has no validator permit: it needs more stake")]
    NoPermit(Hotkey),
    /// Too soon after the last setting.
    #[error("weights were set too recently: wait {wait} more blocks")]
    RateLimited {
        /// Blocks until the next setting is allowed.
        wait: u64,
    },
    /// The call breaks a rule that trying again does not change.
    #[error("the chain refused the call: {0}")]
    Refused(String),
    /// The chain could not be asked; a later try may go through.
    #[error("the chain cannot be reached: {0}")]
    Unreachable(String),
}

/// A connection to the chain on behalf of one hotkey.
pub trait Chain: Send + Sync {
    /// Resolves with the newest block as soon as one after `seen` is there.
    fn block_after(&self, seen: BlockNumber)
    -> BoxFuture<'static, Result<BlockNumber, ChainError>>;
    /// The subnet's neurons now.
    fn metagraph(&self) -> BoxFuture<'static, Result<Metagraph, ChainError>>;
    /// The subnet's rules now.
    fn hyperparameters(&self) -> BoxFuture<'static, Result<Hyperparameters, ChainError>>;
    /// Sets this hotkey's weights; resolves with the block they are in.
    fn set_weights(&self, call: WeightsCall)
    -> BoxFuture<'static, Result<BlockNumber, ChainError>>;
    /// Publishes where this hotkey's axon answers.
    fn serve_axon(&self, address: SocketAddr) -> BoxFuture<'static, Result<(), ChainError>>;
}
