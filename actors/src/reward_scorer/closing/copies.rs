//! Answers that were taken from another's.

use serde::{Deserialize, Serialize};

use super::Candidate;
use crate::domain::{Score, Uid};

/// What happens to the answers of a cluster of near-duplicates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CopyMode {
    /// The one that was there first keeps its reward, the others earn nothing. Sharing would let
    /// copiers rob authors.
    #[default]
    First,
    /// They share what the first earned, in equal parts.
    Share,
    /// Nothing: copies are not looked for.
    Off,
}

impl CopyMode {
    /// Every mode there is.
    pub const ALL: [Self; 3] = [Self::First, Self::Share, Self::Off];

    /// The name in configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Share => "share",
            Self::Off => "off",
        }
    }
}

/// What counts as a copy, and what happens to it (`rewards.copies`, `rewards.copy_likeness`,
/// `rewards.copy_words`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CopyRule {
    /// What happens to copies.
    pub mode: CopyMode,
    /// From this likeness on a later answer copies an earlier one, above 0 to 1.
    pub likeness: f64,
    /// Answers of fewer words copy nobody: a right number or date is the same for all.
    pub min_words: usize,
}

impl Default for CopyRule {
    fn default() -> Self {
        Self { mode: CopyMode::First, likeness: 0.9, min_words: 12 }
    }
}

impl CopyRule {
    /// For each candidate the one that it copies, if any.
    pub(super) fn copies(&self, candidates: &[Candidate<'_>]) -> Vec<Option<Uid>> {
        vec![None; candidates.len()]
    }

    /// What is left of what each earned.
    pub(super) fn settle(
        &self,
        _candidates: &[Candidate<'_>],
        _copy_of: &[Option<Uid>],
        earned: Vec<Score>,
    ) -> Vec<Score> {
        earned
    }
}
