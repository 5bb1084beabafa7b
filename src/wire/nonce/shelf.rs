//! A bounded memory of marks that fails safe: whatever it forgets becomes a floor.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::sync::Arc;

/// A mark, and how it is forgotten.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// The last nonce.
    pub(super) nonce: u64,
    /// Of one hotkey's marks the one with the least order is forgotten first.
    pub(super) order: u64,
    /// What the floor is raised to then.
    pub(super) rank: u64,
}

/// The marks of one hotkey.
#[derive(Debug)]
pub(super) struct Caller {
    floor: u64,
    marks: HashMap<Arc<str>, Slot>,
    by_order: BTreeSet<(u64, Arc<str>)>,
}

impl Caller {
    fn new(floor: u64) -> Self {
        Self { floor, marks: HashMap::new(), by_order: BTreeSet::new() }
    }

    /// The last nonce of a uuid.
    pub(super) fn last(&self, uuid: &str) -> Option<u64> {
        self.marks.get(uuid).map(|slot| slot.nonce)
    }

    /// What a uuid without a mark must be above.
    pub(super) fn floor(&self) -> u64 {
        self.floor
    }

    /// Every uuid with its mark.
    pub(super) fn marks(&self) -> impl Iterator<Item = (&Arc<str>, &Slot)> {
        self.marks.iter()
    }

    fn insert(&mut self, uuid: &Arc<str>, slot: Slot) {
        if self.last(uuid).is_some_and(|last| last >= slot.nonce) {
            return;
        }
        if let Some(last) = self.marks.insert(Arc::clone(uuid), slot) {
            self.by_order.remove(&(last.order, Arc::clone(uuid)));
        }
        self.by_order.insert((slot.order, Arc::clone(uuid)));
    }

    fn least(&self) -> Option<u64> {
        self.by_order.first().map(|(order, _)| *order)
    }

    fn forget_least(&mut self) {
        let Some((_, uuid)) = self.by_order.pop_first() else { return };
        if let Some(slot) = self.marks.remove(&uuid) {
            self.floor = self.floor.max(slot.rank);
        }
    }
}

/// The marks of many hotkeys.
#[derive(Debug)]
pub(super) struct Shelf {
    capacity: NonZeroUsize,
    floor: u64,
    callers: HashMap<Arc<str>, Caller>,
    marks: usize,
    /// Every hotkey; the last one has the most marks, and of those the least order.
    by_size: BTreeSet<(usize, Option<Reverse<u64>>, Arc<str>)>,
    /// Every hotkey with marks, by their least order.
    by_least: BTreeSet<(u64, Arc<str>)>,
}

impl Shelf {
    /// An empty one with room for so many marks; everything up to `floor` counts as forgotten.
    pub(super) fn new(capacity: NonZeroUsize, floor: u64) -> Self {
        let (by_size, by_least) = (BTreeSet::new(), BTreeSet::new());
        Self { capacity, floor, callers: HashMap::new(), marks: 0, by_size, by_least }
    }

    /// What a hotkey without marks must be above.
    pub(super) fn floor(&self) -> u64 {
        self.floor
    }

    /// The marks of a hotkey.
    pub(super) fn caller(&self, hotkey: &str) -> Option<&Caller> {
        self.callers.get(hotkey)
    }

    /// Every hotkey with its marks.
    pub(super) fn callers(&self) -> impl Iterator<Item = (&Arc<str>, &Caller)> {
        self.callers.iter()
    }

    /// Raises the floor of a hotkey, or of all that have no marks.
    pub(super) fn raise_floor(&mut self, hotkey: Option<&Arc<str>>, floor: u64) {
        match hotkey {
            None => self.floor = self.floor.max(floor),
            Some(hotkey) => self.edit(hotkey, |caller| caller.floor = caller.floor.max(floor)),
        }
    }

    /// Gives up a hotkey's marks.
    pub(super) fn take(&mut self, hotkey: &str) -> Option<Caller> {
        let (hotkey, caller) = self.callers.remove_entry(hotkey)?;
        let (marks, least) = (caller.marks.len(), caller.least());
        self.marks -= marks;
        if let Some(least) = least {
            self.by_least.remove(&(least, Arc::clone(&hotkey)));
        }
        self.by_size.remove(&(marks, least.map(Reverse), hotkey));
        Some(caller)
    }

    /// Takes over a hotkey's marks, of whom it has none.
    pub(super) fn adopt(&mut self, hotkey: &Arc<str>, caller: Caller) {
        let (marks, least) = (caller.marks.len(), caller.least());
        self.marks += marks;
        if let Some(least) = least {
            self.by_least.insert((least, Arc::clone(hotkey)));
        }
        self.by_size.insert((marks, least.map(Reverse), Arc::clone(hotkey)));
        self.callers.insert(Arc::clone(hotkey), caller);
    }

    /// Changes the marks of a hotkey, and its place in both orders with them.
    fn edit(&mut self, hotkey: &Arc<str>, change: impl FnOnce(&mut Caller)) {
        let mut caller = self.take(hotkey).unwrap_or_else(|| Caller::new(self.floor));
        change(&mut caller);
        self.adopt(hotkey, caller);
    }

    /// Sets a mark. If there is no room, marks of an order below `horizon` are forgotten, and then
    /// of whoever has the most.
    pub(super) fn record(&mut self, hotkey: &Arc<str>, uuid: &Arc<str>, slot: Slot, horizon: u64) {
        self.edit(hotkey, |caller| caller.insert(uuid, slot));
        if self.marks > self.capacity.get() {
            self.forget_below(horizon);
        }
        while self.marks > self.capacity.get() {
            self.forget_one();
        }
    }

    fn forget_below(&mut self, horizon: u64) {
        let below = |order| order < horizon;
        while let Some((least, hotkey)) = self.by_least.first().cloned()
            && below(least)
        {
            self.edit(&hotkey, |caller| {
                while caller.least().is_some_and(below) {
                    caller.forget_least();
                }
            });
        }
        self.drop_empty();
    }

    fn forget_one(&mut self) {
        if let Some((.., hotkey)) = self.by_size.last().cloned() {
            self.edit(&hotkey, Caller::forget_least);
            self.drop_empty();
        }
    }

    /// Forgets hotkeys without marks; the floor of all is at least theirs then.
    fn drop_empty(&mut self) {
        while let Some((0, _, hotkey)) = self.by_size.first().cloned() {
            let floor = self.take(&hotkey).map_or(0, |caller| caller.floor);
            self.floor = self.floor.max(floor);
        }
    }
}

#[cfg(test)]
mod tests;
