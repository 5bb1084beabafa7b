//! Time that passes when a test says so.

use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sn1_actors::domain::Moment;
use sn1_actors::ports::Clock;

/// Sleeps that bound a wait for the network are real; all shorter ones, pauses between requests,
/// are over at once and move the time on.
const BOUND: Duration = Duration::from_secs(8);

#[derive(Default)]
pub(crate) struct HandClock(Mutex<Duration>);

impl HandClock {
    /// Time passes.
    pub(crate) fn pass(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }
}

impl Clock for HandClock {
    fn now(&self) -> Moment {
        Moment(*self.0.lock().unwrap())
    }

    fn unix(&self) -> Duration {
        self.now().0
    }

    fn sleep(&self, delay: Duration) -> BoxFuture<'static, ()> {
        if delay >= BOUND {
            return Box::pin(tokio::time::sleep(delay));
        }
        self.pass(delay);
        Box::pin(tokio::task::yield_now())
    }
}
