//! Whose turn it is at one host.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sn1_actors::domain::Moment;
use sn1_actors::ports::{Clock, in_time};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::FetchError;

/// A host and its bounds.
pub(super) struct Host {
    name: String,
    places: Arc<Semaphore>,
    pace: Mutex<Pace>,
}

#[derive(Default)]
struct Pace {
    /// The next request may be sent from then on.
    next: Moment,
    /// It wants no request before.
    rests_until: Moment,
    /// Why it rests.
    why: String,
}

impl Host {
    pub(super) fn new(name: String, in_flight: usize) -> Self {
        let places = Arc::new(Semaphore::new(in_flight.min(Semaphore::MAX_PERMITS)));
        Self { name, places, pace: Mutex::default() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Waits until a request may be sent; until the turn is dropped it counts as in flight.
    pub(super) async fn turn(
        &self,
        clock: &dyn Clock,
        spacing: Duration,
        longest_wait: Duration,
    ) -> Result<OwnedSemaphorePermit, FetchError> {
        let deadline = clock.now().after(longest_wait);
        self.check_rest(clock, deadline)?;
        let place = in_time(clock, longest_wait, Arc::clone(&self.places).acquire_owned()).await;
        let Some(Ok(place)) = place else { return Err(self.crowded()) };
        loop {
            self.check_rest(clock, deadline)?;
            let now = clock.now();
            let at = {
                let mut pace = self.pace.lock();
                let at = pace.next.max(pace.rests_until);
                if at <= now {
                    pace.next = now.after(spacing);
                    return Ok(place);
                }
                at
            };
            if at > deadline {
                return Err(self.crowded());
            }
            clock.sleep(at.since(now)).await;
        }
    }

    /// No request is sent before `until`.
    pub(super) fn rests(&self, until: Moment, why: &str) {
        let mut pace = self.pace.lock();
        if until > pace.rests_until {
            pace.rests_until = until;
            why.clone_into(&mut pace.why);
        }
    }

    fn check_rest(&self, clock: &dyn Clock, deadline: Moment) -> Result<(), FetchError> {
        let pace = self.pace.lock();
        if pace.rests_until <= deadline {
            return Ok(());
        }
        let wait = pace.rests_until.since(clock.now());
        Err(FetchError::Busy { wait, cause: pace.why.clone() })
    }

    fn crowded(&self) -> FetchError {
        let cause = format!("too many requests wait for their turn at {}", self.name);
        FetchError::Crowded { cause }
    }
}
