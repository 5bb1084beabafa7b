//! The node's storage: which items there are, and their keys and bytes made from what the chain
//! holds.

use std::collections::BTreeMap;

use blake2::Digest;
use blake2::digest::consts::U16;
use frame_decode::storage::encode_storage_key_prefix;
use parity_scale_codec::Encode;

use super::layout::{Kind, Layout, SUBTENSOR};
use super::subnet::{Axon, Subnet};

/// A part of a key: a netuid or uid, hashed by nothing, or an account, by blake2 and itself.
#[derive(Clone, Copy)]
pub(super) enum KeyPart {
    Number,
    Account,
}

/// What is at a key.
#[derive(Clone, Copy)]
pub(super) enum Value {
    Bool,
    U16,
    U32,
    U64,
    Account,
    Bools,
    U16s,
    U64s,
    WeightPairs,
    Commits,
    Axon,
    AccountInfo,
    Events,
}

/// A storage item.
pub(super) struct Entry {
    pub(super) pallet: &'static str,
    pub(super) name: &'static str,
    pub(super) keys: &'static [KeyPart],
    pub(super) value: Value,
    pub(super) optional: bool,
}

const fn entry(
    pallet: &'static str,
    name: &'static str,
    keys: &'static [KeyPart],
    value: Value,
) -> Entry {
    let optional = matches!(value, Value::Axon | Value::Commits);
    Entry { pallet, name, keys, value, optional }
}

const NET: &[KeyPart] = &[KeyPart::Number];
const NET_UID: &[KeyPart] = &[KeyPart::Number, KeyPart::Number];
const NET_ACCOUNT: &[KeyPart] = &[KeyPart::Number, KeyPart::Account];
const ACCOUNT: &[KeyPart] = &[KeyPart::Account];

const fn of_net(name: &'static str, value: Value) -> Entry {
    entry(SUBTENSOR, name, NET, value)
}

/// Every item that the node has.
pub(super) const ENTRIES: &[Entry] = &[
    entry("System", "Account", ACCOUNT, Value::AccountInfo),
    entry("System", "Number", &[], Value::U32),
    entry("System", "Events", &[], Value::Events),
    entry("Timestamp", "Now", &[], Value::U64),
    of_net("NetworksAdded", Value::Bool),
    of_net("SubnetworkN", Value::U16),
    of_net("NetworkRegistrationAllowed", Value::Bool),
    of_net("Tempo", Value::U16),
    of_net("Burn", Value::U64),
    of_net("WeightsSetRateLimit", Value::U64),
    of_net("ServingRateLimit", Value::U64),
    of_net("WeightsVersionKey", Value::U64),
    of_net("MinAllowedWeights", Value::U16),
    of_net("MaxWeightsLimit", Value::U16),
    of_net("CommitRevealWeightsEnabled", Value::Bool),
    of_net("RevealPeriodEpochs", Value::U64),
    of_net("ImmunityPeriod", Value::U16),
    of_net("MaxAllowedUids", Value::U16),
    entry(SUBTENSOR, "CommitRevealWeightsVersion", &[], Value::U16),
    of_net("ValidatorPermit", Value::Bools),
    of_net("Active", Value::Bools),
    of_net("LastUpdate", Value::U64s),
    of_net("Emission", Value::U64s),
    of_net("Incentive", Value::U16s),
    of_net("Dividends", Value::U16s),
    of_net("Consensus", Value::U16s),
    of_net("ValidatorTrust", Value::U16s),
    of_net("StakeWeight", Value::U16s),
    entry(SUBTENSOR, "Keys", NET_UID, Value::Account),
    entry(SUBTENSOR, "BlockAtRegistration", NET_UID, Value::U64),
    entry(SUBTENSOR, "Weights", NET_UID, Value::WeightPairs),
    Entry { optional: true, ..entry(SUBTENSOR, "Uids", NET_ACCOUNT, Value::U16) },
    entry(SUBTENSOR, "Axons", NET_ACCOUNT, Value::Axon),
    entry(SUBTENSOR, "WeightCommits", NET_ACCOUNT, Value::Commits),
    entry(SUBTENSOR, "Owner", ACCOUNT, Value::Account),
    entry(SUBTENSOR, "TotalHotkeyStake", ACCOUNT, Value::U64),
];

