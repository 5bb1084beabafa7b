//! Replay protection: which nonces an axon still accepts.
//!
//! Pure: time is passed in, and what must outlive the process is handed to
//! [`MarksFile`](super::marks::MarksFile) as [`Line`]s. Two rules, told apart by the size of the
//! nonce, which is signed, and not by the SDK's version, which is not (wire.md §4):
//!
//! - *Wall clock* (SDK 7.2 and later): within a window around now, and above the last nonce of the
//!   same hotkey and uuid. Nonces from before the process started are refused, so a restart need
//!   not remember them; only those from the future outlive it in the file.
//! - *Growth* (older SDKs, whose nonces count from the caller's last boot): above the last nonce of
//!   the same hotkey and uuid, whatever the time. Every mark is kept in the file.
//!
//! Marks are bounded, and forgetting one never lets its request in again: what was forgotten
//! becomes a floor. Of wall-clock marks the smallest nonce goes first, and smaller ones are refused
//! from then on. Growing nonces of different uuids cannot be compared, but the SDK's uuids are of
//! version 1 and tell when they were made: the mark that was used longest ago goes first, and an
//! unknown uuid must be younger than every forgotten one. Nobody is pushed out by a caller that
//! holds more marks than they, and strangers, who can mint hotkeys, have memories of their own.
//!
//! Left out: a caller that was served as a stranger, was pushed out by other strangers and then
//! registers is taken for a new one, so its old requests count once more. To refuse them, strangers
//! would have to be able to lock out registered callers. And a clock that was set back, between two
//! starts or behind the start of this process: nonces that an earlier process accepted in the time
//! in between count once more.

mod shelf;
mod uuid_time;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sn1_actors::ports::Standing;

use self::shelf::{Shelf, Slot};

/// The first SDK release, 7.2.0, whose nonces are wall-clock times.
pub const WALL_CLOCK_VERSION: u64 = 7_002_000;

/// How far a nonce may lie behind our clock, on top of the request's timeout.
const WINDOW: Duration = Duration::from_secs(4);

/// The timeout is not signed and widens the window: no more than this counts.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(120);

/// How far a nonce may lie ahead of our clock. The SDK takes any, and could so be made to remember
/// a mark that refuses its caller for ever.
const AHEAD: Duration = Duration::from_secs(10);

/// How far the time in a uuid may lie ahead of our clock. Generous, as older SDKs need no exact
/// clock; bounded, as such a uuid becomes a floor when it is forgotten.
const UUID_AHEAD: Duration = Duration::from_secs(3600);

/// Nonces from here on are wall-clock times, smaller ones are not: a monotonic clock, which older
/// peers use, would have to run for 31 years to come here, and wall clocks passed it in 2001.
const LEAST_WALL_CLOCK: u64 = 1_000_000_000_000_000_000;

/// Why a nonce is refused, in the SDK's words where it has any, which go to the caller.
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
    /// Made later than now by our clock.
    #[error(
        "Nonce is from the future: it may be 10 seconds ahead but is {:.2}; set your clock",
        .0.as_secs_f64()
    )]
    Ahead(Duration),
    /// From before the start, or older than what was forgotten.
    #[error("Nonce is too old: it is from before this axon's memory, send a new request")]
    Forgotten,
    /// From a peer older than 7.2, with a uuid that cannot be told from a forgotten one.
    #[error(
        "Uuid is from before this axon's memory, or from the future: start a new dendrite, or \
         upgrade to bittensor 7.2 or later"
    )]
    UuidForgotten,
    /// From a peer older than 7.2, whom this axon does not serve.
    #[error("Nonce is no wall-clock time: this axon needs bittensor 7.2 or later")]
    LegacyRefused,
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
    /// Whether it is registered.
    pub standing: Standing,
}

/// How nonces are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Rule {
    WallClock,
    Growth,
}

impl Rule {
    fn of(nonce: u64) -> Self {
        if nonce >= LEAST_WALL_CLOCK { Self::WallClock } else { Self::Growth }
    }
}

