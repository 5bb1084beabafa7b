//! What calls do to the subnet: each of the chain's checks in the chain's order (chain.md §2).

use std::collections::BTreeSet;

use blake2::Digest;
use blake2::digest::consts::U32;
use parity_scale_codec::{Decode, Encode};

use super::extrinsic::Arguments;
use super::layout::Layout;
use super::metadata::{EVENTS, MODULE, PLAIN_ERRORS};
use super::subnet::{Account, Axon, Neuron, Subnet, Weights};

/// An event of the pallet, encoded but for the pallet's number; or an error's name.
type Outcome = Result<Vec<u8>, &'static str>;

/// Runs a signed call in a block.
pub(super) fn run(
    subnet: &mut Subnet,
    block: u64,
    signer: Account,
    call: &str,
    arguments: &Arguments,
) -> Outcome {
    match call {
        "set_weights" => set_weights(subnet, block, signer, arguments),
        "commit_weights" => commit_weights(subnet, block, signer, arguments.get("commit_hash")),
        "commit_timelocked_weights" => {
            let version: u16 = arguments.get("commit_reveal_version");
            if version != subnet.commit_reveal_version {
                return Err("IncorrectCommitRevealVersion");
            }
            let commit: Vec<u8> = arguments.get("commit");
            commit_weights(subnet, block, signer, blake2_256(&commit))
        }
        "reveal_weights" => reveal_weights(subnet, block, signer, arguments),
        "serve_axon" => serve_axon(subnet, block, signer, arguments),
        "burned_register" => burned_register(subnet, block, signer, arguments.get("hotkey")),
        _ => Err("SubnetNotExists"),
    }
}

/// A dispatch error in a runtime's numbers: an error of the pallet, or one that is no pallet's.
pub(super) fn error_bytes(layout: &Layout, name: &str) -> Vec<u8> {
    match PLAIN_ERRORS.iter().position(|&plain| plain == name) {
        Some(number) => vec![u8::try_from(number).unwrap()],
        None => vec![MODULE, layout.pallet, layout.error(name), 0, 0, 0],
    }
}

fn event(name: &str, fields: impl Encode) -> Vec<u8> {
    let number = EVENTS.iter().position(|&known| known == name).unwrap();
    let mut bytes = vec![u8::try_from(number).unwrap()];
    fields.encode_to(&mut bytes);
    bytes
}

pub(super) fn blake2_256(bytes: &[u8]) -> [u8; 32] {
    blake2::Blake2b::<U32>::digest(bytes).into()
}

fn set_weights(subnet: &mut Subnet, block: u64, signer: Account, arguments: &Arguments) -> Outcome {
    if subnet.commit_reveal {
        return Err("CommitRevealEnabled");
    }
    let (uids, values) = (arguments.get("dests"), arguments.get("weights"));
    let (weights, uid) =
        check_weights(subnet, block, signer, uids, values, arguments.get("version_key"))?;
    subnet.weights.insert(signer, weights);
    subnet.neurons[usize::from(uid)].last_update = block;
    Ok(event("WeightsSet", (subnet.netuid, uid)))
}

fn check_weights(
    subnet: &Subnet,
    block: u64,
    signer: Account,
    uids: Vec<u16>,
    values: Vec<u16>,
    version_key: u64,
) -> Result<(Weights, u16), &'static str> {
    if uids.len() != values.len() {
        return Err("WeightVecNotEqualSize");
    }
    let n = subnet.neurons.len();
    if uids.len() > n {
        return Err("UidsLengthExceedUidsInSubNet");
    }
    let uid = subnet.uid(&signer).ok_or("HotKeyNotRegisteredInSubNet")?;
    let neuron = &subnet.neurons[usize::from(uid)];
    if neuron.stake < subnet.stake_threshold {
        return Err("NotEnoughStakeToSetWeights");
    }
    if subnet.version_key != 0 && version_key < subnet.version_key {
        return Err("IncorrectWeightVersionKey");
    }
    if too_fast(neuron.last_update, block, subnet.weights_rate_limit) {
        return Err("SettingWeightsTooFast");
    }
    if !neuron.permit && uids != [uid] {
        return Err("NeuronNoValidatorPermit");
    }
    if uids.iter().collect::<BTreeSet<_>>().len() != uids.len() {
        return Err("DuplicateUids");
    }
    if uids.iter().any(|&uid| usize::from(uid) >= n) {
        return Err("UidVecContainInvalidOne");
    }
    if uids.len() < n.min(usize::from(subnet.min_allowed_weights)) {
        return Err("WeightVecLengthIsLow");
    }
    let largest = u64::from(values.iter().copied().max().unwrap_or(0).max(1));
    let upscaled = values.iter().map(|&value| (u64::from(value) * 65_535 / largest) as u16);
    let upscaled: Vec<u16> = upscaled.collect();
    let sum: u64 = upscaled.iter().map(|&value| u64::from(value)).sum();
    let limit = u64::from(subnet.max_weight_limit);
    if limit != 65_535 && upscaled.iter().any(|&value| u64::from(value) * 65_535 > limit * sum) {
        return Err("MaxWeightExceeded");
    }
    Ok((uids.into_iter().zip(upscaled).collect(), uid))
}