/// The storage of one block.
#[derive(Clone, Default)]
pub(super) struct Storage(BTreeMap<Vec<u8>, Vec<u8>>);

impl Storage {
    pub(super) fn get(&self, key: &[u8]) -> Option<&Vec<u8>> {
        self.0.get(key)
    }

    /// The keys that begin with a prefix and come after another.
    pub(super) fn keys<'a>(
        &'a self,
        prefix: &'a [u8],
        after: Option<&'a [u8]>,
    ) -> impl Iterator<Item = &'a Vec<u8>> {
        let keys = self.0.keys().filter(move |key| key.starts_with(prefix));
        keys.filter(move |key| after.is_none_or(|after| key.as_slice() > after))
    }

    fn put(&mut self, pallet: &str, name: &str, keys: &[Part], value: impl Encode) {
        let mut key = encode_storage_key_prefix(pallet, name).to_vec();
        for part in keys {
            part.encode_to(&mut key);
        }
        self.0.insert(key, value.encode());
    }

    /// The storage that says what the subnet is, in a runtime's layout.
    pub(super) fn of(subnet: &Subnet, layout: &Layout, number: u32, events: Vec<Vec<u8>>) -> Self {
        let mut storage = Self::default();
        storage.put("System", "Number", &[], number);
        storage.put("System", "Events", &[], Raw(list(&events)));
        storage.put("Timestamp", "Now", &[], moment(number));
        for (account, state) in &subnet.accounts {
            let (count, zero) = ((state.nonce, 0_u32, 1_u32, 0_u32), 0_u64);
            let info = (count, (state.free, zero, zero, 0_u128));
            storage.put("System", "Account", &[Part::Account(*account)], info);
        }
        storage.put_rules(subnet);
        storage.put_neurons(subnet, layout);
        storage
    }

    fn put_rules(&mut self, subnet: &Subnet) {
        let net = &[Part::Number(subnet.netuid)];
        self.put(SUBTENSOR, "NetworksAdded", net, true);
        self.put(SUBTENSOR, "NetworkRegistrationAllowed", net, true);
        self.put(SUBTENSOR, "Tempo", net, subnet.tempo);
        self.put(SUBTENSOR, "Burn", net, subnet.burn);
        self.put(SUBTENSOR, "WeightsSetRateLimit", net, subnet.weights_rate_limit);
        self.put(SUBTENSOR, "ServingRateLimit", net, subnet.serving_rate_limit);
        self.put(SUBTENSOR, "WeightsVersionKey", net, subnet.version_key);
        self.put(SUBTENSOR, "MinAllowedWeights", net, subnet.min_allowed_weights);
        self.put(SUBTENSOR, "MaxWeightsLimit", net, subnet.max_weight_limit);
        self.put(SUBTENSOR, "CommitRevealWeightsEnabled", net, subnet.commit_reveal);
        self.put(SUBTENSOR, "RevealPeriodEpochs", net, subnet.reveal_period);
        self.put(SUBTENSOR, "ImmunityPeriod", net, 4096_u16);
        self.put(SUBTENSOR, "MaxAllowedUids", net, 256_u16);
        self.put(SUBTENSOR, "CommitRevealWeightsVersion", &[], subnet.commit_reveal_version);
    }

    fn put_neurons(&mut self, subnet: &Subnet, layout: &Layout) {
        let neurons = &subnet.neurons;
        let net = Part::Number(subnet.netuid);
        let column = &[net];
        self.put(SUBTENSOR, "SubnetworkN", column, u16::try_from(neurons.len()).unwrap());
        let zeros = || neurons.iter().map(|_| 0_u16).collect::<Vec<_>>();
        let of = |what: fn(&super::subnet::Neuron) -> u16| neurons.iter().map(what).collect();
        let incentive: Vec<u16> = of(|neuron| neuron.incentive);
        let stake: Vec<u16> = of(|neuron| u16::try_from(neuron.stake >> 32).unwrap_or(u16::MAX));
        let permits: Vec<bool> = neurons.iter().map(|neuron| neuron.permit).collect();
        let active: Vec<bool> = neurons.iter().map(|_| true).collect();
        let updates: Vec<u64> = neurons.iter().map(|neuron| neuron.last_update).collect();
        let emission: Vec<u64> = neurons.iter().map(|_| 0).collect();
        self.put(SUBTENSOR, "ValidatorPermit", column, permits);
        self.put(SUBTENSOR, "Active", column, active);
        self.put(SUBTENSOR, "LastUpdate", column, updates);
        self.put(SUBTENSOR, "Emission", column, emission);
        self.put(SUBTENSOR, "Incentive", column, incentive);
        self.put(SUBTENSOR, "StakeWeight", column, stake);
        for name in ["Dividends", "Consensus", "ValidatorTrust"] {
            self.put(SUBTENSOR, name, column, zeros());
        }
        for (uid, neuron) in (0_u16..).zip(neurons) {
            let (cell, account) = ([net, Part::Number(uid)], Part::Account(neuron.hotkey));
            self.put(SUBTENSOR, "Keys", &cell, neuron.hotkey);
            self.put(SUBTENSOR, "BlockAtRegistration", &cell, neuron.registered);
            self.put(SUBTENSOR, "Uids", &[net, account], uid);
            self.put(SUBTENSOR, "Owner", &[account], neuron.coldkey);
            self.put(SUBTENSOR, "TotalHotkeyStake", &[account], neuron.stake);
            if let Some(axon) = &neuron.axon {
                self.put(SUBTENSOR, "Axons", &[net, account], Raw(axon_bytes(axon, layout)));
            }
            if let Some(weights) = subnet.weights.get(&neuron.hotkey) {
                self.put(SUBTENSOR, "Weights", &cell, weights);
            }
            if let Some(commits) = subnet.commits.get(&neuron.hotkey) {
                self.put(SUBTENSOR, "WeightCommits", &[net, account], commits);
            }
        }
    }
}

