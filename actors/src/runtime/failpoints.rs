//! Named places at which an actor can be made to panic: by a test, which arms one of them, or by
//! somebody who wants to see what crashes cost, and has one crash every now and then.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand::Rng;
use rand::seq::IteratorRandom;
use rand_chacha::ChaCha8Rng;

use crate::domain::Moment;
use crate::ports::Clock;

/// The failpoints of one stage. Unless somebody wants crashes, [`Self::hit`] does nothing.
#[derive(Clone, Default)]
pub struct Failpoints {
    crashes: Option<Arc<Crashes>>,
    #[cfg(any(test, feature = "testkit"))]
    armed: Arc<Mutex<std::collections::BTreeMap<&'static str, Plan>>>,
}

/// Crashes at random.
struct Crashes {
    clock: Arc<dyn Clock>,
    every: Duration,
    state: Mutex<Due>,
}

struct Due {
    random: ChaCha8Rng,
    at: Moment,
    /// Where the next crash is to be, once it is due, and when that was drawn.
    place: Option<(Moment, &'static str)>,
    reached: BTreeSet<&'static str>,
    /// Whoever crashed since everybody had.
    had: BTreeSet<&'static str>,
}

#[cfg(any(test, feature = "testkit"))]
#[derive(Debug, Default)]
struct Plan {
    hits: u64,
    panics_on: Option<u64>,
}

impl Failpoints {
    /// Crashes one of those who pass a failpoint, `every` so much time on average: whoever is drawn,
    /// and nobody again before all others had their turn, so that it is no budget of restarts that is
    /// tried but what a crash costs.
    #[must_use]
    pub fn crashing(every: Duration, clock: Arc<dyn Clock>, mut random: ChaCha8Rng) -> Self {
        let at = clock.now().after(pause(every, &mut random));
        let state = Mutex::new(Due {
            random,
            at,
            place: None,
            reached: BTreeSet::new(),
            had: BTreeSet::new(),
        });
        let crashes = Some(Arc::new(Crashes { clock, every, state }));
        Self {
            crashes,
            #[cfg(any(test, feature = "testkit"))]
            armed: Arc::default(),
        }
    }

    /// Marks a place. Where a crash is due or a test armed it, this call panics.
    #[inline]
    pub fn hit(&self, place: &'static str) {
        if let Some(crashes) = &self.crashes
            && crashes.due(place)
        {
            panic_at(place);
        }
        #[cfg(any(test, feature = "testkit"))]
        self.count(place);
    }
}

impl Crashes {
    fn due(&self, place: &'static str) -> bool {
        let now = self.clock.now();
        let mut due = self.state.lock();
        due.reached.insert(place);
        if now < due.at {
            return false;
        }
        let (drawn, wanted) = match due.place {
            // Some places are passed at a start only.
            Some(drawn) if now.since(drawn.0) < self.every => drawn,
            Some(_) | None => (now, due.draw(place)),
        };
        due.place = Some((drawn, wanted));
        if wanted != place {
            return false;
        }
        due.place = None;
        due.had.insert(actor(place));
        due.at = now.after(pause(self.every, &mut due.random));
        true
    }
}

impl Due {
    /// A place of somebody whose turn it is; that one if nobody else was seen yet.
    fn draw(&mut self, place: &'static str) -> &'static str {
        if self.reached.iter().all(|place| self.had.contains(actor(place))) {
            self.had.clear();
        }
        let Self { reached, had, random, .. } = self;
        let turn = reached.iter().filter(|place| !had.contains(actor(place)));
        turn.choose(random).copied().unwrap_or(place)
    }
}

/// Whose a place is: its name is `actor:where`.
fn actor(place: &'static str) -> &'static str {
    place.split(':').next().unwrap_or(place)
}

/// From half to one and a half times as long.
fn pause(every: Duration, random: &mut ChaCha8Rng) -> Duration {
    every.mul_f64(random.random_range(0.5..1.5))
}

#[expect(clippy::panic, reason = "panicking is what a failpoint is for")]
fn panic_at(place: &'static str) {
    panic!("failpoint {place}");
}

#[cfg(any(test, feature = "testkit"))]
impl Failpoints {
    fn count(&self, place: &'static str) {
        let mut armed = self.armed.lock();
        let plan = armed.entry(place).or_default();
        let this = plan.hits;
        plan.hits += 1;
        let panics = plan.panics_on == Some(this);
        drop(armed);
        if panics {
            panic_at(place);
        }
    }

    /// Makes the `nth` hit of a place panic, counted from 0.
    pub fn arm(&self, place: &'static str, nth: u64) {
        self.armed.lock().entry(place).or_default().panics_on = Some(nth);
    }

    /// The places that were reached so far, with the number of hits.
    #[must_use]
    pub fn reached(&self) -> Vec<(&'static str, u64)> {
        self.armed.lock().iter().map(|(place, plan)| (*place, plan.hits)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use rand::SeedableRng;

    use super::*;
    use crate::ports::TokioClock;

    #[tokio::test(start_paused = true)]
    async fn crashes_come_at_their_rate_and_nobody_crashes_twice_before_all_have() {
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::starting_now(|| Duration::ZERO));
        let every = Duration::from_secs(60);
        let failpoints =
            Failpoints::crashing(every, Arc::clone(&clock), ChaCha8Rng::seed_from_u64(1));
        let mut crashes = Vec::new();
        for second in 0..60_000 {
            for place in ["busy:one", "busy:two", "other:one", "idle:one"] {
                if place == "idle:one" && second % 5 != 0 {
                    continue;
                }
                let hit = std::panic::AssertUnwindSafe(|| failpoints.hit(place));
                if catch_unwind(hit).is_err() {
                    crashes.push(actor(place));
                }
            }
            clock.sleep(Duration::from_secs(1)).await;
        }
        assert!((900..1_100).contains(&crashes.len()), "{}", crashes.len());
        // Two of the actors are reached before the third is seen for the first time.
        let rounds = crashes[3..].chunks_exact(3).map(|round| BTreeSet::from_iter(round).len());
        assert!(rounds.clone().all(|different| different == 3), "{:?}", &crashes[..12]);
    }
}
