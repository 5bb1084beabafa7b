//! How much being fast counts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An answer keeps `1 - weight · elapsed / timeout` of its total, by our own clock only: what a
/// miner says of its time counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpeedRule {
    /// What an answer that comes in the last moment loses, in `0.0..=1.0`; 0 turns it off.
    pub weight: f64,
    /// How long miners have.
    pub timeout: Duration,
}

impl Default for SpeedRule {
    fn default() -> Self {
        Self { weight: 0.0, timeout: Duration::ZERO }
    }
}

impl SpeedRule {
    /// What an answer that took so long keeps of its total, in `0.0..=1.0`.
    pub(super) fn factor(&self, elapsed: Duration) -> f64 {
        if self.timeout.is_zero() {
            return 1.0;
        }
        let late = (elapsed.as_secs_f64() / self.timeout.as_secs_f64()).min(1.0);
        (1.0 - self.weight * late).clamp(0.0, 1.0)
    }
}
