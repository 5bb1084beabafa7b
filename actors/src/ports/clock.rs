//! Time as the actors see it.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{self, BoxFuture, Either};

use crate::domain::Moment;

/// The only source of time for actors. Real time in the program, virtual time in tests.
pub trait Clock: Send + Sync {
    /// Monotonic time since the process began.
    fn now(&self) -> Moment;
    /// Time since the Unix epoch; may jump, so it is only for what leaves the process.
    fn unix(&self) -> Duration;
    /// Resolves after `delay`.
    fn sleep(&self, delay: Duration) -> BoxFuture<'static, ()>;
}

/// What an answer comes to in so much time; none where it takes longer, and is dropped.
pub async fn in_time<T>(
    clock: &dyn Clock,
    patience: Duration,
    answer: impl Future<Output = T>,
) -> Option<T> {
    match future::select(pin!(answer), clock.sleep(patience)).await {
        Either::Left((answer, _)) => Some(answer),
        Either::Right(_) => None,
    }
}

/// The clock of the tokio runtime: real by default, virtual in a runtime whose time is paused.
pub struct TokioClock {
    started: tokio::time::Instant,
    unix: fn() -> Duration,
}

impl TokioClock {
    /// Starts counting now; `unix` reads the wall clock.
    #[must_use]
    pub fn starting_now(unix: fn() -> Duration) -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
        let started = tokio::time::Instant::now();
        Self { started, unix }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Moment {
        Moment(self.started.elapsed())
    }

    fn unix(&self) -> Duration {
        (self.unix)()
    }

    fn sleep(&self, delay: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(delay))
    }
}
