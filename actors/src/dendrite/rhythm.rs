//! When the next round goes out. Validation comes in batches and users come alone, so the moments at
//! which miners are asked would tell them apart; here the moments are drawn, and do not depend on
//! what waits. Pure: Dendrite sleeps for the gaps and sends what a beat lets go.
//!
//! Left out: how long an item waits in its queue. Miners do not see that; users and the validator do.

use std::collections::VecDeque;
use std::time::Duration;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// After so many users' rounds in a row, one of the validator's own goes if it waits.
const USERS_IN_A_ROW: usize = 8;
/// No gap is longer than so many times the mean.
const LONGEST: f64 = 8.0;

/// On whose behalf a round goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The validator's own.
    Own,
    /// An API user's.
    User,
}

/// What goes out at a beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat<T> {
    /// This, which waited.
    Go(T),
    /// Nothing waits; a round that nobody needs keeps the rhythm.
    Cover,
    /// Nothing waits.
    Nothing,
}

/// How rounds go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RhythmConfig {
    /// Time from one beat to the next, on average; zero holds nothing back.
    pub mean: Duration,
    /// Whether a beat at which nothing waits is filled.
    pub cover: bool,
    /// So many may wait of either kind.
    pub most_waiting: usize,
}

/// What waits, and the beats at which it goes.
#[derive(Debug)]
pub struct Rhythm<T> {
    config: RhythmConfig,
    own: VecDeque<T>,
    users: VecDeque<T>,
    /// Users' rounds since the last one of the validator's.
    in_a_row: usize,
    random: ChaCha8Rng,
}

impl<T> Rhythm<T> {
    /// A rhythm that nothing waits for yet.
    #[must_use]
    pub fn new(config: RhythmConfig, random: ChaCha8Rng) -> Self {
        let (own, users) = (VecDeque::new(), VecDeque::new());
        Self { config, own, users, in_a_row: 0, random }
    }

    /// Whether rounds are held back at all. If not, whoever pushes one takes beats until there is
    /// nothing, and no gap is slept for.
    #[must_use]
    pub fn holds_back(&self) -> bool {
        !self.config.mean.is_zero()
    }

    /// The time from one beat to the next: exponential, so that a beat says nothing about the next
    /// one, and never more than eight times the mean. To be slept for whether something waits or not.
    pub fn next_gap(&mut self) -> Duration {
        // In (0, 1], of which the logarithm exists.
        let share = 1.0 - self.random.random::<f64>();
        self.config.mean.mul_f64((-share.ln()).min(LONGEST))
    }

    /// Lets something wait for a beat, behind those of its kind.
    ///
    /// # Errors
    /// The thing itself, if as many of its kind wait as may.
    pub fn push(&mut self, kind: Kind, item: T) -> Result<(), T> {
        let queue = match kind {
            Kind::Own => &mut self.own,
            Kind::User => &mut self.users,
        };
        if queue.len() >= self.config.most_waiting {
            return Err(item);
        }
        queue.push_back(item);
        Ok(())
    }

