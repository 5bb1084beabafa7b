//! Who is running, and what happened to them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::ports::{Event, Journal};

use super::progress::Progress;

/// What an actor is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActorHealth {
    /// It takes messages.
    Running,
    /// It crashed and waits for its restart; its mailbox keeps what arrives.
    BackingOff,
    /// It stopped in good order.
    Stopped,
    /// It crashed more often than its budget allows.
    GaveUp,
}

/// One actor's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorStatus {
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub health: ActorHealth,
    /// How often it was restarted.
    pub restarts: u64,
    /// What its last crash said.
    pub last_crash: Option<String>,
    /// How long it has not got anything done.
    pub idle: Duration,
}

struct Entry {
    health: ActorHealth,
    restarts: u64,
    last_crash: Option<String>,
    progress: Progress,
}

/// The record of all actors of a process. Clones are the same roster.
#[derive(Clone)]
pub struct Roster {
    entries: Arc<Mutex<BTreeMap<String, Entry>>>,
    journal: Arc<dyn Journal>,
}

impl Roster {
    /// An empty roster that journals crashes.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>) -> Self {
        Self { entries: Arc::default(), journal }
    }

    /// Everyone's record, by name.
    #[must_use]
    pub fn all(&self) -> Vec<ActorStatus> {
        let entries = self.entries.lock();
        entries
            .iter()
            .map(|(name, entry)| ActorStatus {
                name: name.clone(),
                health: entry.health.clone(),
                restarts: entry.restarts,
                last_crash: entry.last_crash.clone(),
                idle: entry.progress.idle(),
            })
            .collect()
    }

    /// The names of those that are not stopped.
    #[must_use]
    pub fn alive(&self) -> Vec<String> {
        let alive =
            |entry: &Entry| matches!(entry.health, ActorHealth::Running | ActorHealth::BackingOff);
        let entries = self.entries.lock();
        entries.iter().filter(|(_, e)| alive(e)).map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn running(&self, name: &str, progress: &Progress) {
        let mut entries = self.entries.lock();
        let entry = entries.entry(name.to_owned()).or_insert_with(|| Entry {
            health: ActorHealth::Running,
            restarts: 0,
            last_crash: None,
            progress: progress.clone(),
        });
        entry.health = ActorHealth::Running;
    }

    pub(super) fn crashed(&self, name: &str, cause: &str, pause: Option<Duration>) {
        tracing::error!(actor = name, cause, restarting_in = ?pause, "actor crashed");
        if let Some(entry) = self.entries.lock().get_mut(name) {
            entry.last_crash = Some(cause.to_owned());
            match pause {
                Some(_) => {
                    entry.health = ActorHealth::BackingOff;
                    entry.restarts += 1;
                }
                None => entry.health = ActorHealth::GaveUp,
            }
        }
        self.journal.record(Event::ActorCrashed {
            actor: name.to_owned(),
            cause: cause.to_owned(),
            restarting_in: pause,
        });
    }

    pub(super) fn stopped(&self, name: &str) {
        if let Some(entry) = self.entries.lock().get_mut(name) {
            entry.health = ActorHealth::Stopped;
        }
    }
}
