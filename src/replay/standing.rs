//! Moving averages over a replay.

use std::collections::BTreeMap;

use sn1_actors::domain::{Hotkey, Metagraph, Score};
use sn1_actors::weight_setter::averages::{Census, take_step};

/// The averages of everyone.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    pub(super) averages: BTreeMap<Hotkey, Score>,
    pub(super) steps: u64,
    census: Census,
}

impl Standing {
    pub(super) fn of(averages: BTreeMap<Hotkey, Score>, steps: u64) -> Self {
        Self { averages, steps, ..Self::default() }
    }

    /// Moves the averages by what a step brought; gives those of whom it is about.
    pub(super) fn take(
        &mut self,
        step: u64,
        rewards: impl Iterator<Item = (Hotkey, Score)>,
        alpha: f64,
    ) -> Vec<Score> {
        self.steps = step;
        take_step(&mut self.averages, rewards, alpha)
    }

    /// Takes over averages as they are told.
    pub(super) fn adopt(&mut self, step: u64, averages: impl Iterator<Item = (Hotkey, Score)>) {
        self.averages.extend(averages);
        self.steps = step;
    }

    /// Weights are on chain.
    pub(super) fn forget_the_replaced(&mut self, metagraph: &Metagraph) {
        self.census.forget_the_replaced(&mut self.averages, metagraph);
    }
}
