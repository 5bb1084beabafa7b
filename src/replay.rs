//! Scores the runs of a journal again, in the order in which they were scored.
//!
//! Unchanged, a replay comes to every reward, every moving average and all weights bit for bit; with
//! other rules it shows what would have been. It measures with RewardScorer's judge, closes steps
//! with its rules, moves averages and makes weights with WeightSetter's functions: there is no second
//! way to score. `sn1 replay` feeds it; what lies between the lines of a journal (who was asked, what
//! would have been asked next) is as it was recorded.

mod changes;
mod report;
mod rescore;
mod run;
mod standing;

use std::sync::Arc;

use sn1_actors::domain::Score;
use sn1_actors::reward_scorer::rules::ScoringRules;

use crate::journal::read::{JournalLine, LinePlace};
use crate::journal::recorded::{Recorded, ScoringBegan};

pub use changes::Changes;
pub use report::{Beside, Compared, Difference, MinerReport, Report, RunReport, RunState};
pub use rescore::totals;

use run::Run;

/// A replay so far.
#[derive(Default)]
pub struct Replay {
    runs: Vec<Run>,
    /// The rules are not those that were recorded.
    changed: bool,
    unreadable: u64,
    first_unreadable: Option<LinePlace>,
    torn: bool,
}

impl Replay {
    /// Nothing is replayed yet; `changed` says that the rules will not be those that were recorded.
    #[must_use]
    pub fn new(changed: bool) -> Self {
        Self { changed, ..Self::default() }
    }

    /// Takes the next line, with the rules that its run is scored by now, if they are known, and, for
    /// a step, what its answers are measured to be worth by them.
    pub fn take(
        &mut self,
        line: JournalLine,
        rules: Option<&Arc<ScoringRules>>,
        totals: Option<&[Score]>,
    ) {
        match line {
            JournalLine::Event { run_id, seq, event } => {
                let at = self.run(&run_id, seq);
                if let (Recorded::ScoringBegan(began), Some(rules)) = (&event, rules) {
                    return self.begin(at, began, rules);
                }
                if let Some(run) = self.runs.get_mut(at) {
                    run.apply(event, totals);
                }
            }
            JournalLine::Malformed { run_id, seq, event, place, cause } => {
                let at = self.run(&run_id, seq);
                if let Some(run) = self.runs.get_mut(at) {
                    run.apply_malformed(&event, &place, cause);
                }
            }
            JournalLine::Unreadable { torn: true, .. } => self.torn = true,
            JournalLine::Unreadable { place, .. } => {
                self.unreadable += 1;
                self.first_unreadable.get_or_insert(place);
            }
        }
    }

    /// Everything that it came to.
    #[must_use]
    pub fn report(self) -> Report {
        Report {
            equal: self.unreadable == 0 && self.runs.iter().all(Run::is_equal),
            unreadable_lines: self.unreadable,
            first_unreadable: self.first_unreadable,
            torn: self.torn,
            runs: self.runs.into_iter().map(Run::report).collect(),
        }
    }

    /// Where the run of that name is; its next line has that number.
    fn run(&mut self, id: &str, seq: u64) -> usize {
        let at = self.runs.iter().rposition(|run| run.id() == id).unwrap_or_else(|| {
            self.runs.push(Run::new(id));
            self.runs.len() - 1
        });
        if let Some(run) = self.runs.get_mut(at) {
            run.count(seq);
        }
        at
    }

    /// A run starts from the averages that it found. By other rules the run before it would have
    /// left others, if it is the one that it took up.
    fn begin(&mut self, at: usize, began: &ScoringBegan, rules: &Arc<ScoringRules>) {
        let before = self.runs.get(..at).unwrap_or_default().iter().rev();
        let taken_up = before.filter(|_| self.changed).find_map(|run| run.left(began));
        if let Some(run) = self.runs.get_mut(at) {
            run.begin(began, Arc::clone(rules), taken_up);
        }
    }
}

#[cfg(test)]
mod tests;