    /// What goes out now: at most one thing. Users come first, as somebody waits for them, but they
    /// cannot stop the validator's own.
    pub fn beat(&mut self) -> Beat<T> {
        let users_turn = self.in_a_row < USERS_IN_A_ROW || self.own.is_empty();
        if users_turn && let Some(item) = self.users.pop_front() {
            self.in_a_row = self.in_a_row.saturating_add(1);
            return Beat::Go(item);
        }
        match self.own.pop_front() {
            Some(item) => {
                self.in_a_row = 0;
                Beat::Go(item)
            }
            // Without a rhythm there is none to keep.
            None if self.config.cover && self.holds_back() => Beat::Cover,
            None => Beat::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn rhythm(mean: Duration, cover: bool) -> Rhythm<u32> {
        let config = RhythmConfig { mean, cover, most_waiting: 40 };
        Rhythm::new(config, ChaCha8Rng::seed_from_u64(7))
    }

    fn all(rhythm: &mut Rhythm<u32>) -> Vec<u32> {
        let next = || match rhythm.beat() {
            Beat::Go(item) => Some(item),
            Beat::Cover | Beat::Nothing => None,
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn each_kind_goes_in_order_and_users_first() {
        let mut rhythm = rhythm(Duration::from_secs(1), false);
        for (kind, item) in [(Kind::Own, 1), (Kind::User, 10), (Kind::Own, 2), (Kind::User, 11)] {
            rhythm.push(kind, item).unwrap();
        }
        assert_eq!(all(&mut rhythm), [10, 11, 1, 2]);
    }

    #[test]
    fn users_without_end_do_not_stop_the_validators_own() {
        let mut rhythm = rhythm(Duration::from_secs(1), false);
        for user in 100..120 {
            rhythm.push(Kind::User, user).unwrap();
        }
        rhythm.push(Kind::Own, 1).unwrap();
        rhythm.push(Kind::Own, 2).unwrap();
        let own: Vec<usize> = all(&mut rhythm)
            .iter()
            .enumerate()
            .filter(|(_, n)| **n < 100)
            .map(|(at, _)| at)
            .collect();
        assert_eq!(own, [8, 17]);
    }

    #[test]
    fn a_full_queue_gives_back_what_is_one_too_many_and_the_other_kind_has_its_own_places() {
        let mut rhythm = rhythm(Duration::from_secs(1), false);
        for item in 0..40 {
            rhythm.push(Kind::User, item).unwrap();
        }
        assert_eq!(rhythm.push(Kind::User, 40), Err(40));
        assert_eq!(rhythm.push(Kind::Own, 41), Ok(()));
    }

    #[test]
    fn the_gaps_do_not_depend_on_what_waits() {
        let gaps = |waiting: u32| {
            let mut rhythm = rhythm(Duration::from_millis(500), true);
            (0..200)
                .map(|beat| {
                    for item in 0..waiting * (beat % 3) {
                        let kind = if item % 2 == 0 { Kind::User } else { Kind::Own };
                        let _ = rhythm.push(kind, item);
                    }
                    let gap = rhythm.next_gap();
                    rhythm.beat();
                    gap
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(gaps(0), gaps(3));
    }

    #[test]
    fn gaps_are_exponential_with_the_mean_and_bounded() {
        let mean = Duration::from_millis(500);
        let mut rhythm = rhythm(mean, true);
        let gaps: Vec<f64> =
            (0..20_000).map(|_| rhythm.next_gap().div_duration_f64(mean)).collect();
        let average = gaps.iter().sum::<f64>() / 20_000.0;
        assert!((0.97..1.03).contains(&average), "{average}");
        assert!(gaps.iter().all(|gap| (0.0..=LONGEST).contains(gap)));
        // Without memory: of those that last the mean, as many last twice as long.
        let longer = |than: f64| gaps.iter().filter(|gap| **gap > than).count() as f64;
        let (once, twice) = (longer(1.0) / 20_000.0, longer(2.0) / longer(1.0));
        assert!((once - twice).abs() < 0.03, "{once} {twice}");
    }

    #[test]
    fn a_beat_for_which_nothing_waits_is_filled_only_if_that_is_wanted() {
        let second = Duration::from_secs(1);
        assert_eq!(rhythm(second, true).beat(), Beat::Cover);
        assert_eq!(rhythm(second, false).beat(), Beat::Nothing);
        let mut filled = rhythm(second, true);
        filled.push(Kind::Own, 1).unwrap();
        assert_eq!((filled.beat(), filled.beat()), (Beat::Go(1), Beat::Cover));
    }

    #[test]
    fn without_a_mean_everything_goes_at_once_and_there_is_nothing_to_cover() {
        let mut rhythm = rhythm(Duration::ZERO, true);
        assert!(!rhythm.holds_back());
        assert_eq!(rhythm.next_gap(), Duration::ZERO);
        rhythm.push(Kind::Own, 1).unwrap();
        assert_eq!((rhythm.beat(), rhythm.beat()), (Beat::Go(1), Beat::Nothing));
    }
}
