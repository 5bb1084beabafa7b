//! How often, and how soon, a crashed actor comes back.

use std::collections::VecDeque;
use std::time::Duration;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::domain::Moment;

/// Restarts within a sliding window, with a growing, jittered pause before each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RestartPolicy {
    /// So many restarts are allowed within [`Self::window`]; one more and the actor is given up.
    pub budget: u32,
    /// The sliding window.
    pub window: Duration,
    /// The pause before the first restart in a window; it doubles with each further one.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

impl RestartPolicy {
    /// For actors whose restart costs nothing: five restarts in ten minutes, soon.
    pub const LIGHT: Self = Self {
        budget: 5,
        window: Duration::from_secs(600),
        first_pause: Duration::from_millis(50),
        longest_pause: Duration::from_secs(10),
    };

    /// For actors that touch the world outside: ten restarts in ten minutes.
    pub const PATIENT: Self = Self { budget: 10, ..Self::LIGHT };

    /// For the model: three restarts in half an hour, since each may mean loading it again.
    pub const HEAVY: Self = Self {
        budget: 3,
        window: Duration::from_secs(1_800),
        first_pause: Duration::from_millis(200),
        longest_pause: Duration::from_secs(60),
    };
}

/// The restarts that were charged so far.
#[derive(Debug)]
pub(super) struct Budget {
    policy: RestartPolicy,
    charged: VecDeque<Moment>,
    jitter: ChaCha8Rng,
}

impl Budget {
    /// An unused budget; `seed` decides the jitter.
    pub(super) fn new(policy: RestartPolicy, seed: u64) -> Self {
        Self { policy, charged: VecDeque::new(), jitter: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// Charges one crash: the pause before the restart, or `None` if the budget is spent.
    pub(super) fn charge(&mut self, now: Moment) -> Option<Duration> {
        while self.charged.front().is_some_and(|past| now.since(*past) > self.policy.window) {
            self.charged.pop_front();
        }
        let restarts = u32::try_from(self.charged.len()).unwrap_or(u32::MAX);
        if restarts >= self.policy.budget {
            return None;
        }
        self.charged.push_back(now);
        let doubled = self.policy.first_pause.saturating_mul(1_u32 << restarts.min(20));
        let pause = doubled.min(self.policy.longest_pause);
        Some(pause.mul_f64(self.jitter.random_range(0.75..=1.25)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment(Duration::from_secs(seconds))
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_stay_within_their_jitter() {
        let policy = RestartPolicy {
            budget: 10,
            window: Duration::from_secs(600),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(4),
        };
        let mut budget = Budget::new(policy, 1);
        for expected in [1.0, 2.0, 4.0, 4.0] {
            let pause = budget.charge(at(0)).unwrap().as_secs_f64();
            assert!((0.75 * expected..=1.25 * expected).contains(&pause), "{pause} for {expected}");
        }
    }

    #[test]
    fn is_spent_within_the_window_and_whole_again_after_it() {
        let mut budget = Budget::new(RestartPolicy { budget: 2, ..RestartPolicy::LIGHT }, 1);
        assert!(budget.charge(at(0)).is_some());
        assert!(budget.charge(at(10)).is_some());
        assert!(budget.charge(at(20)).is_none());
        assert!(budget.charge(at(605)).is_some(), "the first crash has left the window");
        assert!(budget.charge(at(606)).is_none());
    }
}
