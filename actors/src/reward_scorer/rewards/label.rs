//! Whether the sentiment that an answer states is the right one.

use super::ordinal::{place, stated_sentiment};
use super::{Measure, Reward, RewardKind};
use crate::domain::Score;
use crate::reward_scorer::effort::Effort;

/// The right sentiment and no other.
pub const LABEL: RewardKind = RewardKind(&Reward {
    name: "label",
    about: "1 if the one sentiment that the answer states is the reference's, else 0",
    measure: Measure::WithChallenge(states_sentiment),
});

/// 1 if the answer states the sentiment that the reference is, read as
/// [`nearness_of_sentiments`](super::ordinal::nearness_of_sentiments) reads it, else 0. Unlike
/// there, whoever always says `neutral` earns no more than by any other guess.
#[must_use]
pub fn states_sentiment(reference: &str, challenge: &str, answer: &str, effort: &Effort) -> Score {
    let given = stated_sentiment(challenge, answer, effort);
    if given.is_some() && given == place(reference) { Score::ONE } else { Score::ZERO }
}

#[cfg(test)]
mod tests {
    use super::super::ordinal::SENTIMENTS;
    use super::*;

    const QUESTION: &str = "Is this review of Tea positive, negative or neutral?\n\nI loved it.";

    fn score(reference: &str, answer: &str) -> f64 {
        states_sentiment(reference, QUESTION, answer, &Effort::default()).get()
    }

    #[test]
    fn whoever_always_says_the_same_earns_a_third() {
        for constant in SENTIMENTS {
            let earned: f64 = SENTIMENTS.iter().map(|right| score(right, constant)).sum();
            assert_eq!(earned, 1.0, "{constant}");
        }
    }

    #[test]
    fn only_the_sentiment_of_the_reference_counts() {
        assert_eq!(score("positive", "The review is Positive."), 1.0);
        assert_eq!(score("Neutral", "neutral"), 1.0);
        for answer in ["neutral", "negative", "positive or neutral", "B", "", QUESTION] {
            assert_eq!(score("positive", answer), 0.0, "{answer}");
        }
        assert_eq!(score("glad", "glad"), 0.0);
    }
}
