//! What the chain lets through, in the order in which the real one looks (its June 2026 source).

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use sn1_actors::domain::{BlockNumber, Hotkey, Uid};
use sn1_actors::ports::{ChainError, WeightsCall};

use super::{LocalChainConfig, Slot};

/// The slots that may set weights on others: those with the most stake, the older of equals first.
pub(super) fn permits(slots: &[Slot], most: u16) -> BTreeSet<usize> {
    let mut staked: Vec<(usize, f64)> = slots
        .iter()
        .map(|slot| slot.stake.0)
        .enumerate()
        .filter(|(_, stake)| *stake > 0.0)
        .collect();
    staked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    staked.into_iter().take(usize::from(most)).map(|(uid, _)| uid).collect()
}

/// Each neuron's share of what the weights earn, by uid ([`super::LocalChain::incentives`]).
pub(super) fn incentives(slots: &[Slot], most: u16) -> Vec<f64> {
    let permits = permits(slots, most);
    let mut shares = vec![0.0; slots.len()];
    for (uid, slot) in slots.iter().enumerate().filter(|(uid, _)| permits.contains(uid)) {
        let others = || slot.weights.iter().filter(|(to, _)| usize::from(to.0) != uid);
        let sum: f64 = others().map(|(_, value)| f64::from(*value)).sum();
        for (to, value) in others().filter(|(_, value)| *value > 0) {
            if let Some(share) = shares.get_mut(usize::from(to.0)) {
                *share += slot.stake.0 * f64::from(*value) / sum;
            }
        }
    }
    let sum: f64 = shares.iter().sum();
    if sum > 0.0 {
        shares.iter_mut().for_each(|share| *share /= sum);
    }
    shares
}

/// The index of the hotkey's slot and what it is to store, if the call is allowed in this block.
pub(super) fn check_weights(
    config: &LocalChainConfig,
    slots: &[Slot],
    hotkey: &Hotkey,
    call: &WeightsCall,
    block: BlockNumber,
) -> Result<(usize, Vec<(Uid, u16)>), ChainError> {
    let WeightsCall { netuid, uids, values, version_key } = call;
    let rules = &config.hyperparameters;
    let refused = |why: String| Err(ChainError::Refused(why));

    if *netuid != config.netuid {
        return refused(format!("subnet {netuid} does not exist here, only {}", config.netuid));
    }
    if uids.len() != values.len() {
        return refused(format!("{} uids but {} weights", uids.len(), values.len()));
    }
    if uids.len() > slots.len() {
        return refused(format!("{} weights for {} neurons", uids.len(), slots.len()));
    }
    let Some((own, slot)) = slots.iter().enumerate().find(|(_, slot)| slot.hotkey == *hotkey)
    else {
        return Err(ChainError::NotRegistered(hotkey.clone()));
    };
    if *version_key < rules.weights_version {
        return refused(format!(
            "version key {version_key} is older than the subnet's, {}: update the program",
            rules.weights_version
        ));
    }
    check_rate(slot.last_update, rules.weights_rate_limit, block)?;
    let self_only = matches!(uids.as_slice(), [uid] if usize::from(uid.0) == own);
    if !self_only && !permits(slots, config.max_validators).contains(&own) {
        return Err(ChainError::NoPermit(hotkey.clone()));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = uids.iter().find(|uid| !seen.insert(**uid)) {
        return refused(format!("uid {twice} is in the weights twice"));
    }
    if let Some(unknown) = uids.iter().find(|uid| usize::from(uid.0) >= slots.len()) {
        return refused(format!("no neuron has uid {unknown}"));
    }
    let least = usize::from(rules.min_allowed_weights).min(slots.len());
    if !self_only && uids.len() < least {
        return refused(format!("{} weights, but at least {least} are needed", uids.len()));
    }
    let upscaled = upscale(values);
    if !self_only && exceeds(&upscaled, rules.max_weight_limit) {
        return refused(format!(
            "one weight is more than {} of 65535 of their sum",
            rules.max_weight_limit
        ));
    }
    Ok((own, uids.iter().copied().zip(upscaled).collect()))
}

/// Scales so that the largest is 65535; all zeros stay zeros.
fn upscale(values: &[u16]) -> Vec<u16> {
    let Some(largest) = values.iter().copied().max().filter(|&largest| largest > 0) else {
        return values.to_vec();
    };
    let (full, largest) = (u64::from(u16::MAX), u64::from(largest));
    let scaled = |value: u16| (u64::from(value) * full + largest / 2) / largest;
    values.iter().map(|&value| u16::try_from(scaled(value)).unwrap_or(u16::MAX)).collect()
}

/// Whether the largest value's share of their sum is above the limit.
fn exceeds(values: &[u16], limit: u16) -> bool {
    let sum: u64 = values.iter().copied().map(u64::from).sum();
    let largest = values.iter().copied().max().unwrap_or(0);
    limit < u16::MAX && u64::from(largest) * u64::from(u16::MAX) > u64::from(limit) * sum
}

/// Refuses addresses that nobody can call, as the real chain does, except that loopback is allowed:
/// a local network's miners are nowhere else.
pub(super) fn check_axon(
    config: &LocalChainConfig,
    slot: &Slot,
    address: SocketAddr,
    block: BlockNumber,
) -> Result<(), ChainError> {
    let nowhere = match address.ip() {
        IpAddr::V4(ip) => ip.is_unspecified() || ip == Ipv4Addr::BROADCAST,
        IpAddr::V6(ip) => ip.is_unspecified(),
    };
    if nowhere || address.port() == 0 {
        return Err(ChainError::Refused(format!("nobody can call an axon at {address}")));
    }
    let served = slot.axon.as_ref().map_or(BlockNumber(0), |axon| axon.served);
    check_rate(served, config.serving_rate_limit, block)
}

/// Block 0 stands for never.
fn check_rate(last: BlockNumber, limit: u64, block: BlockNumber) -> Result<(), ChainError> {
    let passed = block.0.saturating_sub(last.0);
    if last.0 == 0 || passed >= limit {
        Ok(())
    } else {
        Err(ChainError::TooSoon { wait: limit - passed })
    }
}
