//! The subnet as the chain shows it.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{BlockNumber, Coldkey, Hotkey, Netuid, Uid};

/// An amount of stake in TAO.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tao(pub f64);

/// One registered neuron.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Neuron {
    /// Its slot.
    pub uid: Uid,
    /// Who it is.
    pub hotkey: Hotkey,
    /// Who owns it.
    pub coldkey: Coldkey,
    /// Its stake on this subnet.
    pub stake: Tao,
    /// Whether it may set weights on others.
    pub validator_permit: bool,
    /// Where it answers, if it does.
    pub axon: Option<SocketAddr>,
    /// When it last set weights; block 0 means never.
    pub last_update: BlockNumber,
    /// Its share of what the subnet's miners earn, in `0.0..=1.0`.
    pub incentive: f64,
}

/// All neurons of a subnet at one block, in order of uid without gaps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metagraph {
    /// Which subnet.
    pub netuid: Netuid,
    /// As of which block.
    pub block: BlockNumber,
    /// Indexed by uid.
    pub neurons: Vec<Neuron>,
}

impl Metagraph {
    /// An empty subnet, before the first read.
    #[must_use]
    pub fn empty(netuid: Netuid) -> Self {
        Self { netuid, block: BlockNumber(0), neurons: Vec::new() }
    }

    /// The neuron of a hotkey, if it is registered.
    #[must_use]
    pub fn by_hotkey(&self, hotkey: &Hotkey) -> Option<&Neuron> {
        self.neurons.iter().find(|neuron| &neuron.hotkey == hotkey)
    }
}

/// The subnet's rules for weights, as the chain has them now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hyperparameters {
    /// Blocks in an epoch, less one: an epoch turns every `tempo + 1` blocks.
    pub tempo: u16,
    /// Blocks that must lie between two weight settings of one hotkey.
    pub weights_rate_limit: u64,
    /// At least so many uids must be in a weight vector (or all, if there are fewer).
    pub min_allowed_weights: u16,
    /// The largest share one uid may have after the largest was scaled to 65535; 65535 is no limit.
    pub max_weight_limit: u16,
    /// The least version key that the subnet accepts; 0 accepts all.
    pub weights_version: u64,
}
