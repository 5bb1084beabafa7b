//! How full a port is, and how long messages take in it: for whoever looks at a running program.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

/// What a port counts; the port and [`super::Topology`] share it.
#[derive(Debug)]
pub(super) struct Gauge {
    /// `actor.Message`.
    pub(super) name: String,
    pub(super) actor: String,
    pub(super) capacity: usize,
    slots: Arc<Semaphore>,
    peak: AtomicUsize,
    messages: AtomicU64,
    waited_us: AtomicU64,
    held_us: AtomicU64,
}

/// What a port counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortCounts {
    /// Slots in use: messages that wait and work that is not done.
    pub in_use: usize,
    /// The most slots that were ever in use at once.
    pub peak: usize,
    /// Messages that went in.
    pub messages: u64,
    /// How long their senders waited for a slot, all together.
    pub waited: Duration,
    /// How long they had their slots, from the mailbox to the end of the work, all together; those
    /// that still have one do not count.
    pub held: Duration,
}

impl Gauge {
    pub(super) fn new(name: String, actor: String, capacity: usize, slots: Arc<Semaphore>) -> Self {
        let (peak, messages) = (AtomicUsize::new(0), AtomicU64::new(0));
        let (waited_us, held_us) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { name, actor, capacity, slots, peak, messages, waited_us, held_us }
    }

    pub(super) fn in_use(&self) -> usize {
        self.capacity.saturating_sub(self.slots.available_permits())
    }

    pub(super) fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// A message goes in, with its slot.
    pub(super) fn sent(&self) {
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.peak.fetch_max(self.in_use(), Ordering::Relaxed);
    }

    pub(super) fn waited_for(&self, time: Duration) {
        self.waited_us.fetch_add(micros(time), Ordering::Relaxed);
    }

    pub(super) fn held_for(&self, time: Duration) {
        self.held_us.fetch_add(micros(time), Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> PortCounts {
        PortCounts {
            in_use: self.in_use(),
            peak: self.peak(),
            messages: self.messages.load(Ordering::Relaxed),
            waited: Duration::from_micros(self.waited_us.load(Ordering::Relaxed)),
            held: Duration::from_micros(self.held_us.load(Ordering::Relaxed)),
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
