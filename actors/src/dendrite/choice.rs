//! Who is asked. Pure; only Dendrite uses it.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::domain::{Coldkey, Hotkey, Metagraph, Neuron, Tao};
use crate::ports::AxonTarget;

use super::DendriteConfig;

/// Whose turn it is: whoever was not asked for the longest time comes first.
///
/// Of `n` that are available, `k` in a step, everyone is asked within any ⌈n/k⌉ steps. Where no two
/// of a step may share a coldkey or an address, a hotkey waits at most one step more for each other
/// hotkey that it shares one with. Someone who joins counts as never asked, like everybody after a
/// restart; `n` is the number of all who were available at some time in these steps.
#[derive(Debug, Default)]
pub struct Rotation {
    /// Steps so far.
    step: u64,
    /// The step in which each hotkey of the metagraph was last asked.
    asked: HashMap<Hotkey, u64>,
}

impl Rotation {
    /// Draws the miners of one step: up to `sample_size` of those that serve an axon, are not this
    /// validator itself and are not validators above the stake limit. Those that were asked equally
    /// long ago are in random order. Fewer if there are fewer, never an error.
    #[must_use]
    pub fn draw(
        &mut self,
        metagraph: &Metagraph,
        config: &DendriteConfig,
        mut random: ChaCha8Rng,
    ) -> Vec<AxonTarget> {
        let registered: HashSet<_> = metagraph.neurons.iter().map(|n| &n.hotkey).collect();
        self.asked.retain(|hotkey, _| registered.contains(hotkey));
        let mut due = available(metagraph, config);
        // Shuffled before some are left out for what they share, or the first would always win.
        due.shuffle(&mut random);
        due.sort_by_key(|(neuron, _)| self.asked.get(&neuron.hotkey).copied());
        let mut taken = Taken::default();
        let targets = due
            .into_iter()
            .filter(|(neuron, target)| taken.admits(neuron, target.address.ip(), config))
            .map(|(_, target)| target)
            .take(config.sample_size)
            .collect::<Vec<_>>();
        self.step += 1;
        self.asked.extend(targets.iter().map(|target| (target.hotkey.clone(), self.step)));
        targets
    }
}

/// Why a neuron is never asked, as long as it stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// It is this validator.
    Itself,
    /// It is a validator above the stake limit.
    LargeValidator,
    /// It serves no axon.
    NoAxon,
}

impl std::fmt::Display for LeftOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Itself => "this is our own hotkey",
            Self::LargeValidator => "a validator with more stake than the limit",
            Self::NoAxon => "serves no axon",
        })
    }
}

/// Whether a validator of the hotkey `own` leaves a neuron out, and why. `limit` is the stake above
/// which a neuron with a permit is taken for a validator.
#[must_use]
pub fn left_out(neuron: &Neuron, own: Option<&Hotkey>, limit: Tao) -> Option<LeftOut> {
    if own == Some(&neuron.hotkey) {
        return Some(LeftOut::Itself);
    }
    if neuron.validator_permit && neuron.stake > limit {
        return Some(LeftOut::LargeValidator);
    }
    neuron.axon.is_none().then_some(LeftOut::NoAxon)
}

/// Everyone who may be asked, in order of uid.
fn available<'a>(
    metagraph: &'a Metagraph,
    config: &DendriteConfig,
) -> Vec<(&'a Neuron, AxonTarget)> {
    let (own, limit) = (Some(&config.own), config.vpermit_tao_limit);
    let asked = metagraph.neurons.iter().filter(|n| left_out(n, own, limit).is_none());
    asked
        .filter_map(|neuron| {
            let address = neuron.axon?;
            let (uid, hotkey) = (neuron.uid, neuron.hotkey.clone());
            Some((neuron, AxonTarget { uid, hotkey, address }))
        })
        .collect()
}

/// What those who are asked in one step have, of which there may be one each.
#[derive(Default)]
struct Taken<'a> {
    coldkeys: HashSet<&'a Coldkey>,
    ips: HashSet<IpAddr>,
}

impl<'a> Taken<'a> {
    /// Whether one more may be asked; if so, it is.
    fn admits(&mut self, neuron: &'a Neuron, ip: IpAddr, config: &DendriteConfig) -> bool {
        let ip = ip.to_canonical();
        let taken = config.unique_coldkeys && self.coldkeys.contains(&neuron.coldkey)
            || config.unique_ips && self.ips.contains(&ip);
        if !taken {
            self.coldkeys.insert(&neuron.coldkey);
            self.ips.insert(ip);
        }
        !taken
    }
}

#[cfg(test)]
mod tests;
