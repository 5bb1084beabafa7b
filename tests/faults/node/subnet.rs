//! What the chain holds: one subnet, its neurons, weights and accounts.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;

/// An account's public key.
pub(crate) type Account = [u8; 32];

/// A commit: its hash, the block it is in, and the blocks that its reveal is allowed in.
pub(crate) type Commit = ([u8; 32], u64, u64, u64);

/// Whom weights are for, and how much of the largest, which is 65535.
pub(crate) type Weights = Vec<(u16, u16)>;

/// The state of the chain after a block.
#[derive(Clone, Debug)]
pub(crate) struct Subnet {
    /// The subnet that there is.
    pub netuid: u16,
    /// Blocks between epochs, less one.
    pub tempo: u16,
    /// What a registration costs, in rao.
    pub burn: u64,
    /// Blocks between two settings of weights.
    pub weights_rate_limit: u64,
    /// Blocks between two servings of an axon.
    pub serving_rate_limit: u64,
    /// The least version key of weights.
    pub version_key: u64,
    /// The least number of weights.
    pub min_allowed_weights: u16,
    /// The most that one weight may have of all; 65535 is no limit.
    pub max_weight_limit: u16,
    /// The least stake to set weights with, in rao.
    pub stake_threshold: u64,
    /// Weights are committed first.
    pub commit_reveal: bool,
    /// Epochs between a commit and its reveal.
    pub reveal_period: u64,
    /// The version of timelocked commits that the chain takes.
    pub commit_reveal_version: u16,
    /// By uid.
    pub neurons: Vec<Neuron>,
    /// What each hotkey set.
    pub weights: BTreeMap<Account, Weights>,
    /// What each hotkey committed and did not reveal.
    pub commits: BTreeMap<Account, Vec<Commit>>,
    /// Nonces and balances.
    pub accounts: BTreeMap<Account, AccountState>,
}

/// An account's nonce and balance.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AccountState {
    /// The nonce of its next transaction.
    pub nonce: u32,
    /// Its balance, in rao.
    pub free: u64,
}

/// One neuron.
#[derive(Clone, Debug)]
pub(crate) struct Neuron {
    /// Who it is.
    pub hotkey: Account,
    /// Whose it is.
    pub coldkey: Account,
    /// In rao.
    pub stake: u64,
    /// May set weights on others.
    pub permit: bool,
    /// The block of its last weights or commit; 0 for never.
    pub last_update: u64,
    /// Out of 65535.
    pub incentive: u16,
    /// Since which block it is there.
    pub registered: u64,
    /// Where it serves.
    pub axon: Option<Axon>,
}

/// Where a neuron serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Axon {
    /// Since which block.
    pub block: u64,
    /// Of the program.
    pub version: u32,
    /// Its address as a number.
    pub ip: u128,
    /// Its port.
    pub port: u16,
    /// 4 or 6.
    pub ip_type: u8,
    /// 4 in practice.
    pub protocol: u8,
}

impl Axon {
    /// An axon at an address.
    #[must_use]
    pub(crate) fn at(address: SocketAddrV4) -> Self {
        Self {
            block: 1,
            version: 1,
            ip: u128::from(u32::from(*address.ip())),
            port: address.port(),
            ip_type: 4,
            protocol: 4,
        }
    }
}

impl Neuron {
    /// A neuron with a permit, which has set no weights.
    #[must_use]
    pub(crate) fn validator(hotkey: Account) -> Self {
        Self { permit: true, stake: 10_000 << 32, ..Self::miner(hotkey) }
    }

    /// A neuron without stake.
    #[must_use]
    pub(crate) fn miner(hotkey: Account) -> Self {
        Self {
            hotkey,
            coldkey: hotkey.map(|byte| !byte),
            stake: 0,
            permit: false,
            last_update: 0,
            incentive: 0,
            registered: 0,
            axon: None,
        }
    }
}

impl Subnet {
    /// Subnet 1 without anybody, with rules that refuse nothing needlessly.
    #[must_use]
    pub(crate) fn empty() -> Self {
        Self {
            netuid: 1,
            tempo: 99,
            burn: 1_000_000_000,
            weights_rate_limit: 0,
            serving_rate_limit: 0,
            version_key: 0,
            min_allowed_weights: 1,
            max_weight_limit: u16::MAX,
            stake_threshold: 0,
            commit_reveal: false,
            reveal_period: 1,
            commit_reveal_version: 4,
            neurons: Vec::new(),
            weights: BTreeMap::new(),
            commits: BTreeMap::new(),
            accounts: BTreeMap::new(),
        }
    }

    /// The uid of a hotkey.
    #[must_use]
    pub(crate) fn uid(&self, hotkey: &Account) -> Option<u16> {
        let position = self.neurons.iter().position(|neuron| neuron.hotkey == *hotkey);
        position.and_then(|position| u16::try_from(position).ok())
    }

    /// The chain's number of the epoch that a block is in.
    #[must_use]
    pub(crate) fn epoch(&self, block: u64) -> u64 {
        (block + u64::from(self.netuid) + 1) / (u64::from(self.tempo) + 1)
    }
}
