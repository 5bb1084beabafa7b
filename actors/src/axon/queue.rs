//! Who is answered next: the largest stake, then the earliest. Only Axon uses it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use tokio::sync::mpsc;

use crate::domain::{Hotkey, Moment, Query, Tao};
use crate::ports::Piece;
use crate::runtime::{Reply, Slot};

use super::Refusal;

/// A request that was let in.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) caller: Hotkey,
    pub(super) stake: Tao,
    /// When the caller hangs up.
    pub(super) deadline: Moment,
    pub(super) query: Query,
    pub(super) pieces: Option<mpsc::Sender<Piece>>,
    pub(super) reply: Reply<Result<String, Refusal>>,
    pub(super) slot: Slot,
}

/// The requests that wait.
#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Place>,
    arrivals: u64,
}

#[derive(Debug)]
struct Place {
    arrival: u64,
    waiting: Waiting,
}

impl Queue {
    pub(super) fn push(&mut self, waiting: Waiting) {
        self.arrivals += 1;
        self.heap.push(Place { arrival: self.arrivals, waiting });
    }

    /// The next one whose caller still waits.
    pub(super) fn pop(&mut self, now: Moment) -> Option<Waiting> {
        loop {
            let Place { waiting, .. } = self.heap.pop()?;
            if !waiting.reply.is_abandoned() && now < waiting.deadline {
                return Some(waiting);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_stake = self.waiting.stake.0.total_cmp(&other.waiting.stake.0);
        by_stake.then(other.arrival.cmp(&self.arrival))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Place {}