fn too_fast(last: u64, block: u64, limit: u64) -> bool {
    last != 0 && block - last < limit
}

fn commit_weights(subnet: &mut Subnet, block: u64, signer: Account, hash: [u8; 32]) -> Outcome {
    if !subnet.commit_reveal {
        return Err("CommitRevealDisabled");
    }
    let uid = subnet.uid(&signer).ok_or("HotKeyNotRegisteredInSubNet")?;
    let last = subnet.neurons[usize::from(uid)].last_update;
    if too_fast(last, block, subnet.weights_rate_limit) {
        return Err("CommittingWeightsTooFast");
    }
    let (epoch, period) = (subnet.epoch(block), subnet.reveal_period);
    let commits = subnet.commits.entry(signer).or_default();
    if commits.len() >= 10 {
        return Err("TooManyUnrevealedCommits");
    }
    let first = (epoch + period) * (u64::from(subnet.tempo) + 1) - u64::from(subnet.netuid) - 1;
    commits.push((hash, block, first, first + u64::from(subnet.tempo)));
    subnet.neurons[usize::from(uid)].last_update = block;
    Ok(event("WeightsCommitted", (signer, subnet.netuid, hash)))
}

fn reveal_weights(
    subnet: &mut Subnet,
    block: u64,
    signer: Account,
    arguments: &Arguments,
) -> Outcome {
    if !subnet.commit_reveal {
        return Err("CommitRevealDisabled");
    }
    let (uids, values): (Vec<u16>, Vec<u16>) = (arguments.get("uids"), arguments.get("values"));
    let (salt, version_key): (Vec<u16>, u64) =
        (arguments.get("salt"), arguments.get("version_key"));
    let hashed = (signer, subnet.netuid, &uids, &values, &salt, version_key).encode();
    let hash = blake2_256(&hashed);
    let commits = subnet.commits.get(&signer).cloned().unwrap_or_default();
    if commits.is_empty() {
        return Err("NoWeightsCommitFound");
    }
    let found = commits.iter().position(|commit| commit.0 == hash);
    let position = found.ok_or("InvalidRevealCommitHashNotMatch")?;
    let (_, _, first, last) = commits[position];
    if block < first {
        return Err("RevealTooEarly");
    }
    if block > last {
        return Err("ExpiredWeightCommit");
    }
    // The rate limit was the commit's.
    let unlimited = Subnet { weights_rate_limit: 0, ..subnet.clone() };
    let (weights, _) = check_weights(&unlimited, block, signer, uids, values, version_key)?;
    subnet.weights.insert(signer, weights);
    subnet.commits.entry(signer).or_default().remove(position);
    Ok(event("WeightsRevealed", (signer, subnet.netuid, hash)))
}

fn serve_axon(subnet: &mut Subnet, block: u64, signer: Account, arguments: &Arguments) -> Outcome {
    let uid = subnet.uid(&signer).ok_or("HotKeyNotRegisteredInNetwork")?;
    let axon = Axon {
        block,
        version: arguments.get("version"),
        ip: arguments.get("ip"),
        port: arguments.get("port"),
        ip_type: arguments.get("ip_type"),
        protocol: arguments.get("protocol"),
    };
    if axon.ip == 0 {
        return Err("InvalidIpAddress");
    }
    if axon.port == 0 {
        return Err("InvalidPort");
    }
    let neuron = &mut subnet.neurons[usize::from(uid)];
    let last = neuron.axon.as_ref().map_or(0, |axon| axon.block);
    if too_fast(last, block, subnet.serving_rate_limit) {
        return Err("ServingRateLimitExceeded");
    }
    neuron.axon = Some(axon);
    Ok(event("AxonServed", (subnet.netuid, signer)))
}

fn burned_register(subnet: &mut Subnet, block: u64, signer: Account, hotkey: Account) -> Outcome {
    if subnet.uid(&hotkey).is_some() {
        return Err("HotKeyAlreadyRegisteredInSubNet");
    }
    let account = subnet.accounts.entry(signer).or_default();
    account.free = account.free.checked_sub(subnet.burn).ok_or("NotEnoughBalanceToStake")?;
    subnet.neurons.push(Neuron { coldkey: signer, registered: block, ..Neuron::miner(hotkey) });
    let uid = subnet.uid(&hotkey).ok_or("SubnetNotExists")?;
    Ok(event("NeuronRegistered", (subnet.netuid, uid, hotkey)))
}

/// A call's argument of a known type.
impl Arguments {
    fn get<T: Decode>(&self, name: &str) -> T {
        let bytes = self.0.get(name).unwrap_or_else(|| panic!("the call has no {name}"));
        T::decode(&mut bytes.as_slice()).unwrap()
    }
}
