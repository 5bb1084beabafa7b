//! How often one hotkey may ask. Only Axon uses it.
//!
//! Only for registered hotkeys and those that the operator named, of which there are so many and no more. A stranger could take a
//! new key for every request; what binds strangers is that they have no stake and wait behind
//! everybody else.

use std::collections::HashMap;
use std::time::Duration;

use crate::domain::{Hotkey, Moment};

/// How long a hotkey that was silent may catch up.
const BURST: Duration = Duration::from_secs(10);
/// Those who have not asked for longer than [`BURST`] are forgotten when there are so many.
const MOST: usize = 4_096;

/// A budget of requests for each hotkey that grows with time.
#[derive(Debug, Default)]
pub(super) struct RateLimits {
    budgets: HashMap<Hotkey, Budget>,
}

#[derive(Debug)]
struct Budget {
    requests: f64,
    at: Moment,
}

impl RateLimits {
    /// Takes one request out of a hotkey's budget, if there is one; it grows by so many requests a
    /// second, and 0 is no limit.
    pub(super) fn take(&mut self, hotkey: &Hotkey, now: Moment, per_second: u32) -> bool {
        if per_second == 0 {
            return true;
        }
        if self.budgets.len() >= MOST && !self.budgets.contains_key(hotkey) {
            self.budgets.retain(|_, budget| now.since(budget.at) < BURST);
        }
        let rate = f64::from(per_second);
        let full = rate * BURST.as_secs_f64();
        let budget =
            self.budgets.entry(hotkey.clone()).or_insert(Budget { requests: full, at: now });
        let grown = now.since(budget.at).as_secs_f64() * rate;
        budget.requests = (budget.requests + grown).min(full);
        budget.at = now;
        if budget.requests < 1.0 {
            return false;
        }
        budget.requests -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u32) -> Hotkey {
        Hotkey::parse(&format!("5{}", format!("{n:047}").replace('0', "A"))).unwrap()
    }

    fn at(millis: u64) -> Moment {
        Moment(Duration::from_millis(millis))
    }

    #[test]
    fn lets_ten_seconds_worth_through_at_once_and_then_the_rate() {
        let mut limits = RateLimits::default();
        let at_once = (0..30).filter(|_| limits.take(&key(1), at(0), 2)).count();
        assert_eq!(at_once, 20);
        assert!(!limits.take(&key(1), at(499), 2));
        assert!(limits.take(&key(1), at(1_000), 2));
        assert!(limits.take(&key(2), at(0), 2), "another hotkey has a budget of its own");
    }

    #[test]
    fn zero_is_no_limit() {
        let mut limits = RateLimits::default();
        assert!((0..10_000).all(|_| limits.take(&key(1), at(0), 0)));
    }

    #[test]
    fn forgets_only_those_whose_budget_is_full_again() {
        let mut limits = RateLimits::default();
        for n in 0..4_096 {
            limits.take(&key(n), at(u64::from(n % 2) * 15_000), 1);
        }
        assert!((0..10).filter(|_| limits.take(&key(1), at(15_000), 1)).count() == 9);
        limits.take(&key(9_999), at(15_000), 1);
        assert_eq!(limits.budgets.len(), 2_048 + 1);
        assert!(!limits.take(&key(1), at(15_000), 1));
    }
}
