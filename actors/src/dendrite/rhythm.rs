//! When the next round goes out. Validation comes in batches and users come alone, so the moments at
//! which miners are asked would tell them apart; here the moments are drawn, and do not depend on
//! what waits. Pure: Dendrite sleeps for the gaps and sends what a beat lets go.
//!
//! A beat at which nothing waits passes: a round that nobody needs would have to be a challenge like
//! any other, and those the validator makes go out anyway. So nothing can be told from an empty beat
//! only where there is none: where the validator makes challenges faster than they go, one of its own
//! waits at each beat, and all that miners see are the gaps.
//!
//! Left out: how long an item waits in its queue. Miners do not see that; users and the validator do.

use std::collections::VecDeque;
use std::time::Duration;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::organic::SLACK;

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

/// What waits, and the beats at which it goes.
#[derive(Debug)]
pub struct Rhythm<T> {
    mean: Duration,
    own: VecDeque<T>,
    users: VecDeque<T>,
    /// What goes out at the next beat, if anything waited at the last one.
    next: Option<T>,
    /// Users' rounds since the last one of the validator's.
    in_a_row: usize,
    random: ChaCha8Rng,
}

impl<T> Rhythm<T> {
    /// A rhythm that nothing waits for yet. `mean` is the time from one beat to the next, on average;
    /// zero holds nothing back.
    #[must_use]
    pub fn new(mean: Duration, random: ChaCha8Rng) -> Self {
        let (own, users) = (VecDeque::new(), VecDeque::new());
        Self { mean, own, users, next: None, in_a_row: 0, random }
    }

    /// Whether anything is held back. If not, nothing is to be pushed and no gap to be slept for.
    #[must_use]
    pub fn holds_back(&self) -> bool {
        !self.mean.is_zero()
    }

    /// The time from one beat to the next: exponential, so that a beat says nothing about the next
    /// one, and never more than eight times the mean. To be slept for whether something waits or not.
    pub fn next_gap(&mut self) -> Duration {
        // In (0, 1], of which the logarithm exists.
        let share = 1.0 - self.random.random::<f64>();
        self.mean.mul_f64((-share.ln()).min(LONGEST))
    }

    /// Lets something wait for a beat, behind those of its kind. The validator's own are bounded by
    /// the places in Dendrite's mailbox, which those that wait keep.
    ///
    /// # Errors
    /// The thing itself, if it is a user's and so many wait that it would have its turn too late for
    /// the miners' answers: after half of what a query may take beyond their time, on average.
    pub fn push(&mut self, kind: Kind, item: T) -> Result<(), T> {
        match kind {
            Kind::Own => self.own.push_back(item),
            Kind::User if self.users.len() >= self.most_users() => return Err(item),
            Kind::User => self.users.push_back(item),
        }
        Ok(())
    }

    /// So many users may wait.
    fn most_users(&self) -> usize {
        let beats = (SLACK / 2).as_nanos() / self.mean.as_nanos().max(1);
        usize::try_from(beats).unwrap_or(usize::MAX).max(1)
    }

    /// What goes out now: at most one thing. It was chosen at the beat before, if anything waited then:
    /// the longer a gap, the likelier a user comes in it, and if those went at its end, what follows
    /// a long gap would be theirs.
    pub fn beat(&mut self) -> Option<T> {
        let goes = self.next.take().or_else(|| self.choose());
        self.next = self.choose();
        goes
    }

    /// Users come first, as somebody waits for them, but they cannot stop the validator's own.
    fn choose(&mut self) -> Option<T> {
        let users_turn = self.in_a_row < USERS_IN_A_ROW || self.own.is_empty();
        if users_turn && let Some(item) = self.users.pop_front() {
            self.in_a_row = self.in_a_row.saturating_add(1);
            return Some(item);
        }
        self.own.pop_front().inspect(|_| self.in_a_row = 0)
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn rhythm(mean: Duration) -> Rhythm<u32> {
        Rhythm::new(mean, ChaCha8Rng::seed_from_u64(7))
    }

    fn all(rhythm: &mut Rhythm<u32>) -> Vec<u32> {
        std::iter::from_fn(|| rhythm.beat()).collect()
    }

    #[test]
    fn each_kind_goes_in_order_and_users_first() {
        let mut rhythm = rhythm(SECOND);
        for (kind, item) in [(Kind::Own, 1), (Kind::User, 10), (Kind::Own, 2), (Kind::User, 11)] {
            rhythm.push(kind, item).unwrap();
        }
        assert_eq!(all(&mut rhythm), [10, 11, 1, 2]);
    }

    #[test]
    fn what_comes_between_two_beats_does_not_go_at_the_second_while_something_waited_at_the_first()
    {
        let mut rhythm = rhythm(SECOND);
        for own in [1, 2, 3] {
            rhythm.push(Kind::Own, own).unwrap();
        }
        let first = rhythm.beat();
        rhythm.push(Kind::User, 10).unwrap();
        let rest: Vec<_> = std::iter::from_fn(|| rhythm.beat()).collect();
        assert_eq!((first, rest), (Some(1), vec![2, 10, 3]));
    }

    #[test]
    fn users_without_end_do_not_stop_the_validators_own() {
        let mut rhythm = rhythm(SECOND / 10);
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
    fn as_many_users_wait_as_have_their_turn_in_time_and_one_in_any_case() {
        for (mean, most) in [(SECOND, 5), (SECOND / 10, 50), (SECOND * 60, 1)] {
            let mut rhythm = rhythm(mean);
            let taken = (0..100).filter(|user| rhythm.push(Kind::User, *user).is_ok()).count();
            assert_eq!(taken, most, "{mean:?}");
            assert_eq!(rhythm.push(Kind::User, 7), Err(7));
            assert_eq!(rhythm.push(Kind::Own, 1), Ok(()), "the other kind has its own places");
        }
    }

    #[test]
    fn the_gaps_do_not_depend_on_what_waits() {
        let gaps = |waiting: u32| {
            let mut rhythm = rhythm(SECOND / 2);
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
        let mean = SECOND / 2;
        let mut rhythm = rhythm(mean);
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
    fn a_beat_for_which_nothing_waits_passes() {
        let mut rhythm = rhythm(SECOND);
        rhythm.push(Kind::Own, 1).unwrap();
        assert_eq!((rhythm.beat(), rhythm.beat()), (Some(1), None));
    }
}
