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
