//! Whether one source does for one purpose what it is there for, and when it is asked again if not.

use std::time::Duration;

use crate::domain::Moment;

/// The pause after the first failure; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// No number of failures makes the pause longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A source cannot have itself left alone for longer: quotas are by the day.
const LONGEST_WISH: Duration = Duration::from_secs(86_400);

/// How one source does.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Failures since the last success.
    failures: u32,
    resume: Moment,
    cause: String,
}

/// A source that is left alone for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resting {
    /// For how long still.
    pub wait: Duration,
    /// Why.
    pub cause: String,
}

impl Health {
    /// Why it is left alone at this moment, if it is.
    pub(super) fn resting(&self, now: Moment) -> Option<Resting> {
        let wait = self.resume.since(now);
        (!wait.is_zero()).then(|| Resting { wait, cause: self.cause.clone() })
    }

    /// Notes a failure; returns whether all was well before. Of several failures that were under
    /// way at once one counts. The pause is `least` at least: who kept somebody waiting for long is
    /// not soon to do so again.
    pub(super) fn failed(&mut self, now: Moment, cause: &str, least: Duration) -> bool {
        if self.resting(now).is_some() {
            return false;
        }
        let was_well = self.failures == 0;
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16));
        let pause = doubled.max(least).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        self.resume = now.after(pause);
        cause.clone_into(&mut self.cause);
        was_well
    }

    /// Notes that it wants to be left alone for so long, or longer if it goes on saying so.
    pub(super) fn rest(&mut self, now: Moment, cause: &str, wish: Duration) {
        self.failed(now, cause, Duration::ZERO);
        self.resume = self.resume.max(now.after(wish.min(LONGEST_WISH)));
    }

    /// Notes a success; returns whether it was failing before.
    pub(super) fn succeeded(&mut self) -> bool {
        let was_failing = self.failures > 0;
        *self = Self::default();
        was_failing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment(Duration::from_secs(seconds))
    }

    fn seconds(health: &Health, now: Moment) -> u64 {
        health.resting(now).map_or(0, |resting| resting.wait.as_secs())
    }

    #[test]
    fn pauses_double_up_to_five_minutes_and_begin_anew_after_a_success() {
        let mut health = Health::default();
        let (mut now, mut pauses) = (at(0), Vec::new());
        for _ in 0..12 {
            health.failed(now, "down", Duration::ZERO);
            pauses.push(seconds(&health, now));
            now = now.after(Duration::from_secs(300));
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert!(health.succeeded());
        health.failed(now, "down", Duration::ZERO);
        assert_eq!(seconds(&health, now), 1);
    }

    #[test]
    fn only_the_first_failure_and_the_first_success_are_news() {
        let mut health = Health::default();
        assert!(!health.succeeded());
        assert!(health.failed(at(0), "down", Duration::ZERO));
        assert!(!health.failed(at(5), "down", Duration::ZERO));
        assert!(health.succeeded());
        assert!(!health.succeeded());
    }

    #[test]
    fn the_pause_is_as_long_as_the_failure_took_up_to_five_minutes() {
        for (took, pause) in [(0, 1), (10, 10), (1_000, 300)] {
            let mut health = Health::default();
            health.failed(at(0), "hangs", Duration::from_secs(took));
            assert_eq!(seconds(&health, at(0)), pause);
        }
    }

    #[test]
    fn failures_that_were_under_way_together_count_once() {
        let mut health = Health::default();
        for _ in 0..8 {
            health.failed(at(0), "down", Duration::ZERO);
        }
        assert_eq!(seconds(&health, at(0)), 1);
    }

    #[test]
    fn a_wish_to_be_left_alone_is_granted_for_a_day_at_most() {
        let mut health = Health::default();
        health.rest(at(0), "quota", Duration::from_secs(90));
        assert_eq!((seconds(&health, at(0)), seconds(&health, at(90))), (90, 0));
        health.rest(at(10), "quota", Duration::from_secs(100));
        assert_eq!(seconds(&health, at(10)), 100);
        health.rest(at(200), "quota", Duration::MAX);
        assert_eq!(seconds(&health, at(200)), 86_400);
    }
}
