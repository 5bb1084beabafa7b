//! From measures to one number: the weighted sum of rewards, less what the penalties take.
//!
//! original-system.md §1.9: `total = Σ wᵢ rᵢ · Π (1 - wⱼ pⱼ)`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rewards::Weighted;
use crate::domain::Score;

/// One measure of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Component {
    /// Which measure, and how much it counts.
    pub measure: Weighted,
    /// What it gave.
    pub score: Score,
    /// How long it took; of a batch of embeddings, its part.
    #[serde(skip)]
    pub time: Duration,
}

/// All that was measured of one answer, and what it comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Breakdown {
    /// Measures against the reference.
    pub rewards: Vec<Component>,
    /// Measures against what was said before.
    pub penalties: Vec<Component>,
    /// The weighted sum of the rewards, times what each penalty leaves.
    pub total: Score,
}

impl Breakdown {
    /// Works out the total. A weight that is no number takes the whole total to 0.
    #[must_use]
    pub fn new(rewards: Vec<Component>, penalties: Vec<Component>) -> Self {
        let earned: f64 = rewards.iter().map(|c| c.measure.weight * c.score.get()).sum();
        let kept: f64 = penalties
            .iter()
            .map(|c| (1.0 - c.measure.weight * c.score.get()).clamp(0.0, 1.0))
            .product();
        Self { rewards, penalties, total: Score::new(earned * kept) }
    }
}

/// One measure's scores over a step, spread over the range: `(r - min) / (max - min + 1e-6)`.
///
/// For the journal only; totals are made of the scores as they are.
#[must_use]
pub fn normalise(scores: &[Score]) -> Vec<Score> {
    let min = scores.iter().map(|s| s.get()).fold(f64::INFINITY, f64::min);
    let max = scores.iter().map(|s| s.get()).fold(f64::NEG_INFINITY, f64::max);
    scores.iter().map(|s| Score::new((s.get() - min) / (max - min + 1e-6))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reward_scorer::rewards::rouge::ROUGE_1;
    use proptest::prelude::*;

    fn component(weight: f64, score: f64) -> Component {
        let measure = Weighted { kind: ROUGE_1, weight };
        Component { measure, score: Score::new(score), time: Duration::ZERO }
    }

    fn total(rewards: &[(f64, f64)], penalties: &[(f64, f64)]) -> f64 {
        let components =
            |of: &[(f64, f64)]| of.iter().map(|&(w, s)| component(w, s)).collect::<Vec<_>>();
        Breakdown::new(components(rewards), components(penalties)).total.get()
    }

    #[test]
    fn rewards_add_up_and_each_penalty_takes_its_share() {
        for (rewards, penalties, expected) in [
            (&[(0.5, 0.6), (0.5, 0.2)][..], &[][..], 0.4),
            (&[(0.5, 0.6), (0.5, 0.2)], &[(0.5, 0.5)], 0.4 * 0.75),
            (&[(1.0, 0.8)], &[(0.5, 0.5), (1.0, 0.25)], 0.8 * 0.75 * 0.75),
            (&[(1.0, 0.8)], &[(1.0, 1.0)], 0.0),
            (&[], &[(1.0, 0.1)], 0.0),
        ] {
            assert!((total(rewards, penalties) - expected).abs() < 1e-12, "{rewards:?}");
        }
    }

    #[test]
    fn weights_out_of_range_cannot_turn_a_penalty_into_a_gift() {
        assert_eq!(total(&[(1.0, 0.5)], &[(-3.0, 1.0)]), 0.5);
        assert_eq!(total(&[(1.0, 0.5)], &[(3.0, 1.0), (3.0, 1.0)]), 0.0);
        assert_eq!(total(&[(f64::NAN, 0.5)], &[]), 0.0);
        assert_eq!(total(&[(1.0, 0.5)], &[(f64::NAN, 0.5)]), 0.0);
    }

    #[test]
    fn keeps_every_component() {
        let (reward, penalty) = (component(1.0, 0.3), component(0.5, 0.1));
        let breakdown = Breakdown::new(vec![reward], vec![penalty]);
        assert_eq!((breakdown.rewards, breakdown.penalties), (vec![reward], vec![penalty]));
    }

    #[test]
    fn normalised_scores_run_from_zero_to_almost_one() {
        let normalised = normalise(&[0.2, 0.4, 0.6].map(Score::new));
        assert_eq!(normalised[0], Score::ZERO);
        assert!((normalised[1].get() - 0.2 / 0.400_001).abs() < 1e-12);
        assert!((normalised[2].get() - 0.4 / 0.400_001).abs() < 1e-12);
        assert_eq!(normalise(&[Score::ONE, Score::ONE]), [Score::ZERO, Score::ZERO]);
        assert!(normalise(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn any_weights_and_scores_give_a_total_within_the_range(
            rewards in prop::collection::vec((any::<f64>(), any::<f64>()), 0..5),
            penalties in prop::collection::vec((any::<f64>(), any::<f64>()), 0..5),
        ) {
            prop_assert!((0.0..=1.0).contains(&total(&rewards, &penalties)));
        }
    }
}
