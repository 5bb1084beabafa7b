//! What the model did so far, in numbers that anyone may read while it works.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;

use super::ModelError;

/// The counters; ModelWorker alone counts, and goes on where it was after a restart.
#[derive(Debug, Default)]
pub struct ModelMeter {
    pub(super) prompt_tokens: Counter,
    pub(super) cached_tokens: Counter,
    pub(super) prefilled_tokens: Counter,
    pub(super) decoded_tokens: Counter,
    pub(super) steps: Counter,
    pub(super) busy_us: Counter,
    pub(super) reading_us: Counter,
    pub(super) writing_us: Counter,
    pub(super) embedded_texts: Counter,
    pub(super) rebuilds: Counter,
    pub(super) refused: Counter,
    pub(super) cancelled: Counter,
    pub(super) expired: Counter,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, count: usize) {
        self.0.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn add_time(&self, time: Duration) {
        self.add(usize::try_from(time.as_micros()).unwrap_or(usize::MAX));
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters at one moment, since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ModelStats {
    /// Tokens of the prompts of all sequences that began; one that begins again after a failure of
    /// the device counts again, with what it had written.
    pub prompt_tokens: u64,
    /// Of these, those that the prefix cache had.
    pub cached_tokens: u64,
    /// Of these, those that were run.
    pub prefilled_tokens: u64,
    /// New tokens.
    pub decoded_tokens: u64,
    /// Steps of the device.
    pub steps: u64,
    /// How long the device worked, embeddings included.
    pub busy: Duration,
    /// Of that, prompt rows' part: a step's time is shared out evenly among its rows.
    pub reading: Duration,
    /// Of that, the part of the rows of sequences that wrote.
    pub writing: Duration,
    /// Texts that became vectors.
    pub embedded_texts: u64,
    /// Failures after which the engine was built anew.
    pub rebuilds: u64,
    /// Requests that were not taken.
    pub refused: u64,
    /// Requests whose asker was gone before the end.
    pub cancelled: u64,
    /// Requests whose deadline passed before the end.
    pub expired: u64,
}

impl ModelMeter {
    /// Counts a request that ended without an answer for its asker's sake.
    pub(super) fn ended_early(&self, error: &ModelError) {
        match error {
            ModelError::Cancelled => self.cancelled.add(1),
            ModelError::Deadline => self.expired.add(1),
            ModelError::Refused(_) => self.refused.add(1),
            ModelError::Request(_)
            | ModelError::Failed(_)
            | ModelError::BrokeOff(_)
            | ModelError::NoAnswer(_) => {}
        }
    }

    /// Counts the time of a step with so many prompt rows and so many rows of sequences that write.
    pub(super) fn step_took(&self, time: Duration, prefill: usize, decode: usize) {
        let rows = u32::try_from(prefill + decode).unwrap_or(u32::MAX).max(1);
        let writing = time.saturating_mul(u32::try_from(decode).unwrap_or(u32::MAX)) / rows;
        self.writing_us.add_time(writing);
        self.reading_us.add_time(time.saturating_sub(writing));
    }

    /// The counters now.
    #[must_use]
    pub fn snapshot(&self) -> ModelStats {
        ModelStats {
            prompt_tokens: self.prompt_tokens.get(),
            cached_tokens: self.cached_tokens.get(),
            prefilled_tokens: self.prefilled_tokens.get(),
            decoded_tokens: self.decoded_tokens.get(),
            steps: self.steps.get(),
            busy: Duration::from_micros(self.busy_us.get()),
            reading: Duration::from_micros(self.reading_us.get()),
            writing: Duration::from_micros(self.writing_us.get()),
            embedded_texts: self.embedded_texts.get(),
            rebuilds: self.rebuilds.get(),
            refused: self.refused.get(),
            cancelled: self.cancelled.get(),
            expired: self.expired.get(),
        }
    }
}

impl ModelStats {
    /// Which part of all prompt tokens the prefix cache had; 0 before the first prompt.
    #[must_use]
    pub fn hit_ratio(&self) -> f64 {
        if self.prompt_tokens == 0 {
            return 0.0;
        }
        self.cached_tokens as f64 / self.prompt_tokens as f64
    }
}
