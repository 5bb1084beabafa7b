//! Time that passes when the test says so.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sn1_actors::domain::Moment;
use sn1_actors::ports::Clock;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::node::HUNG;

#[derive(Default)]
struct Hands {
    now: Duration,
    /// When each sleeper wants to be woken.
    sleepers: BTreeMap<u64, Duration>,
    /// Short sleeps, which were over at once.
    naps: Vec<Duration>,
}

/// A clock whose hands the test moves. Short sleeps are over at once, and are kept to be looked at.
pub(crate) struct HandClock {
    hands: watch::Sender<Hands>,
    names: AtomicU64,
    longest_nap: Duration,
}

impl HandClock {
    /// A clock on which sleeps up to so long are short ones.
    pub(crate) fn new(longest_nap: Duration) -> Arc<Self> {
        let hands = watch::Sender::new(Hands::default());
        Arc::new(Self { hands, names: AtomicU64::new(0), longest_nap })
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, time: Duration) {
        self.hands.send_modify(|hands| hands.now += time);
    }

    /// Waits until somebody sleeps for exactly so long from now on.
    pub(crate) async fn until_somebody_sleeps(&self, time: Duration) {
        let mut hands = self.hands.subscribe();
        let sleeping =
            hands.wait_for(|hands| hands.sleepers.values().any(|wake| *wake == hands.now + time));
        assert!(timeout(HUNG, sleeping).await.is_ok(), "nobody sleeps for {time:?}");
    }

    /// The short sleeps so far.
    pub(crate) fn naps(&self) -> Vec<Duration> {
        self.hands.borrow().naps.clone()
    }
}

/// A sleeper's name on the clock, for as long as it sleeps.
struct Sleeper {
    hands: watch::Sender<Hands>,
    name: u64,
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let name = self.name;
        self.hands.send_modify(|hands| {
            hands.sleepers.remove(&name);
        });
    }
}

impl Clock for HandClock {
    fn now(&self) -> Moment {
        Moment(self.hands.borrow().now)
    }

    fn unix(&self) -> Duration {
        Duration::from_secs(1_706_000_000) + self.hands.borrow().now
    }

    fn sleep(&self, delay: Duration) -> BoxFuture<'static, ()> {
        if delay <= self.longest_nap {
            self.hands.send_modify(|hands| hands.naps.push(delay));
            return Box::pin(tokio::task::yield_now());
        }
        let name = self.names.fetch_add(1, Ordering::Relaxed);
        self.hands.send_modify(|hands| {
            hands.sleepers.insert(name, hands.now + delay);
        });
        let sleeper = Sleeper { hands: self.hands.clone(), name };
        Box::pin(async move {
            let mut hands = sleeper.hands.subscribe();
            let woken = |hands: &Hands| hands.sleepers.get(&name).is_none_or(|w| *w <= hands.now);
            // The sleeper itself holds the clock, so this does not end before.
            // What it answers with is a lock on the hands, which the sleeper needs to leave.
            drop(hands.wait_for(woken).await);
            drop(sleeper);
        })
    }
}
