//! Who is asked. Pure; only Dendrite uses it.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::domain::{Metagraph, Neuron};
use crate::ports::AxonTarget;

use super::DendriteConfig;

/// Draws the miners of one step: up to `sample_size` of those that serve an axon, are not this
/// validator itself and are not validators above the stake limit, in random order. Fewer if there
/// are fewer, never an error.
#[must_use]
pub fn choose(
    metagraph: &Metagraph,
    config: &DendriteConfig,
    mut random: ChaCha8Rng,
) -> Vec<AxonTarget> {
    let validator = |n: &Neuron| n.validator_permit && n.stake > config.vpermit_tao_limit;
    let available = metagraph.neurons.iter().filter(|n| n.hotkey != config.own && !validator(n));
    let mut targets: Vec<AxonTarget> = available
        .filter_map(|neuron| {
            let address = neuron.axon?;
            Some(AxonTarget { uid: neuron.uid, hotkey: neuron.hotkey.clone(), address })
        })
        .collect();
    targets.shuffle(&mut random);
    targets.truncate(config.sample_size);
    targets
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::domain::{BlockNumber, Coldkey, Hotkey, Netuid, Tao, Uid};

    fn key(n: u16) -> Hotkey {
        Hotkey::parse(&format!("5{}", format!("{n:047}").replace('0', "A"))).unwrap()
    }

    fn neuron(n: u16) -> Neuron {
        Neuron {
            uid: Uid(n),
            hotkey: key(n),
            coldkey: Coldkey::parse(key(n).as_str()).unwrap(),
            stake: Tao(0.0),
            validator_permit: false,
            axon: Some(([10, 0, 0, 1], 8091).into()),
            last_update: BlockNumber(0),
        }
    }

    fn drawn(neurons: Vec<Neuron>, sample_size: usize, seed: u64) -> BTreeSet<u16> {
        let metagraph = Metagraph { netuid: Netuid(1), block: BlockNumber(1), neurons };
        let config = DendriteConfig {
            sample_size,
            timeout: Duration::from_secs(1),
            vpermit_tao_limit: Tao(4_096.0),
            own: key(9),
        };
        let targets = choose(&metagraph, &config, ChaCha8Rng::seed_from_u64(seed));
        let uids: BTreeSet<u16> = targets.iter().map(|target| target.uid.0).collect();
        assert_eq!(uids.len(), targets.len(), "nobody is asked twice");
        uids
    }

    #[test]
    fn asks_neither_itself_nor_the_unreachable_nor_large_validators() {
        let mut silent = neuron(1);
        silent.axon = None;
        let mut large = neuron(2);
        (large.validator_permit, large.stake) = (true, Tao(5_000.0));
        let mut small = neuron(3);
        (small.validator_permit, small.stake) = (true, Tao(4_096.0));
        let neurons = vec![neuron(0), silent, large, small, neuron(9)];
        assert_eq!(drawn(neurons, 10, 1), BTreeSet::from([0, 3]));
    }

    #[test]
    fn draws_no_more_than_the_sample_and_reaches_everyone_in_time() {
        let neurons: Vec<_> = (0..8).map(neuron).collect();
        let mut reached = BTreeSet::new();
        for seed in 0..50 {
            let uids = drawn(neurons.clone(), 3, seed);
            assert_eq!(uids.len(), 3);
            reached.extend(uids);
        }
        assert_eq!(reached.len(), 8);
    }
}
