//! Replay protection: which nonces an axon still accepts.
//!
//! Pure: time is passed in, nothing is stored on disk. A restart forgets, as the SDK's does; within
//! the time window a request could then be replayed once.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

/// The first SDK release, 7.2.0, whose nonces are wall-clock times.
pub const WALL_CLOCK_VERSION: u64 = 7_002_000;

/// How far a nonce may lie behind our clock, on top of the request's timeout.
const WINDOW: Duration = Duration::from_secs(4);

/// Nonces from here on are wall-clock times whatever the version says: a monotonic clock, which
/// older peers use, would have to run for 31 years. The version is not signed, so without this
/// anyone could take a request out of the window by changing a header.
const LEAST_WALL_CLOCK: u64 = 1_000_000_000_000_000_000;

/// Why a nonce is refused, in the SDK's words, which go to the caller.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum NonceError {
    /// Not above the last one of this caller and uuid: a replay, or overtaken on the way.
    #[error("Nonce is too old, a newer one was last processed")]
    Replayed,
    /// The same, from a peer older than 7.2.
    #[error("Nonce is too small")]
    TooSmall,
    /// Made too long ago by our clock.
    #[error(
        "Nonce is too old: acceptable delta is {:.2} seconds but request was {:.2} seconds old",
        .acceptable.as_secs_f64(), .age.as_secs_f64()
    )]
    Expired {
        /// What would still have been accepted.
        acceptable: Duration,
        /// How old it is.
        age: Duration,
    },
}

/// What a caller claims about one request.
#[derive(Clone, Copy, Debug)]
pub struct NonceClaim<'a> {
    /// The caller's address, as it wrote it.
    pub hotkey: &'a str,
    /// Its choice; nonces grow within one uuid.
    pub uuid: &'a str,
    /// Nanoseconds by its clock.
    pub nonce: u64,
    /// Its SDK's version; none counts as old.
    pub version: Option<u64>,
    /// How long it waits for the answer; widens the window.
    pub timeout: Duration,
}

impl NonceClaim<'_> {
    fn is_wall_clock(&self) -> bool {
        self.version.is_some_and(|version| version >= WALL_CLOCK_VERSION)
            || self.nonce >= LEAST_WALL_CLOCK
    }

    fn key(&self) -> Arc<str> {
        // A hotkey is base58 and holds no colon, so no two pairs share a key.
        format!("{}:{}", self.hotkey, self.uuid).into()
    }
}

#[derive(Debug)]
struct Mark {
    nonce: u64,
    order: u64,
}

/// The last nonce of each caller and uuid. Holds a bounded number and forgets the ones that were
/// used longest ago.
#[derive(Debug)]
pub struct NonceBook {
    capacity: NonZeroUsize,
    marks: HashMap<Arc<str>, Mark>,
    by_age: BTreeMap<u64, Arc<str>>,
    next_order: u64,
}

impl Default for NonceBook {
    /// Room for 65,536 callers and uuids: at one uuid a request that is more than a window's
    /// worth up to 500 requests a second.
    fn default() -> Self {
        Self::with_capacity(NonZeroUsize::MIN.saturating_add(65_535))
    }
}

impl NonceBook {
    /// An empty book with room for so many callers and uuids.
    #[must_use]
    pub fn with_capacity(capacity: NonZeroUsize) -> Self {
        Self { capacity, marks: HashMap::new(), by_age: BTreeMap::new(), next_order: 0 }
    }

    /// Whether the nonce may be accepted at `now` since the Unix epoch. Changes nothing: call
    /// [`record`](Self::record) once the signature is verified.
    ///
    /// # Errors
    /// [`NonceError`] says why not.
    pub fn check(&self, claim: &NonceClaim<'_>, now: Duration) -> Result<(), NonceError> {
        let wall_clock = claim.is_wall_clock();
        if self.marks.get(&claim.key()).is_some_and(|last| claim.nonce <= last.nonce) {
            return Err(if wall_clock { NonceError::Replayed } else { NonceError::TooSmall });
        }
        let acceptable = WINDOW.saturating_add(claim.timeout);
        let age = now.saturating_sub(Duration::from_nanos(claim.nonce));
        if wall_clock && age >= acceptable {
            return Err(NonceError::Expired { acceptable, age });
        }
        Ok(())
    }

