//! How much being fast counts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::Score;

/// An answer keeps `1 - weight · elapsed / timeout` of its total, by our own clock only: what a
/// miner says of its time counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpeedRule {
    /// What an answer that comes in the last moment loses, in `0.0..=1.0`; 0 turns it off.
    pub weight: f64,
    /// How long miners have.
    pub timeout: Duration,
}

impl Default for SpeedRule {
    fn default() -> Self {
        Self { weight: 0.0, timeout: Duration::ZERO }
    }
}

impl SpeedRule {
    /// What an answer that took so long keeps of its total, in `0.0..=1.0`. A weight that is no
    /// number leaves nothing.
    pub(super) fn factor(&self, elapsed: Duration) -> f64 {
        if self.timeout.is_zero() {
            return 1.0;
        }
        let late = (elapsed.as_secs_f64() / self.timeout.as_secs_f64()).min(1.0);
        Score::new(1.0 - self.weight * late).get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn factor(weight: f64, elapsed: u64) -> f64 {
        SpeedRule { weight, timeout: Duration::from_secs(10) }.factor(Duration::from_secs(elapsed))
    }

    #[test]
    fn the_later_an_answer_comes_the_less_it_keeps() {
        for (elapsed, kept) in [(0, 1.0), (5, 0.8), (10, 0.6), (11, 0.6), (u64::MAX, 0.6)] {
            assert_eq!(factor(0.4, elapsed), kept, "{elapsed}");
        }
        assert_eq!(factor(1.0, 10), 0.0);
        assert_eq!(factor(0.0, 10), 1.0);
        let endless = SpeedRule { weight: 1.0, timeout: Duration::ZERO };
        assert_eq!(endless.factor(Duration::from_secs(1)), 1.0);
    }

    proptest! {
        #[test]
        fn no_rule_and_no_time_leave_the_range(
            weight in any::<f64>(),
            timeout in any::<Duration>(),
            elapsed in any::<Duration>(),
        ) {
            let factor = SpeedRule { weight, timeout }.factor(elapsed);
            prop_assert!((0.0..=1.0).contains(&factor), "{}", factor);
        }

        #[test]
        fn who_is_faster_never_keeps_less(weight in 0.0..=1.0, times in any::<[Duration; 2]>()) {
            let rule = SpeedRule { weight, timeout: Duration::from_secs(1_000_000) };
            let (fast, slow) = (times[0].min(times[1]), times[0].max(times[1]));
            prop_assert!(rule.factor(fast) >= rule.factor(slow));
        }
    }
}
