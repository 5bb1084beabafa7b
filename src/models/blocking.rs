//! Work on files that would hold up the runtime's thread: hashing, copying, unpacking.
//!
//! A blocking task outlives the future that waits for it. So it carries the pull's lock, which is
//! thus given back only when the last write has ended, and a flag that tells it to stop early.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::Failure;
use super::lock::Lock;

const CHUNK: usize = 1 << 20;

/// Tells blocking work that nobody waits for it any more.
#[derive(Clone, Debug, Default)]
pub(super) struct Cancel(Arc<AtomicBool>);

impl Cancel {
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.0.load(Ordering::Relaxed) { Err(Failure::other("cancelled")) } else { Ok(()) }
    }
}

struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// Runs `work` on the blocking pool, holding `lock` until it ends.
pub(super) async fn run<T: Send + 'static>(
    lock: Option<Arc<Lock>>,
    work: impl FnOnce(&Cancel) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let cancel = Cancel::default();
    let _guard = CancelOnDrop(cancel.clone());
    let task = tokio::task::spawn_blocking(move || {
        let result = work(&cancel);
        drop(lock);
        result
    });
    task.await.unwrap_or_else(|error| Err(Failure::other(format!("a file task failed: {error}"))))
}

/// What became of a bounded copy.
pub(super) enum Copied {
    /// All of it.
    All,
    /// The reader had more than the limit; the rest was not read.
    TooMuch,
    /// Reading failed.
    Unreadable(std::io::Error),
}

/// Copies `from` into a new file at `to`, `limit` bytes at most.
pub(super) fn copy(
    mut from: impl Read,
    to: &Path,
    limit: u64,
    cancel: &Cancel,
    mut seen: impl FnMut(u64),
) -> Result<Copied, Failure> {
    let mut file = fs::File::create(to).map_err(|cause| Failure::write(to, 0, cause))?;
    let mut buffer = vec![0; CHUNK];
    let mut total = 0_u64;
    loop {
        cancel.check()?;
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(Copied::All),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Ok(Copied::Unreadable(error)),
        };
        total = total.saturating_add(read as u64);
        if total > limit {
            return Ok(Copied::TooMuch);
        }
        let chunk = buffer.get(..read).unwrap_or_default();
        file.write_all(chunk).map_err(|cause| Failure::write(to, read as u64, cause))?;
        seen(total);
    }
}

/// A file or folder of our own that goes away with this value, unless it was renamed before.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Takes over `path`, and removes what an earlier, killed run may have left there.
    pub(super) fn new(path: PathBuf) -> Self {
        let scratch = Self(path);
        scratch.remove();
        scratch
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    fn remove(&self) {
        // Best effort: what is left is overwritten by the next pull.
        let _ = match fs::symlink_metadata(&self.0) {
            Ok(found) if found.is_dir() => fs::remove_dir_all(&self.0),
            Ok(_) => fs::remove_file(&self.0),
            Err(_) => Ok(()),
        };
    }
}

impl AsRef<Path> for Scratch {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remove();
    }
}