    /// Remembers a nonce that was accepted.
    pub fn record(&mut self, claim: &NonceClaim<'_>) {
        let key = claim.key();
        let order = self.next_order;
        self.next_order += 1;
        let mark = Mark { nonce: claim.nonce, order };
        if let Some(last) = self.marks.insert(Arc::clone(&key), mark) {
            self.by_age.remove(&last.order);
        }
        self.by_age.insert(order, key);
        while self.marks.len() > self.capacity.get() {
            let Some((_, oldest)) = self.by_age.pop_first() else { break };
            self.marks.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_795_000_000);

    fn claim(nonce: u64, version: u64) -> NonceClaim<'static> {
        NonceClaim {
            hotkey: "5Bob",
            uuid: "u",
            nonce,
            version: Some(version),
            timeout: Duration::from_secs(12),
        }
    }

    fn at(age_secs: u64) -> u64 {
        (NOW - Duration::from_secs(age_secs)).as_nanos() as u64
    }

    #[test]
    fn accepts_a_first_nonce_within_the_window_and_none_beyond_it() {
        let book = NonceBook::default();
        assert_eq!(book.check(&claim(at(15), 10_005_000), NOW), Ok(()));
        let error = book.check(&claim(at(17), 10_005_000), NOW).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Nonce is too old: acceptable delta is 16.00 seconds but request was 17.00 seconds old"
        );
    }

    #[test]
    fn refuses_a_nonce_that_does_not_grow() {
        let mut book = NonceBook::default();
        book.record(&claim(at(0), 10_005_000));
        assert_eq!(book.check(&claim(at(0), 10_005_000), NOW), Err(NonceError::Replayed));
        assert_eq!(book.check(&claim(at(0) - 1, 10_005_000), NOW), Err(NonceError::Replayed));
        assert_eq!(book.check(&claim(at(0) + 1, 10_005_000), NOW), Ok(()));
    }

    #[test]
    fn keeps_callers_and_uuids_apart() {
        let mut book = NonceBook::default();
        book.record(&claim(at(0), 10_005_000));
        let other_uuid = NonceClaim { uuid: "v", ..claim(at(1), 10_005_000) };
        let other_caller = NonceClaim { hotkey: "5Eve", ..claim(at(1), 10_005_000) };
        assert_eq!(book.check(&other_uuid, NOW), Ok(()));
        assert_eq!(book.check(&other_caller, NOW), Ok(()));
    }

    #[test]
    fn holds_old_peers_to_growth_alone() {
        let mut book = NonceBook::default();
        assert_eq!(book.check(&claim(5_000, 660), NOW), Ok(()));
        assert_eq!(book.check(&NonceClaim { version: None, ..claim(5_000, 0) }, NOW), Ok(()));
        book.record(&claim(5_000, 660));
        assert_eq!(book.check(&claim(5_000, 660), NOW), Err(NonceError::TooSmall));
        assert_eq!(book.check(&claim(5_001, 660), NOW), Ok(()));
    }

    #[test]
    fn keeps_the_window_for_a_wall_clock_nonce_that_claims_an_old_version() {
        let book = NonceBook::default();
        let error = book.check(&claim(at(17), 660), NOW).unwrap_err();
        assert!(matches!(error, NonceError::Expired { .. }), "{error}");
    }

    #[test]
    fn forgets_the_longest_unused_when_full() {
        let mut book = NonceBook::with_capacity(NonZeroUsize::MIN.saturating_add(1));
        let of = |uuid, nonce| NonceClaim { uuid, ..claim(nonce, 660) };
        book.record(&of("a", 10));
        book.record(&of("b", 10));
        book.record(&of("a", 11));
        book.record(&of("c", 10));
        assert_eq!((book.marks.len(), book.by_age.len()), (2, 2));
        assert_eq!(book.check(&of("b", 10), NOW), Ok(()));
        assert_eq!(book.check(&of("a", 11), NOW), Err(NonceError::TooSmall));
        assert_eq!(book.check(&of("c", 10), NOW), Err(NonceError::TooSmall));
    }

    #[test]
    fn survives_extreme_numbers() {
        let mut book = NonceBook::default();
        let far = NonceClaim { timeout: Duration::MAX, ..claim(u64::MAX, u64::MAX) };
        assert_eq!(book.check(&far, Duration::ZERO), Ok(()));
        book.record(&far);
        assert_eq!(book.check(&far, Duration::MAX), Err(NonceError::Replayed));
        assert_eq!(book.check(&claim(0, 660), Duration::MAX), Err(NonceError::TooSmall));
    }
}
