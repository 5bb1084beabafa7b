//! Whether an actor gets anywhere: health is judged by progress, not by ping.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::domain::Moment;
use crate::ports::Clock;

/// When something last got done. Clones share it.
#[derive(Clone)]
pub struct Progress {
    clock: Arc<dyn Clock>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    last_ms: AtomicU64,
    protected: AtomicUsize,
}

/// While it lives, the actor waits for something outside: it is slow, not stuck.
pub struct ProtectedZone {
    progress: Progress,
}

impl Progress {
    /// Progress as of now.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let progress = Self { clock, state: Arc::default() };
        progress.record();
        progress
    }

    /// Something got done.
    pub fn record(&self) {
        self.state.last_ms.store(millis(self.clock.now()), Ordering::Relaxed);
    }

    /// Begins a wait for something outside, whose own deadline bounds it.
    #[must_use]
    pub fn protect(&self) -> ProtectedZone {
        self.state.protected.fetch_add(1, Ordering::Relaxed);
        ProtectedZone { progress: self.clone() }
    }

    /// How long nothing was done; zero while in a protected zone.
    #[must_use]
    pub fn idle(&self) -> Duration {
        if self.state.protected.load(Ordering::Relaxed) > 0 {
            return Duration::ZERO;
        }
        let last = self.state.last_ms.load(Ordering::Relaxed);
        Duration::from_millis(millis(self.clock.now()).saturating_sub(last))
    }
}

impl Drop for ProtectedZone {
    fn drop(&mut self) {
        self.progress.record();
        self.progress.state.protected.fetch_sub(1, Ordering::Relaxed);
    }
}

fn millis(moment: Moment) -> u64 {
    u64::try_from(moment.0.as_millis()).unwrap_or(u64::MAX)
}
