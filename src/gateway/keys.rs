//! Who may use the gateway, and how much.
//!
//! A folder holds the keys (`keys.json`, hashes only, changed by `sn1 gateway keys`) and what was
//! used of their limits (`usage.json`, written by the one gateway that runs on it). A [`KeyRing`]
//! notices a changed file with the next request, so that a new key works at once and a revoked one
//! no more.
//!
//! Tokens are counted when they are known, after the fact: a key can go over its tokens of a day by
//! what is under way with it, which `concurrent` bounds. Left out: keys that expire, and limits that
//! change after a key was made.

mod edit;
mod file;
mod key;
mod usage;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sn1_actors::ports::Clock;
use sn1_actors::runtime::Tasks;

pub use edit::{KeyEditError, list, new_key, revoke};
pub use file::KeyFileError;
pub use key::{ApiKey, KeyEntry, KeyLimits, PREFIX};
pub use usage::{Used, used};

use file::{KeysRead, Stamp, keys_path, read_keys};
use usage::{Kept, Time, Use};

/// How long what was used may be known to this process alone.
const UNSAVED: Duration = Duration::from_secs(1);

/// Why a request is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefusal {
    /// No key was presented.
    #[error("no API key was given: send it as `Authorization: Bearer KEY`")]
    Missing,
    /// No such key, or one that was revoked.
    #[error("the API key is not known, or was revoked")]
    Unknown,
    /// The key's requests of this minute are used up.
    #[error("more than {most} requests a minute with this key")]
    TooManyRequests {
        /// How many there may be.
        most: u32,
        /// When to ask again.
        retry_after: Duration,
    },
    /// As many of the key's requests are under way as there may be.
    #[error("more than {most} requests at a time with this key")]
    TooManyAtOnce {
        /// How many there may be.
        most: u32,
    },
    /// The key's tokens of this day are used up.
    #[error("the {most} tokens a day of this key are used up")]
    TokensUsedUp {
        /// How many there are.
        most: u64,
        /// When there are some again.
        retry_after: Duration,
    },
}

/// How much of a key's limits is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests in a minute.
    pub requests_per_minute: u32,
    /// How many of them are left.
    pub requests_left: u32,
    /// When all of them are there again.
    pub resets_in: Duration,
    /// Tokens in a day.
    pub tokens_per_day: u64,
    /// How many of them are left.
    pub tokens_left: u64,
}

/// The keys of a gateway and their use. Clones are the same ring.
#[derive(Clone)]
pub struct KeyRing(Arc<Ring>);

struct Ring {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// One write at a time.
    saving: Mutex<()>,
}

struct State {
    keys: Vec<KeyEntry>,
    /// The file that the keys are of, or that was looked at in vain.
    seen: Option<Stamp>,
    /// Whether the last look at the file failed, so that it is said once.
    unreadable: bool,
    /// By the keys' ids.
    uses: BTreeMap<String, Use>,
    unsaved: bool,
}

impl KeyRing {
    /// The ring of a folder, which need not be there: without keys nobody is let in.
    ///
    /// # Errors
    /// [`KeyFileError`] if one of its files is damaged or cannot be read.
    pub fn open(folder: &Path, clock: Arc<dyn Clock>) -> Result<Self, KeyFileError> {
        let (keys, seen) = read_keys(&keys_path(folder))?;
        let time = Time::of(&*clock);
        let kept = usage::read(folder)?;
        let uses = kept.into_iter().map(|(id, kept)| (id, Use::resumed(kept, time))).collect();
        let state = State { keys, seen, unreadable: false, uses, unsaved: false };
        let (state, saving) = (Mutex::new(state), Mutex::new(()));
        Ok(Self(Arc::new(Ring { folder: folder.to_owned(), clock, state, saving })))
    }

    /// A ring of one key that no folder has, for tests of the server.
    #[cfg(test)]
    pub(super) fn of_one(key: &str, limits: KeyLimits, clock: Arc<dyn Clock>) -> Self {
        let keys = vec![KeyEntry::of(&ApiKey::known(key), "test", limits, 0)];
        let state =
            State { keys, seen: None, unreadable: false, uses: BTreeMap::new(), unsaved: false };
        let (state, saving) = (Mutex::new(state), Mutex::new(()));
        // No folder can be made below a device: nothing is read, and nothing written.
        let folder = PathBuf::from("/dev/null/gateway");
        Self(Arc::new(Ring { folder, clock, state, saving }))
    }

