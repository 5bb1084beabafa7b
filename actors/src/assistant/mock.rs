//! The chance that rules a mock miner, the same for the same question. Pure.

use std::time::Duration;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// No answer takes longer than so many times the average.
const LONGEST: f64 = 5.0;

/// Two draws, uniform from 0 to 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance {
    haste: f64,
    luck: f64,
}

impl Chance {
    /// What a seed decides.
    pub(super) fn of(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        Self { haste: random.random(), luck: random.random() }
    }

    /// How long an answer takes: exponential around the average, as waits for others are.
    pub(super) fn delay(self, average: Duration) -> Duration {
        average.mul_f64((-(1.0 - self.haste).ln()).clamp(0.0, LONGEST))
    }

    /// Whether there is no answer, where so large a part of the questions gets none.
    pub(super) fn fails(self, part: f64) -> bool {
        self.luck < part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_around_the_average_and_failures_as_frequent_as_told() {
        let all: Vec<Chance> = (0..2_000).map(Chance::of).collect();
        let average = Duration::from_secs(1);
        let delays: Vec<f64> = all.iter().map(|one| one.delay(average).as_secs_f64()).collect();
        let mean = delays.iter().sum::<f64>() / 2_000.0;
        assert!((0.9..1.1).contains(&mean), "{mean}");
        assert!(delays.iter().all(|delay| (0.0..=LONGEST).contains(delay)));
        assert!(delays.iter().any(|delay| *delay < 0.2) && delays.iter().any(|delay| *delay > 2.0));
        let failed = all.iter().filter(|one| one.fails(0.25)).count();
        assert!((440..560).contains(&failed), "{failed}");
        assert!(all.iter().all(|one| !one.fails(0.0) && one.fails(1.0)));
    }
}
