//! One switch that stops everything, and remembers why.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// What kind of end a fault calls for; the program gives each an exit code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// An actor crashed more often than its budget allows.
    GaveUp,
    /// The device is lost to this process.
    DeviceLost,
}

/// The first fault that stopped the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What kind of end it calls for.
    pub kind: FaultKind,
    /// Which actor or part it came from.
    pub part: String,
    /// What happened.
    pub cause: String,
}

/// Stops whatever watches it. Clones are the same switch.
#[derive(Clone, Debug, Default)]
pub struct KillSwitch {
    token: CancellationToken,
    first: Arc<Mutex<Option<Fault>>>,
}

impl KillSwitch {
    /// Stops everything in good order: nothing went wrong.
    pub fn stop(&self) {
        self.token.cancel();
    }

    /// Stops everything because of a fault. Only the first is kept: the rest follow from it.
    pub fn trip(&self, fault: Fault) {
        let mut first = self.first.lock();
        if first.is_none() && !self.token.is_cancelled() {
            tracing::error!(part = %fault.part, cause = %fault.cause, "stopping because of a fault");
            *first = Some(fault);
        }
        drop(first);
        self.token.cancel();
    }

    /// The fault that stopped everything, if there was one.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.first.lock().clone()
    }

    /// Whether it was stopped or tripped.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Resolves when it is stopped or tripped.
    pub async fn dead(&self) {
        self.token.cancelled().await;
    }

    pub(super) fn token(&self) -> &CancellationToken {
        &self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_first_fault_only() {
        let switch = KillSwitch::default();
        for part in ["first", "second"] {
            switch.trip(Fault {
                kind: FaultKind::GaveUp,
                part: part.into(),
                cause: "crashed".into(),
            });
        }
        assert_eq!(switch.fault().map(|fault| fault.part), Some("first".into()));
        assert!(switch.is_dead());
    }
}
