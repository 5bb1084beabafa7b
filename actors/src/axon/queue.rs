//! Who is answered next: the largest stake, then the earliest. Only Axon uses it.
//!
//! It is bounded. One more than it holds costs the smallest stake its place, and one caller can
//! have no more than a share of it, so nobody fills it against others. Nor is a large stake all:
//! who is busy with its share already is passed over while somebody else waits.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tokio::sync::mpsc;

use crate::domain::{Hotkey, Moment, Query, Tao};
use crate::ports::Piece;
use crate::runtime::{Reply, Slot};

use super::{Refusal, share_of};

/// A request that was let in.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) caller: Hotkey,
    pub(super) stake: Tao,
    /// When it came.
    pub(super) since: Moment,
    /// When the caller hangs up.
    pub(super) deadline: Moment,
    pub(super) query: Query,
    pub(super) pieces: Option<mpsc::Sender<Piece>>,
    pub(super) reply: Reply<Result<String, Refusal>>,
    pub(super) slot: Slot,
}

/// The requests that wait, the next one first.
#[derive(Debug)]
pub(super) struct Queue {
    places: usize,
    waiting: BTreeMap<(Reverse<Rank>, u64), Waiting>,
    arrivals: u64,
}

/// A stake that can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank(u64);

impl Rank {
    fn of(stake: Tao) -> Self {
        // The bits of floats that are not negative are in the floats' order; NaN is no stake.
        Self(stake.0.max(0.0).to_bits())
    }
}

impl Queue {
    pub(super) fn with_places(places: usize) -> Self {
        Self { places, waiting: BTreeMap::new(), arrivals: 0 }
    }

    /// Whether one more of this caller would find a place.
    pub(super) fn has_place(&self, caller: &Hotkey, stake: Tao) -> bool {
        let last = self.waiting.last_key_value().map(|((Reverse(rank), _), _)| *rank);
        let full = self.waiting.len() >= self.places;
        !self.has_its_share(caller) && (!full || last.is_some_and(|last| last < Rank::of(stake)))
    }

    fn has_its_share(&self, caller: &Hotkey) -> bool {
        let own = self.waiting.values().filter(|waiting| waiting.caller == *caller).count();
        own >= share_of(self.places)
    }

    /// Takes one more, and gives back the one that has no place any more, if there is such a one.
    pub(super) fn push(&mut self, waiting: Waiting) -> Option<Waiting> {
        if self.has_its_share(&waiting.caller) {
            return Some(waiting);
        }
        self.arrivals += 1;
        self.waiting.insert((Reverse(Rank::of(waiting.stake)), self.arrivals), waiting);
        if self.waiting.len() > self.places {
            self.waiting.pop_last().map(|(_, waiting)| waiting)
        } else {
            None
        }
    }

    /// Takes out those whose callers wait no longer.
    pub(super) fn take_unwanted(&mut self, now: Moment) -> Vec<Waiting> {
        let unwanted = self.waiting.iter().filter(|(_, waiting)| !waiting.is_wanted(now));
        let keys: Vec<_> = unwanted.map(|(key, _)| *key).collect();
        keys.iter().filter_map(|key| self.waiting.remove(key)).collect()
    }

    /// The next one: of a caller that is not `busy`, if there is such a one.
    pub(super) fn pop(&mut self, busy: impl Fn(&Hotkey) -> bool) -> Option<Waiting> {
        let idle = self.waiting.iter().find(|(_, waiting)| !busy(&waiting.caller));
        let next = idle.or_else(|| self.waiting.first_key_value()).map(|(key, _)| *key)?;
        self.waiting.remove(&next)
    }
}

impl Waiting {
    fn is_wanted(&self, now: Moment) -> bool {
        !self.reply.is_abandoned() && now < self.deadline
    }
}
