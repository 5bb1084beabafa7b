//! How much was asked with each key, in this minute and on this day (UTC), over restarts too.
//!
//! A window of time is over when the machine's clock is in a later one. A clock that is set back
//! changes nothing: what was used stays used until the clock has come past that window, or as much
//! time has passed as a window has. So nobody gets anything for a clock that jumps to and fro, and
//! one that once was years ahead locks nobody out for longer than a day.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sn1_actors::domain::Moment;
use sn1_actors::ports::Clock;

use super::file::{self, KeyFileError, SCHEMA};
use super::key::KeyLimits;
use super::{KeyRefusal, Limits};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The time by both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time {
    moment: Moment,
    unix: Duration,
}

impl Time {
    pub(super) fn of(clock: &dyn Clock) -> Self {
        Self { moment: clock.now(), unix: clock.unix() }
    }
}

/// What was used in a window of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    /// Which window it is, counted from the Unix epoch.
    window: u64,
    used: u64,
}

impl Count {
    /// What counts of it at `unix`: nothing, if that is in a later window.
    fn at(self, unix: Duration, length: Duration) -> u64 {
        if window(unix, length) > self.window { 0 } else { self.used }
    }
}

/// A count that begins anew with every window of `length`.
#[derive(Clone, Copy, Debug)]
struct Counter {
    length: Duration,
    count: Count,
    /// Since when it counts in this window, in this process.
    since: Moment,
}

impl Counter {
    fn roll(&mut self, time: Time) {
        let now = window(time.unix, self.length);
        let lasted = time.moment.since(self.since);
        if now > self.count.window || (now < self.count.window && lasted >= self.length) {
            self.count = Count { window: now, used: 0 };
            self.since = time.moment;
        }
    }

    /// When a window begins. Must be rolled.
    fn resets_in(&self, time: Time) -> Duration {
        let end = u64::saturating_mul(self.count.window.saturating_add(1), self.length.as_secs());
        let by_clock = Duration::from_secs(end).saturating_sub(time.unix);
        if window(time.unix, self.length) == self.count.window {
            return by_clock;
        }
        by_clock.min(self.length.saturating_sub(time.moment.since(self.since)))
    }
}

fn window(unix: Duration, length: Duration) -> u64 {
    unix.as_secs() / length.as_secs()
}

/// What is kept of a key's use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    minute: Count,
    day: Count,
}

/// The use of a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Use {
    requests: Counter,
    tokens: Counter,
    pub(super) under_way: u32,
}

impl Use {
    /// Goes on with what was kept.
    pub(super) fn resumed(kept: Kept, time: Time) -> Self {
        let counter = |length, count| Counter { length, count, since: time.moment };
        Self {
            requests: counter(MINUTE, kept.minute),
            tokens: counter(DAY, kept.day),
            under_way: 0,
        }
    }

    pub(super) fn kept(&self) -> Kept {
        Kept { minute: self.requests.count, day: self.tokens.count }
    }

    /// Counts a request, if the limits let it in. The longest wait is named first.
    pub(super) fn admit(&mut self, limits: KeyLimits, time: Time) -> Result<(), KeyRefusal> {
        self.roll(time);
        if self.tokens.count.used >= limits.tokens_per_day {
            let retry_after = self.tokens.resets_in(time);
            return Err(KeyRefusal::TokensUsedUp { most: limits.tokens_per_day, retry_after });
        }
        if self.requests.count.used >= u64::from(limits.requests_per_minute) {
            let retry_after = self.requests.resets_in(time);
            let most = limits.requests_per_minute;
            return Err(KeyRefusal::TooManyRequests { most, retry_after });
        }
        if self.under_way >= limits.concurrent {
            return Err(KeyRefusal::TooManyAtOnce { most: limits.concurrent });
        }
        self.requests.count.used += 1;
        self.under_way += 1;
        Ok(())
    }

    pub(super) fn spend(&mut self, tokens: u64, time: Time) {
        self.roll(time);
        let used = &mut self.tokens.count.used;
        *used = used.saturating_add(tokens);
    }

    pub(super) fn limits(&mut self, limits: KeyLimits, time: Time) -> Limits {
        self.roll(time);
        let used = u32::try_from(self.requests.count.used).unwrap_or(u32::MAX);
        Limits {
            requests_per_minute: limits.requests_per_minute,
            requests_left: limits.requests_per_minute.saturating_sub(used),
            resets_in: self.requests.resets_in(time),
            tokens_per_day: limits.tokens_per_day,
            tokens_left: limits.tokens_per_day.saturating_sub(self.tokens.count.used),
        }
    }

    fn roll(&mut self, time: Time) {
        self.requests.roll(time);
        self.tokens.roll(time);
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UsageDocument {
    schema: u32,
    keys: BTreeMap<String, Kept>,
}

fn path(folder: &Path) -> PathBuf {
    folder.join("usage.json")
}

/// What was kept in a folder, by the keys' ids.
pub(super) fn read(folder: &Path) -> Result<BTreeMap<String, Kept>, KeyFileError> {
    let path = path(folder);
    let Some((UsageDocument { schema, keys }, _)) = file::read(&path)? else {
        return Ok(BTreeMap::new());
    };
    if schema != SCHEMA {
        let cause = format!("it is of schema {schema}, not {SCHEMA}");
        return Err(KeyFileError::Damaged { path, cause });
    }
    Ok(keys)
}

pub(super) fn write(folder: &Path, keys: BTreeMap<String, Kept>) -> Result<(), KeyFileError> {
    file::write(&path(folder), &UsageDocument { schema: SCHEMA, keys })
}

/// What was used of a key's limits, as a running validator last wrote it, a second ago at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Used {
    /// Requests of this minute.
    pub requests_this_minute: u64,
    /// Tokens of this day (UTC).
    pub tokens_today: u64,
}

/// What was used with the keys of a folder, by their ids, at `unix` since the Unix epoch.
///
/// # Errors
/// [`KeyFileError`] if the file is damaged or cannot be read.
pub fn used(folder: &Path, unix: Duration) -> Result<BTreeMap<String, Used>, KeyFileError> {
    let used = |kept: Kept| Used {
        requests_this_minute: kept.minute.at(unix, MINUTE),
        tokens_today: kept.day.at(unix, DAY),
    };
    Ok(read(folder)?.into_iter().map(|(id, kept)| (id, used(kept))).collect())
}
