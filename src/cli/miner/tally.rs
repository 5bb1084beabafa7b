//! What became of a miner's requests, by caller, in bounded memory: whoever knocks may claim any
//! hotkey and be refused with any text.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sn1_actors::domain::Hotkey;

use crate::cli::output::shown;
use crate::journal::served::Served;

/// Callers that are told apart.
const CALLERS: usize = 4_096;
/// Reasons of refusals that are told apart, of one caller.
const REASONS: usize = 16;
/// The median latency is that of so many answers, the last ones.
const RECENT: usize = 256;

/// The requests of one caller.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Caller {
    /// When it asked last, in seconds since the Unix epoch.
    pub(super) last: Option<f64>,
    /// Requests with an answer.
    pub(super) answered: u64,
    /// Those without, by status and words.
    pub(super) refused: BTreeMap<String, u64>,
    /// How long the last answers took, in seconds.
    recent: VecDeque<f64>,
}

impl Caller {
    fn take(&mut self, served: &Served) {
        self.last = Some(self.last.map_or(served.time, |last| last.max(served.time)));
        if served.status == 200 {
            self.answered += 1;
            if self.recent.len() == RECENT {
                self.recent.pop_front();
            }
            self.recent.push_back(served.seconds);
            return;
        }
        self.refuse(format!("{} {}", served.status, shown(&served.message, 80)), 1);
    }

    fn refuse(&mut self, reason: String, count: u64) {
        let full = self.refused.len() >= REASONS && !self.refused.contains_key(&reason);
        let reason = if full { "for other reasons".to_owned() } else { reason };
        *self.refused.entry(reason).or_default() += count;
    }

    fn add(&mut self, other: Self) {
        self.last = match (self.last, other.last) {
            (Some(own), Some(other)) => Some(own.max(other)),
            (own, other) => own.or(other),
        };
        self.answered += other.answered;
        for (reason, count) in other.refused {
            self.refuse(reason, count);
        }
    }

    /// Requests without an answer.
    pub(super) fn refusals(&self) -> u64 {
        self.refused.values().sum()
    }

    /// The median latency of the last answers, in seconds.
    pub(super) fn median(&self) -> Option<f64> {
        let mut times: Vec<f64> = self.recent.iter().copied().collect();
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied()
    }
}

/// The requests of everybody.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tally {
    /// Of each caller that is told apart.
    pub(super) callers: BTreeMap<Hotkey, Caller>,
    /// Of the rest: who named no hotkey, and too many who were never answered.
    pub(super) others: Caller,
    /// When the first was over, in seconds since the Unix epoch.
    pub(super) since: Option<f64>,
    /// Who is never counted with the others.
    known: BTreeSet<Hotkey>,
    /// Nobody is left who could be.
    full: bool,
}

impl Tally {
    /// A tally that tells these apart, even if they are never answered: validators with a permit.
    pub(super) fn new(known: BTreeSet<Hotkey>) -> Self {
        Self { known, ..Self::default() }
    }

    pub(super) fn take(&mut self, served: &Served) {
        self.since.get_or_insert(served.time);
        let Ok(hotkey) = Hotkey::parse(&served.hotkey) else {
            return self.others.take(served);
        };
        let new = !self.callers.contains_key(&hotkey);
        if new && self.callers.len() >= CALLERS && !self.full {
            self.forget_refused();
            self.full = self.callers.len() >= CALLERS;
        }
        let room = self.callers.len() < CALLERS || self.known.contains(&hotkey);
        match self.callers.get_mut(&hotkey) {
            Some(caller) => caller.take(served),
            None if room => self.callers.entry(hotkey).or_default().take(served),
            None => self.others.take(served),
        }
    }

    /// Makes room: a name that was never let in may be anybody's invention.
    fn forget_refused(&mut self) {
        let all = std::mem::take(&mut self.callers);
        let (kept, gone): (BTreeMap<_, _>, BTreeMap<_, _>) = all
            .into_iter()
            .partition(|(hotkey, caller)| caller.answered > 0 || self.known.contains(hotkey));
        self.callers = kept;
        gone.into_values().for_each(|caller| self.others.add(caller));
    }

    /// Everybody's requests together: answered, and refused.
    pub(super) fn totals(&self) -> (u64, u64) {
        let all = || self.callers.values().chain([&self.others]);
        (all().map(|caller| caller.answered).sum(), all().map(Caller::refusals).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(hotkey: &str, status: u16, message: &str, seconds: f64) -> Served {
        Served { time: 5.0, hotkey: hotkey.into(), status, message: message.into(), seconds }
    }

    fn name(n: usize) -> String {
        format!("5{}", format!("{n:047}").replace('0', "A"))
    }

    #[test]
    fn tells_answers_and_reasons_apart_and_gives_the_median() {
        let mut tally = Tally::default();
        for seconds in [3.0, 1.0, 2.0] {
            tally.take(&served(&name(1), 200, "Success", seconds));
        }
        tally.take(&served(&name(1), 503, "Too many\u{1b}[2J", 0.0));
        tally.take(&served("nobody", 401, "Not Verified", 0.0));
        let caller = &tally.callers[&Hotkey::parse(&name(1)).unwrap()];
        assert_eq!((caller.answered, caller.median()), (3, Some(2.0)));
        assert_eq!(caller.refused, BTreeMap::from([("503 Too many [2J".to_owned(), 1)]));
        assert_eq!((tally.totals(), tally.others.refusals()), ((3, 2), 1));
    }

    #[test]
    fn a_flood_of_invented_names_and_reasons_takes_bounded_memory_and_loses_no_count() {
        let known = Hotkey::parse(&name(9_998)).unwrap();
        let mut tally = Tally::new(BTreeSet::from([known.clone()]));
        tally.take(&served(&name(9_999), 200, "Success", 1.0));
        tally.take(&served(known.as_str(), 403, "not on the list", 1.0));
        for n in 0..9_000 {
            tally.take(&served(&name(n), 403, &format!("reason {n}"), 0.0));
        }
        assert!(tally.callers.len() <= CALLERS && tally.others.refused.len() <= REASONS + 1);
        assert_eq!((tally.totals(), tally.callers[&known].refusals()), ((1, 9_001), 1));
        assert!(tally.callers.contains_key(&Hotkey::parse(&name(9_999)).unwrap()));
    }
}
