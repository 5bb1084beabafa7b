//! Whether an answer is the reference, but for capitals and the signs around it.

use super::stated_labels::bare;
use super::{Measure, Reward, RewardKind};
use crate::domain::Score;
use crate::reward_scorer::effort::Effort;

/// The same text.
pub const EXACT: RewardKind = RewardKind(&Reward {
    name: "exact",
    about: "1 if the answer is the reference, but for capitals and the signs around it, else 0",
    measure: Measure::Text(is_same_text),
});

/// 1 if both texts are the same but for capitals and the signs and white space around them, else 0.
/// A reference without a letter or digit is matched as it is, and an empty one never.
#[must_use]
pub fn is_same_text(reference: &str, answer: &str, effort: &Effort) -> Score {
    effort.spend(2 * (reference.len() + answer.len()));
    let (reference, answer) = (reference.trim(), answer.trim());
    let right = bare(reference);
    let is_same = if right.is_empty() { reference == answer } else { right == bare(answer) };
    if is_same && !reference.is_empty() { Score::ONE } else { Score::ZERO }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_text_is_the_same() {
        let is_same =
            |reference, answer| is_same_text(reference, answer, &Effort::default()) == Score::ONE;
        assert!(
            is_same("Lake Baikal", "lake baikal.") && is_same("B", "(b)") && is_same("<", " <")
        );
        for (reference, answer) in [
            ("Lake Baikal", "It is Lake Baikal."),
            ("Lake Baikal", "Lake  Baikal"),
            ("12", "12.0"),
            ("B", "B or C"),
            ("<", ">"),
            ("B", ""),
            ("", ""),
            ("", "B"),
        ] {
            assert!(!is_same(reference, answer), "{answer:?} for {reference:?}");
        }
    }
}