/// A nonce that was accepted: none of the same hotkey and uuid up to it is again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    hotkey: Arc<str>,
    uuid: Arc<str>,
    nonce: u64,
    standing: Standing,
}

impl Mark {
    /// Whether it must outlive the process, if accepted at `now`: the start of the next one refuses
    /// wall-clock nonces up to itself, and no others.
    #[must_use]
    pub fn must_be_kept(&self, now: Duration) -> bool {
        Rule::of(self.nonce) == Rule::Growth || Duration::from_nanos(self.nonce) > now
    }
}

/// What was forgotten lies at or below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    /// Nobody: it is that of every hotkey without marks.
    hotkey: Option<Arc<str>>,
    standing: Standing,
    rule: Rule,
    rank: u64,
}

/// A piece of a book, as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A nonce that was accepted.
    Mark(Mark),
    /// A nonce or uuid from where on marks are complete.
    Floor(Floor),
}

/// How many marks a book holds; at least one of each.
#[derive(Clone, Copy, Debug)]
pub struct BookLimits {
    /// Of wall-clock nonces of registered callers.
    pub recent: NonZeroUsize,
    /// Of growing nonces of registered callers.
    pub growing: NonZeroUsize,
    /// Of strangers, of either kind of nonce.
    pub strangers: NonZeroUsize,
}

impl Default for BookLimits {
    /// 65,536 wall-clock nonces, which at one uuid a request is the longest window at 500 requests a
    /// second; 8,192 growing ones, which is 32 dendrites a neuron of a subnet; 32,768 of strangers.
    fn default() -> Self {
        let of = |number: usize| NonZeroUsize::MIN.saturating_add(number - 1);
        Self { recent: of(65_536), growing: of(8_192), strangers: of(32_768) }
    }
}

/// Two memories of one kind of nonce.
#[derive(Debug)]
struct Shelves {
    registered: Shelf,
    strangers: Shelf,
}

impl Shelves {
    fn new(registered: NonZeroUsize, strangers: NonZeroUsize, floor: u64) -> Self {
        Self { registered: Shelf::new(registered, floor), strangers: Shelf::new(strangers, floor) }
    }

    fn of(&self, standing: Standing) -> (&Shelf, &Shelf) {
        match standing {
            Standing::Registered => (&self.registered, &self.strangers),
            Standing::Stranger => (&self.strangers, &self.registered),
        }
    }

    fn of_mut(&mut self, standing: Standing) -> (&mut Shelf, &mut Shelf) {
        match standing {
            Standing::Registered => (&mut self.registered, &mut self.strangers),
            Standing::Stranger => (&mut self.strangers, &mut self.registered),
        }
    }

    /// The last nonce of the uuid, or else the floor that a first one must be above.
    fn last(&self, claim: &NonceClaim<'_>) -> Result<u64, u64> {
        let (own, other) = self.of(claim.standing);
        // Who has just registered, or is no more, keeps its marks.
        let caller = own.caller(claim.hotkey).or_else(|| other.caller(claim.hotkey));
        match caller {
            Some(caller) => caller.last(claim.uuid).ok_or(caller.floor()),
            None => Err(self.first_floor(claim.standing)),
        }
    }

    /// What a hotkey without marks must be above. A stranger may have been registered, and its marks
    /// forgotten then. A registered caller may have been a stranger too, but strangers could raise
    /// their floor to lock it out.
    fn first_floor(&self, standing: Standing) -> u64 {
        match standing {
            Standing::Registered => self.registered.floor(),
            Standing::Stranger => self.registered.floor().max(self.strangers.floor()),
        }
    }

    fn record(&mut self, mark: &Mark, slot: Slot, horizon: u64) {
        let floor = self.first_floor(mark.standing);
        let (own, other) = self.of_mut(mark.standing);
        if own.caller(&mark.hotkey).is_none() {
            match other.take(&mark.hotkey) {
                Some(caller) => own.adopt(&mark.hotkey, caller),
                // For its other uuids.
                None => own.raise_floor(Some(&mark.hotkey), floor),
            }
        }
        own.record(&mark.hotkey, &mark.uuid, slot, horizon);
    }
}

