//! How near an answer's length is to the reference's.
//!
//! Not a part of the program: `scripts/test-extend.sh` adds it to a copy, to see that a reward takes
//! one file and one line.

use super::{Measure, Reward, RewardKind};
use crate::domain::Score;
use crate::reward_scorer::effort::Effort;

/// Likeness of length.
pub const LENGTH_RATIO: RewardKind = RewardKind(&Reward {
    name: "length_ratio",
    about: "the shorter of answer and reference over the longer",
    measure: Measure::Text(length_ratio),
});

/// The shorter length in bytes over the longer; two empty texts score 0.
#[must_use]
pub fn length_ratio(reference: &str, completion: &str, effort: &Effort) -> Score {
    effort.spend(reference.len() + completion.len());
    let (one, other) = (reference.len() as f64, completion.len() as f64);
    if one.max(other) == 0.0 { Score::ZERO } else { Score::new(one.min(other) / one.max(other)) }
}