    /// How many keys are in use.
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.0.state.lock().keys.iter().filter(|key| key.revoked.is_none()).count()
    }

    /// Lets a request in by the key that its user presents.
    ///
    /// # Errors
    /// [`KeyRefusal`]; a request that is refused counts for nothing.
    pub fn admit(&self, presented: Option<&str>) -> Result<Admission, KeyRefusal> {
        let presented = presented.ok_or(KeyRefusal::Missing)?;
        let time = Time::of(&*self.0.clock);
        let mut state = self.0.state.lock();
        state.look_again(&keys_path(&self.0.folder));
        let key = key::find(&state.keys, presented).ok_or(KeyRefusal::Unknown)?;
        let (id, limits) = (key.id.clone(), key.limits);
        state.used(&id, time).admit(limits, time)?;
        state.unsaved = true;
        Ok(Admission { ring: Arc::clone(&self.0), id, limits })
    }

    /// Writes what was used every second, on another thread, until it is dropped. A process that is
    /// killed forgets what was used in its last second.
    pub async fn keep_usage(self, tasks: Tasks) {
        let mut failing = false;
        loop {
            self.0.clock.sleep(UNSAVED).await;
            let ring = Arc::clone(&self.0);
            let saved = tasks.compute("gateway_usage", move || ring.save()).await;
            match saved {
                Some(Ok(())) => failing = false,
                Some(Err(error)) if !failing => {
                    failing = true;
                    tracing::error!("what the gateway's keys used is not kept: {error}");
                }
                Some(Err(_)) | None => {}
            }
        }
    }
}

impl Ring {
    /// Writes what was used, if anything was since the last time.
    fn save(&self) -> Result<(), KeyFileError> {
        let _saving = self.saving.lock();
        let kept = {
            let mut state = self.state.lock();
            if !std::mem::take(&mut state.unsaved) {
                return Ok(());
            }
            state.kept()
        };
        let written = usage::write(&self.folder, kept);
        if written.is_err() {
            self.state.lock().unsaved = true;
        }
        written
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        if let Err(error) = self.save() {
            tracing::error!("what the gateway's keys used is not kept: {error}");
        }
    }
}

impl State {
    /// Reads the keys again if their file is another than before. While it cannot be read, those
    /// that are known stay.
    fn look_again(&mut self, path: &Path) {
        let looked = Stamp::of(path)
            .map_err(|cause| KeyFileError::Unusable { path: path.to_owned(), cause });
        match looked {
            Ok(stamp) if stamp == self.seen => {}
            Ok(stamp) => self.take_over(stamp, read_keys(path)),
            Err(error) => self.take_over(self.seen, Err(error)),
        }
    }

    /// Takes over what was read of the file that looked like `stamp`.
    fn take_over(&mut self, stamp: Option<Stamp>, read: Result<KeysRead, KeyFileError>) {
        // A damaged file is not read with every request. What cannot be read may be read the next
        // time, and a key may have been revoked in it.
        if matches!(read, Err(KeyFileError::Damaged { .. })) {
            self.seen = stamp;
        }
        match read {
            Ok((keys, seen)) => {
                tracing::info!("the gateway's keys changed");
                (self.keys, self.seen, self.unreadable) = (keys, seen, false);
                let known: BTreeSet<&str> = self.keys.iter().map(|key| key.id.as_str()).collect();
                self.uses.retain(|id, used| used.under_way > 0 || known.contains(id.as_str()));
            }
            Err(error) if !self.unreadable => {
                self.unreadable = true;
                tracing::error!("the gateway's keys stay as they were: {error}");
            }
            Err(_) => {}
        }
    }

    fn used(&mut self, id: &str, time: Time) -> &mut Use {
        self.uses.entry(id.to_owned()).or_insert_with(|| Use::resumed(Kept::default(), time))
    }

    fn kept(&self) -> BTreeMap<String, Kept> {
        self.uses.iter().map(|(id, used)| (id.clone(), used.kept())).collect()
    }
}

/// A request that was let in; its place is free again when this is dropped.
pub struct Admission {
    ring: Arc<Ring>,
    id: String,
    limits: KeyLimits,
}

impl Admission {
    /// Counts tokens of the request, on the day on which it is told.
    pub fn spend(&self, tokens: u64) {
        let time = Time::of(&*self.ring.clock);
        let mut state = self.ring.state.lock();
        state.used(&self.id, time).spend(tokens, time);
        state.unsaved = true;
    }

    /// What is left of the key.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let time = Time::of(&*self.ring.clock);
        self.ring.state.lock().used(&self.id, time).limits(self.limits, time)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if let Some(used) = self.ring.state.lock().uses.get_mut(&self.id) {
            used.under_way = used.under_way.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests;
