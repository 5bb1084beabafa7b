//! Moving averages: what a step does to them, and who is forgotten.
//!
//! WeightSetter keeps them; `sn1 replay` moves them again.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Hotkey, Metagraph, Score};

/// Takes one step's rewards into the averages; gives those of whom it is about, in their order.
pub fn take_step(
    averages: &mut BTreeMap<Hotkey, Score>,
    rewards: impl IntoIterator<Item = (Hotkey, Score)>,
    alpha: f64,
) -> Vec<Score> {
    let moved = rewards.into_iter().map(|(hotkey, reward)| {
        let average = averages.entry(hotkey).or_insert(Score::ZERO);
        *average = average.toward(reward, alpha);
        *average
    });
    moved.collect()
}

/// How many neurons the subnet was seen with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    most: usize,
}

impl Census {
    /// Who lost its slot starts from zero when it comes back. To be called when weights are on
    /// chain. A subnet that looks smaller than it was may be half an answer: then nobody is
    /// forgotten, nor the first time, before which nothing was seen.
    pub fn forget_the_replaced(
        &mut self,
        averages: &mut BTreeMap<Hotkey, Score>,
        metagraph: &Metagraph,
    ) {
        let registered: BTreeSet<&Hotkey> =
            metagraph.neurons.iter().map(|neuron| &neuron.hotkey).collect();
        if self.most > 0 && registered.len() >= self.most {
            averages.retain(|hotkey, _| registered.contains(hotkey));
        }
        self.most = self.most.max(registered.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BlockNumber, Coldkey, Netuid, Neuron, Tao, Uid};
    use crate::testkit::hotkey;

    fn averages(of: &[(u16, f64)]) -> BTreeMap<Hotkey, Score> {
        of.iter().map(|(n, score)| (hotkey(*n), Score::new(*score))).collect()
    }

    /// A subnet of these hotkeys, in the order of its uids.
    fn metagraph(hotkeys: &[u16]) -> Metagraph {
        let neuron = |(uid, n): (u16, &u16)| Neuron {
            uid: Uid(uid),
            hotkey: hotkey(*n),
            coldkey: Coldkey::parse(hotkey(*n).as_str()).unwrap(),
            stake: Tao(0.0),
            validator_permit: false,
            axon: None,
            last_update: BlockNumber(0),
            incentive: 0.0,
        };
        let neurons = (0..).zip(hotkeys).map(neuron).collect();
        Metagraph { netuid: Netuid(1), block: BlockNumber(1), neurons }
    }

    /// Who is left of 1, 2 and 3 once a census has seen these subnets.
    fn left(subnets: &[&[u16]]) -> Vec<Hotkey> {
        let (mut census, mut averages) =
            (Census::default(), averages(&[(1, 0.1), (2, 0.2), (3, 0.3)]));
        for subnet in subnets {
            census.forget_the_replaced(&mut averages, &metagraph(subnet));
        }
        averages.into_keys().collect()
    }

    #[test]
    fn a_step_moves_the_averages_of_those_it_asked_and_gives_them_in_their_order() {
        let mut book = averages(&[(1, 0.8), (2, 0.4), (3, 0.4)]);
        let rewards =
            [(9, 1.0), (3, 0.0), (1, 0.8)].map(|(n, reward)| (hotkey(n), Score::new(reward)));
        let moved = take_step(&mut book, rewards, 0.25);
        assert_eq!(moved, [0.25, 0.25 * 0.0 + 0.75 * 0.4, 0.25 * 0.8 + 0.75 * 0.8].map(Score::new));
        assert_eq!(book[&hotkey(2)], Score::new(0.4), "who was not asked keeps what it had");
        for (n, average) in [(9, moved[0]), (3, moved[1]), (1, moved[2])] {
            assert_eq!(book[&hotkey(n)], average);
        }
    }

    #[test]
    fn a_hotkey_that_a_step_has_twice_moves_twice() {
        let mut book = BTreeMap::new();
        let moved = take_step(&mut book, [(hotkey(1), Score::ONE), (hotkey(1), Score::ONE)], 0.5);
        assert_eq!(moved, [0.5, 0.75].map(Score::new));
    }

    #[test]
    fn who_lost_its_slot_is_forgotten_once_a_whole_subnet_was_seen_before() {
        let all = [1, 2, 3].map(hotkey);
        assert_eq!(left(&[&[1, 2]]), all, "nothing was seen before the first time");
        assert_eq!(left(&[&[1, 2], &[1, 7]]), [hotkey(1)]);
        assert_eq!(left(&[&[1, 2, 3], &[1, 2, 7]]), [hotkey(1), hotkey(2)]);
        assert_eq!(left(&[&[1, 2], &[1, 2, 7, 8]]), [hotkey(1), hotkey(2)]);
    }

    #[test]
    fn half_an_answer_of_the_chain_makes_nobody_forgotten() {
        let all = [1, 2, 3].map(hotkey);
        assert_eq!(left(&[&[1, 2, 3], &[1, 2], &[]]), all);
        assert_eq!(left(&[&[1, 2, 3], &[], &[1, 2, 3]]), all);
        // Neither does one that has somebody twice.
        assert_eq!(left(&[&[1, 2, 3], &[1, 1, 1]]), all);
        assert_eq!(left(&[&[], &[], &[1, 2]]), all, "an empty subnet is none that was seen");
    }
}
