//! How many conversations may be under way at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The right to one conversation in flight; it returns when dropped, whatever happened.
#[derive(Debug)]
pub struct Credit(#[expect(dead_code, reason = "it is held for its drop")] OwnedSemaphorePermit);

/// A fixed number of credits.
#[derive(Clone, Debug)]
pub struct Credits {
    free: Arc<Semaphore>,
    total: usize,
    peak: Arc<AtomicUsize>,
}

impl Credits {
    /// `total` credits, at least one.
    #[must_use]
    pub fn new(total: usize) -> Self {
        let total = total.max(1);
        Self { free: Arc::new(Semaphore::new(total)), total, peak: Arc::default() }
    }

    /// Waits for a free credit.
    pub async fn take(&self) -> Credit {
        loop {
            if let Ok(permit) = Arc::clone(&self.free).acquire_owned().await {
                self.peak.fetch_max(self.out(), Ordering::Relaxed);
                return Credit(permit);
            }
            // The semaphore is never closed, so this is never reached twice.
            tokio::task::yield_now().await;
        }
    }

    /// A credit, if one is free now.
    #[must_use]
    pub fn try_take(&self) -> Option<Credit> {
        let permit = Arc::clone(&self.free).try_acquire_owned().ok()?;
        self.peak.fetch_max(self.out(), Ordering::Relaxed);
        Some(Credit(permit))
    }

    /// How many there are.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// The most that were ever out.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// How many are out.
    #[must_use]
    pub fn out(&self) -> usize {
        self.total.saturating_sub(self.free.available_permits())
    }
}
