//! Moving averages over a replay.

use std::collections::{BTreeMap, VecDeque};

use sn1_actors::domain::{Hotkey, Metagraph, Score};
use sn1_actors::weight_setter::averages::{Census, take_step};

/// Weights are worked out from averages of a moment ago, since the chain takes time to answer; no
/// more steps than this are scored meanwhile.
const MOST_MOVES: usize = 4_096;

/// The averages of everyone, and how to get back to those of a short while ago.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    pub(super) averages: BTreeMap<Hotkey, Score>,
    pub(super) steps: u64,
    census: Census,
    moves: VecDeque<Move>,
}

/// What a step changed.
#[derive(Clone, Debug)]
struct Move {
    /// The number of the step.
    step: u64,
    before: Vec<(Hotkey, Option<Score>)>,
}

impl Standing {
    pub(super) fn of(averages: BTreeMap<Hotkey, Score>, steps: u64) -> Self {
        Self { averages, steps, ..Self::default() }
    }

    /// Moves the averages by what a step brought; gives those of whom it is about.
    pub(super) fn take(
        &mut self,
        step: u64,
        rewards: Vec<(Hotkey, Score)>,
        alpha: f64,
    ) -> Vec<Score> {
        let before =
            |(hotkey, _): &(Hotkey, Score)| (hotkey.clone(), self.averages.get(hotkey).copied());
        let before = rewards.iter().map(before).collect();
        self.moves.push_back(Move { step, before });
        if self.moves.len() > MOST_MOVES {
            self.moves.pop_front();
        }
        self.steps = step;
        take_step(&mut self.averages, rewards, alpha)
    }

    /// Takes over averages as they are told.
    pub(super) fn adopt(&mut self, step: u64, averages: impl Iterator<Item = (Hotkey, Score)>) {
        self.averages.extend(averages);
        self.steps = step;
    }

    /// The averages after that step.
    pub(super) fn after(&self, step: u64) -> BTreeMap<Hotkey, Score> {
        let mut averages = self.averages.clone();
        for undone in self.moves.iter().rev().take_while(|moved| moved.step > step) {
            for (hotkey, before) in undone.before.iter().cloned() {
                match before {
                    Some(before) => averages.insert(hotkey, before),
                    None => averages.remove(&hotkey),
                };
            }
        }
        averages
    }

    /// Weights are on chain.
    pub(super) fn forget_the_replaced(&mut self, metagraph: &Metagraph) {
        // No weights are worked out from what was before: one setting is under way at a time.
        self.moves.clear();
        self.census.forget_the_replaced(&mut self.averages, metagraph);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_of_a_moment_ago_are_found_again() {
        let key =
            |n: u8| Hotkey::parse(&format!("5{}", char::from(b'a' + n).to_string().repeat(47)));
        let [a, b] = [0, 1].map(|n| key(n).unwrap());
        let mut standing = Standing::of(BTreeMap::from([(a.clone(), Score::new(0.5))]), 7);
        let mut seen = vec![standing.averages.clone()];
        for (step, who) in [(8, &a), (9, &b), (10, &a), (11, &b)] {
            standing.take(step, vec![(who.clone(), Score::ONE)], 0.3);
            seen.push(standing.averages.clone());
        }
        for (step, averages) in (7..).zip(&seen) {
            assert_eq!(standing.after(step), *averages, "{step}");
        }
        assert!(!seen[1].contains_key(&b) && seen[2].contains_key(&b));
    }
}