/// What an axon remembers of the nonces that it accepted.
#[derive(Debug)]
pub struct NonceBook {
    /// What is not above it may have been accepted by another process.
    started: u64,
    recent: Shelves,
    growing: Shelves,
    accepts_legacy: bool,
    uses: u64,
}

impl NonceBook {
    /// An empty book of a process that started at `started` since the Unix epoch. It takes nonces
    /// of SDKs older than 7.2 if `accepts_legacy`.
    #[must_use]
    pub fn new(started: Duration, accepts_legacy: bool) -> Self {
        Self::with_limits(started, accepts_legacy, BookLimits::default())
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(started: Duration, accepts_legacy: bool, limits: BookLimits) -> Self {
        let BookLimits { recent, growing, strangers } = limits;
        Self {
            started: nanos(started),
            recent: Shelves::new(recent, strangers, 0),
            growing: Shelves::new(growing, strangers, 0),
            accepts_legacy,
            uses: 0,
        }
    }

    /// Heeds what time it is now. If the clock was set back behind the start of the process, that
    /// was another time than was thought, and the process is as one that starts now: otherwise it
    /// would refuse everybody until the clock is there again.
    pub fn heed(&mut self, now: Duration) {
        if nanos(now.saturating_add(AHEAD)) < self.started {
            tracing::warn!("the clock was set back: requests from before now are refused");
            self.started = nanos(now);
        }
    }

    /// Whether the nonce may be accepted at `now` since the Unix epoch. Changes nothing: call
    /// [`record`](Self::record) with the mark once the signature is verified.
    ///
    /// # Errors
    /// [`NonceError`] says why not.
    pub fn check(&self, claim: &NonceClaim<'_>, now: Duration) -> Result<Mark, NonceError> {
        let says_wall_clock = claim.version.is_some_and(|version| version >= WALL_CLOCK_VERSION);
        match Rule::of(claim.nonce) {
            Rule::WallClock => self.check_wall_clock(claim, now)?,
            // A time of before 2001, even if our own clock stands there.
            Rule::Growth if says_wall_clock => return Err(expired(claim, now)),
            Rule::Growth => self.check_growth(claim, now)?,
        }
        let NonceClaim { hotkey, uuid, nonce, standing, .. } = *claim;
        Ok(Mark { hotkey: hotkey.into(), uuid: uuid.into(), nonce, standing })
    }

    fn check_wall_clock(&self, claim: &NonceClaim<'_>, now: Duration) -> Result<(), NonceError> {
        let last = self.recent.last(claim);
        if last.is_ok_and(|last| claim.nonce <= last) {
            return Err(NonceError::Replayed);
        }
        let made = Duration::from_nanos(claim.nonce);
        if now.saturating_sub(made) >= acceptable(claim) {
            return Err(expired(claim, now));
        }
        let ahead = made.saturating_sub(now);
        if ahead > AHEAD {
            return Err(NonceError::Ahead(ahead));
        }
        if claim.nonce <= self.started.max(last.unwrap_or_else(|floor| floor)) {
            return Err(NonceError::Forgotten);
        }
        Ok(())
    }

    fn check_growth(&self, claim: &NonceClaim<'_>, now: Duration) -> Result<(), NonceError> {
        if !self.accepts_legacy {
            return Err(NonceError::LegacyRefused);
        }
        let floor = match self.growing.last(claim) {
            Ok(last) if claim.nonce <= last => return Err(NonceError::TooSmall),
            Ok(_) => return Ok(()),
            Err(floor) => floor,
        };
        let rank = uuid_time::rank(claim.uuid);
        if rank <= floor || rank > uuid_time::at(now.saturating_add(UUID_AHEAD)) {
            return Err(NonceError::UuidForgotten);
        }
        Ok(())
    }

    /// Remembers a nonce that was accepted at `now` since the Unix epoch.
    pub fn record(&mut self, mark: &Mark, now: Duration) {
        let nonce = mark.nonce;
        match Rule::of(nonce) {
            Rule::WallClock => {
                let slot = Slot { nonce, order: nonce, rank: nonce };
                let horizon = nanos(now.saturating_sub(WINDOW + LONGEST_TIMEOUT));
                self.recent.record(mark, slot, horizon);
            }
            Rule::Growth => {
                self.uses += 1;
                let slot = Slot { nonce, order: self.uses, rank: uuid_time::rank(&mark.uuid) };
                self.growing.record(mark, slot, 0);
            }
        }
    }

    /// What must outlive the process at `now`: [`restore`](Self::restore) of these lines in this
    /// order makes a book that refuses whatever this one refuses as a replay.
    #[must_use]
    pub fn lines(&self, now: Duration) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut marks = Vec::new();
        // The start of the next process is a floor for wall-clock nonces anyway.
        let kinds = [
            (Rule::WallClock, &self.recent, Some(nanos(now))),
            (Rule::Growth, &self.growing, None),
        ];
        for (rule, shelves, known) in kinds {
            for standing in [Standing::Registered, Standing::Stranger] {
                let (shelf, _) = shelves.of(standing);
                lines.extend(floors_of(shelf, standing, rule, known.unwrap_or(0)));
                marks
                    .extend(marks_of(shelf, standing).filter(|(_, mark)| Some(mark.nonce) > known));
            }
        }
        // In the order in which they are forgotten.
        marks.sort_by_key(|(order, _)| *order);
        lines.extend(marks.into_iter().map(|(_, mark)| Line::Mark(mark)));
        lines
    }

