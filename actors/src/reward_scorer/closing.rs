//! What each answer of a step earns once all of them are there.
//!
//! Measuring looks at one answer at a time ([`super::judge`]). Here what depends on when it came and
//! on the others is settled: copies, speed, and the curve. Pure; RewardScorer closes every step with
//! it, and `sn1 replay` closes those of a journal again.

mod copies;
mod curve;
mod likeness;
mod speed;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rewards::Measures;
use crate::domain::{Score, Uid};

pub use copies::{CopyMode, CopyRule};
pub use curve::Steepness;
pub use speed::SpeedRule;

/// How a step is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClosingRules {
    /// What happens to copies.
    pub copies: CopyRule,
    /// How much being fast counts.
    pub speed: SpeedRule,
    /// How much the best is ahead of the rest.
    pub steepness: Steepness,
}

/// What closing looks at of one answer.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Whose it is.
    pub uid: Uid,
    /// What it says; empty if it did not come.
    pub completion: &'a str,
    /// What it was measured to be worth.
    pub total: Score,
    /// How long it took, from the first byte sent to the last received.
    pub elapsed: Duration,
    /// When it was there, since the step was opened.
    pub arrived: Duration,
}

/// What became of one answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// What it earns.
    pub reward: Score,
    /// Whose answer it copies.
    pub copy_of: Option<Uid>,
    /// What its speed left of its total, in `0.0..=1.0`.
    pub speed: f64,
}

/// Closes a step of a kind of task that is measured so: a verdict for each candidate, in their order.
#[must_use]
pub fn close(
    rules: &ClosingRules,
    measures: &Measures,
    candidates: &[Candidate<'_>],
) -> Vec<Verdict> {
    let mode = if measures.copies { rules.copies.mode } else { CopyMode::Off };
    let copies = CopyRule { mode, ..rules.copies };
    let copy_of = copies.copies(candidates);
    let speeds: Vec<f64> = candidates.iter().map(|c| rules.speed.factor(c.elapsed)).collect();
    let timed = candidates.iter().zip(&speeds);
    let timed: Vec<Score> = timed.map(|(c, speed)| Score::new(c.total.get() * speed)).collect();
    let earned = copies.settle(&copy_of, &timed);
    let copied = copy_of.into_iter().map(|author| author.map(|place| candidates[place].uid));
    let verdicts = rules.steepness.bend(&earned).into_iter().zip(copied).zip(speeds);
    verdicts.map(|((reward, copy_of), speed)| Verdict { reward, copy_of, speed }).collect()
}

#[cfg(test)]
mod tests;
