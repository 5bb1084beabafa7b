//! One pull of a model at a time, across tasks and processes.
//!
//! The kernel's advisory lock on an open file, not the existence of one: the kernel gives it back
//! when its holder dies, so there is no stale lock to detect.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use super::error::ModelError;

const POLL: Duration = Duration::from_millis(100);

/// Held for as long as it lives. The lock file stays behind: to remove it would let a third party
/// lock a new file of that name while a second one still waits for the old.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits at most `patience` for the lock on `folder`.
    pub(super) async fn acquire(folder: &Path, patience: Duration) -> Result<Self, ModelError> {
        let path = folder.join(".lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|cause| ModelError::Cache { path: path.clone(), cause })?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::Error(cause)) => {
                    // Some network file systems have no locks. Two pulls at once are then caught
                    // by the hash of what they wrote together, so to go on beats to give up.
                    tracing::warn!(
                        "cannot lock {}: {cause}; pulling without a lock",
                        path.display()
                    );
                    return Ok(Self { _file: file });
                }
                Err(TryLockError::WouldBlock) if waited >= patience => {
                    return Err(ModelError::Busy { path });
                }
                Err(TryLockError::WouldBlock) => {
                    if waited.is_zero() {
                        tracing::info!("another pull holds {}; waiting for it", path.display());
                    }
                    tokio::time::sleep(POLL).await;
                    waited = waited.saturating_add(POLL);
                }
            }
        }
    }
}
