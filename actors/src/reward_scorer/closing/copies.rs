//! Answers that were taken from another's.
//!
//! The answers of a step are clustered around those that were there first by our own clock: each is
//! compared with the earlier ones that are nobody's copies, and copies the earliest that it is like.
//! There are no chains: what is like a copy, but not like the answer that was copied, is none.
//!
//! No two who write in words of their own are as like as that. Where the right answer is the same for
//! all they are, so copies are looked for only in the kinds of task that say so
//! ([`Measures::copies`](crate::reward_scorer::rewards::Measures::copies)).

use serde::{Deserialize, Serialize};

use super::Candidate;
use super::likeness::{Lexicon, Sketch};
use crate::domain::Score;
use crate::reward_scorer::judge::measured_part;

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
    /// For each candidate the place of the one that it copies, if any.
    ///
    /// Who is worth nothing is nobody's author, so that a worthless answer cannot take another's
    /// worth by being there before it.
    pub(super) fn copies(&self, candidates: &[Candidate<'_>]) -> Vec<Option<usize>> {
        let mut copy_of = vec![None; candidates.len()];
        if self.mode == CopyMode::Off {
            return copy_of;
        }
        let mut lexicon = Lexicon::default();
        let mut authors: Vec<(usize, Sketch)> = Vec::new();
        for place in in_order(candidates) {
            let candidate = candidates[place];
            if candidate.total == Score::ZERO {
                continue;
            }
            let sketch = lexicon.sketch(measured_part(candidate.completion));
            if sketch.word_count() < self.min_words {
                continue;
            }
            let mut earlier = authors.iter();
            match earlier.find(|(_, author)| author.likeness(&sketch) >= self.likeness) {
                Some((author, _)) => copy_of[place] = Some(*author),
                None => authors.push((place, sketch)),
            }
        }
        copy_of
    }

    /// What is left of what each earned, given whom each copies.
    pub(super) fn settle(&self, copy_of: &[Option<usize>], earned: &[Score]) -> Vec<Score> {
        let authors: Vec<usize> =
            copy_of.iter().enumerate().map(|(place, author)| author.unwrap_or(place)).collect();
        let left = |(place, author): (usize, &usize)| match self.mode {
            CopyMode::Off => earned[place],
            CopyMode::First if *author == place => earned[place],
            CopyMode::First => Score::ZERO,
            CopyMode::Share => {
                let sharing = authors.iter().filter(|other| *other == author).count();
                Score::new(earned[*author].get() / sharing as f64)
            }
        };
        authors.iter().enumerate().map(left).collect()
    }
}

/// The candidates' places in the order in which they were there; of several that were there at once
/// the lowest uid is the first.
fn in_order(candidates: &[Candidate<'_>]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..candidates.len()).collect();
    places.sort_by_key(|place| (candidates[*place].arrived, candidates[*place].uid));
    places
}

#[cfg(test)]
mod tests;