    /// Takes up what another process left.
    pub fn restore(&mut self, line: &Line, now: Duration) {
        match line {
            Line::Mark(mark) => self.record(mark, now),
            Line::Floor(Floor { hotkey, standing, rule, rank }) => {
                let shelves = match rule {
                    Rule::WallClock => &mut self.recent,
                    Rule::Growth => &mut self.growing,
                };
                let (shelf, _) = shelves.of_mut(*standing);
                shelf.raise_floor(hotkey.as_ref(), *rank);
            }
        }
    }

    /// Takes everything that could have been accepted up to `now` for forgotten: when what another
    /// process left is lost, its requests cannot be told from first ones.
    pub fn distrust(&mut self, now: Duration) {
        for standing in [Standing::Registered, Standing::Stranger] {
            let (recent, _) = self.recent.of_mut(standing);
            recent.raise_floor(None, nanos(now.saturating_add(AHEAD)));
            let (growing, _) = self.growing.of_mut(standing);
            growing.raise_floor(None, uuid_time::at(now.saturating_add(UUID_AHEAD)));
        }
    }
}

/// The floors of a shelf above one that holds anyway.
fn floors_of(shelf: &Shelf, standing: Standing, rule: Rule, known: u64) -> Vec<Line> {
    let callers = shelf.callers().map(|(hotkey, caller)| (Some(hotkey.clone()), caller.floor()));
    std::iter::once((None, shelf.floor()))
        .chain(callers)
        .filter(|(_, rank)| *rank > known)
        .map(|(hotkey, rank)| Line::Floor(Floor { hotkey, standing, rule, rank }))
        .collect()
}

/// The marks of a shelf, each with its order.
fn marks_of(shelf: &Shelf, standing: Standing) -> impl Iterator<Item = (u64, Mark)> {
    shelf.callers().flat_map(move |(hotkey, caller)| {
        caller.marks().map(move |(uuid, slot)| {
            let (hotkey, uuid) = (Arc::clone(hotkey), Arc::clone(uuid));
            (slot.order, Mark { hotkey, uuid, nonce: slot.nonce, standing })
        })
    })
}

fn acceptable(claim: &NonceClaim<'_>) -> Duration {
    WINDOW + claim.timeout.min(LONGEST_TIMEOUT)
}

fn expired(claim: &NonceClaim<'_>, now: Duration) -> NonceError {
    let age = now.saturating_sub(Duration::from_nanos(claim.nonce));
    NonceError::Expired { acceptable: acceptable(claim), age }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