/// The time of a block, in milliseconds: twelve seconds each.
pub(super) fn moment(number: u32) -> u64 {
    1_700_000_000_000 + 12_000 * u64::from(number)
}

#[derive(Clone, Copy)]
enum Part {
    Number(u16),
    Account([u8; 32]),
}

impl Part {
    fn encode_to(self, key: &mut Vec<u8>) {
        match self {
            Self::Number(number) => number.encode_to(key),
            Self::Account(account) => {
                let hash: [u8; 16] = blake2::Blake2b::<U16>::digest(account).into();
                key.extend(hash);
                key.extend(account);
            }
        }
    }
}

/// Bytes that are encoded already.
struct Raw(Vec<u8>);

impl Encode for Raw {
    fn encode(&self) -> Vec<u8> {
        self.0.clone()
    }
}

/// Encoded items as an encoded list.
fn list(items: &[Vec<u8>]) -> Vec<u8> {
    let len = parity_scale_codec::Compact(u32::try_from(items.len()).unwrap());
    let mut bytes = len.encode();
    bytes.extend(items.iter().flatten());
    bytes
}

fn axon_bytes(axon: &Axon, layout: &Layout) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, kind) in &layout.axon {
        let value: u128 = match *name {
            "block" => axon.block.into(),
            "version" => axon.version.into(),
            "ip" => axon.ip,
            "port" => axon.port.into(),
            "ip_type" => axon.ip_type.into(),
            "protocol" => axon.protocol.into(),
            _ => 0,
        };
        let width = match kind {
            Kind::U8 => 1,
            Kind::U16 => 2,
            Kind::U32 => 4,
            Kind::U64 => 8,
            _ => 16,
        };
        bytes.extend(&value.to_le_bytes()[..width]);
    }
    bytes
}
