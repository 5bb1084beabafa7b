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
    /// How long senders waited for a slot, all together, those who gave up included.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_and_the_peak_stays() {
        let slots = Arc::new(Semaphore::new(3));
        let gauge = Gauge::new("a.M".into(), "a".into(), 3, Arc::clone(&slots));
        assert_eq!(gauge.counts(), PortCounts::default());
        let two = slots.try_acquire_many(2).unwrap();
        gauge.sent();
        drop(two);
        gauge.sent();
        for time in [Duration::from_millis(1_500), Duration::from_micros(3), Duration::ZERO] {
            gauge.waited_for(time);
            gauge.held_for(2 * time);
        }
        let waited = Duration::from_micros(1_500_003);
        let counts = PortCounts { in_use: 0, peak: 2, messages: 2, waited, held: 2 * waited };
        assert_eq!(gauge.counts(), counts);
    }

    #[test]
    fn a_time_of_ages_is_counted_without_a_panic() {
        let gauge = Gauge::new("a.M".into(), "a".into(), 1, Arc::new(Semaphore::new(1)));
        gauge.waited_for(Duration::MAX);
        assert_eq!(gauge.counts().waited, Duration::from_micros(u64::MAX));
    }
}
