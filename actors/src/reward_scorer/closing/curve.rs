//! How much the best answer of a step is ahead of the rest.

use serde::{Deserialize, Serialize};

use crate::domain::Score;

/// Steepness of the curve, in `0.5..=1.0`; at 0.5 it is a straight line, so rewards stay as they are
/// (original-system.md §2.1, `steepness` from 2.9.0 on).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Steepness(pub f64);

/// The steepness of a straight line.
const STRAIGHT: f64 = 0.5;

impl Default for Steepness {
    fn default() -> Self {
        Self(STRAIGHT)
    }
}

impl Steepness {
    /// `best · (r / best)^e` for every reward `r` of a step, where `e = 100 p^6.64385619`.
    ///
    /// The best keeps what it has, and nothing stays nothing. A steepness that is no number or below
    /// the straight line's bends nothing.
    pub(super) fn bend(self, rewards: &[Score]) -> Vec<Score> {
        // Of the straight line the formula would leave the last bits different.
        let is_bent = self.0 > STRAIGHT;
        let best = rewards.iter().map(|reward| reward.get()).fold(0.0, f64::max);
        if !is_bent || best == 0.0 {
            return rewards.to_vec();
        }
        let exponent = 100.0 * self.0.min(1.0).powf(6.643_856_19);
        let bent = |reward: &Score| Score::new(best * (reward.get() / best).powf(exponent));
        rewards.iter().map(bent).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bent(steepness: f64, rewards: &[f64]) -> Vec<f64> {
        let rewards: Vec<Score> = rewards.iter().copied().map(Score::new).collect();
        Steepness(steepness).bend(&rewards).into_iter().map(Score::get).collect()
    }

    #[test]
    fn the_exponent_is_the_original_s() {
        for (steepness, exponent) in [(0.55, 1.88), (0.7, 9.35), (1.0, 100.0)] {
            let half = bent(steepness, &[1.0, 0.5])[1];
            assert!((-half.log2() - exponent).abs() < 0.01, "{steepness}: {half}");
        }
        let [best, other] = bent(0.7, &[0.8, 0.4])[..] else { panic!() };
        assert_eq!(best, 0.8);
        assert!((other - 0.8 * 0.5_f64.powf(9.350)).abs() < 1e-5, "{other}");
    }

    #[test]
    fn a_steepness_out_of_range_does_what_the_nearest_does() {
        let rewards = [0.9, 0.3, 0.0];
        for steepness in [f64::NAN, f64::NEG_INFINITY, -1.0, 0.0, 0.5] {
            assert_eq!(bent(steepness, &rewards), rewards);
        }
        for steepness in [1.5, f64::INFINITY] {
            assert_eq!(bent(steepness, &rewards), bent(1.0, &rewards));
        }
    }

    proptest! {
        #[test]
        fn a_straight_line_leaves_every_bit(rewards in prop::collection::vec(0.0..=1.0, 0..20)) {
            let bits = |list: &[f64]| list.iter().map(|reward| reward.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&bent(0.5, &rewards)), bits(&rewards));
        }

        #[test]
        fn the_order_zero_and_the_best_are_kept_and_nobody_gains(
            mut rewards in prop::collection::vec(prop_oneof![Just(0.0), 0.0..=1.0, 0.0..=1e-300], 1..20),
            steepness in 0.5..=1.0,
        ) {
            rewards.sort_by(f64::total_cmp);
            let bent = bent(steepness, &rewards);
            prop_assert!(bent.is_sorted(), "{:?}", bent);
            prop_assert_eq!(bent.last(), rewards.last());
            for (bent, reward) in bent.iter().zip(&rewards) {
                let rounding = 1e-12 * reward;
                prop_assert!((0.0..=reward + rounding).contains(bent), "{} of {}", bent, reward);
                prop_assert!(*reward > 0.0 || *bent == 0.0);
            }
        }
    }
}
