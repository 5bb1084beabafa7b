//! How many conversations may be under way at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The right to one conversation in flight; it returns when dropped, whatever happened.
#[derive(Debug)]
pub struct Credit(#[expect(dead_code, reason = "it is held for its drop")] OwnedSemaphorePermit);

/// A fixed number of credits.
#[derive(Clone, Debug)]
pub struct Credits {
    free: Arc<Semaphore>,
    total: usize,
}

impl Credits {
    /// `total` credits, at least one.
    #[must_use]
    pub fn new(total: usize) -> Self {
        let total = total.max(1);
        Self { free: Arc::new(Semaphore::new(total)), total }
    }

    /// Waits for a free credit.
    pub async fn take(&self) -> Credit {
        loop {
            if let Ok(permit) = Arc::clone(&self.free).acquire_owned().await {
                return Credit(permit);
            }
            // The semaphore is never closed, so this is never reached twice.
            tokio::task::yield_now().await;
        }
    }

    /// How many there are.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// How many are out.
    #[must_use]
    pub fn out(&self) -> usize {
        self.total.saturating_sub(self.free.available_permits())
    }
}
