//! Whether there are scores enough to judge anybody by.

use crate::domain::Metagraph;
use crate::ports::ScoreBook;

/// From when on weights are set after a start from nothing (`weights.*`).
///
/// A validator that has asked a tenth of the miners would take the others' weight away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColdStart {
    /// Scored steps.
    pub min_steps: u64,
    /// The part of the miners that has a score, in `0.0..=1.0`. Miners are the neurons that serve
    /// an axon and hold no validator permit.
    pub min_scored_fraction: f64,
}

/// There are not scores enough yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is too early for weights: {scored} of {miners} miners have a score after {steps} steps \
     (weights.min_steps, weights.min_scored_fraction)"
)]
pub struct TooEarly {
    /// Steps so far.
    pub steps: u64,
    /// Miners with a score.
    pub scored: usize,
    /// All miners.
    pub miners: usize,
}

impl ColdStart {
    /// Weights from the first score on.
    pub const OFF: Self = Self { min_steps: 0, min_scored_fraction: 0.0 };

    /// Scores that were imported need no wait.
    pub(super) fn check(self, book: &ScoreBook, metagraph: &Metagraph) -> Result<(), TooEarly> {
        let miners = metagraph
            .neurons
            .iter()
            .filter(|neuron| neuron.axon.is_some() && !neuron.validator_permit);
        let scored =
            miners.clone().filter(|neuron| book.scores.contains_key(&neuron.hotkey)).count();
        let early = TooEarly { steps: book.steps, scored, miners: miners.count() };
        let enough = early.scored as f64 >= self.min_scored_fraction * early.miners as f64;
        if book.imported || (book.steps >= self.min_steps && enough) { Ok(()) } else { Err(early) }
    }
}
