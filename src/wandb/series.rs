//! The runs of this process, whatever happens to the disk.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::{Entry, Rolling};

/// After a failure so long passes until the next try.
const NEXT_TRY: Duration = Duration::from_secs(30);

/// Writes runs. Failures are logged, once when they begin and once when they end.
#[derive(Debug)]
pub(super) struct Series {
    rolling: Rolling,
    /// The most bytes that the runs of the folder may have.
    max_bytes: u64,
    /// The bytes of all other runs of the folder when the current one began.
    others: u64,
    failing: Option<Failing>,
}

#[derive(Debug)]
struct Failing {
    /// When it was tried last, since the Unix epoch: a wall clock's, which may step back.
    tried: Duration,
    /// Steps that are missing so far.
    missing: u64,
}

impl Series {
    pub(super) fn new(rolling: Rolling, max_bytes: u64) -> Self {
        Self { rolling, max_bytes, others: 0, failing: None }
    }

    /// Sees whether the folder can be written at all, before the first step is there.
    pub(super) fn probe(&mut self, now: Duration) {
        if let Err(error) = room(self.rolling.folder(), self.max_bytes) {
            self.failed(&error, now);
        }
    }

    /// Writes what is for a run; whether nothing is missing.
    pub(super) fn take(&mut self, entry: &Entry, now: Duration) -> bool {
        let is_step = matches!(entry, Entry::Step(_));
        if let Some(failing) = &mut self.failing
            && is_step
            && now.abs_diff(failing.tried) < NEXT_TRY
        {
            failing.missing += 1;
            return false;
        }
        match self.write(entry, now) {
            Ok(()) if is_step => {
                if let Some(Failing { missing, .. }) = self.failing.take() {
                    let folder = self.rolling.folder().display();
                    tracing::warn!(%folder, missing, "wandb runs are written again; steps are missing");
                }
                true
            }
            Ok(()) => true,
            Err(error) => {
                let failing = self.failed(&error, now);
                failing.missing += u64::from(is_step);
                false
            }
        }
    }

    /// Ends the current run.
    pub(super) fn close(&mut self, now: Duration) {
        if let Err(error) = self.rolling.close(now) {
            self.failed(&error, now);
        }
    }

    fn write(&mut self, entry: &Entry, now: Duration) -> io::Result<()> {
        if matches!(entry, Entry::Step(_)) {
            self.rolling.roll_if_due(now)?;
            if self.rolling.bytes().is_none() {
                self.others = room(self.rolling.folder(), self.max_bytes)?;
            }
        }
        self.rolling.take(entry, now)?;
        let bytes = self.rolling.bytes().unwrap_or_default();
        if self.others.saturating_add(bytes) >= self.max_bytes {
            self.rolling.roll(now)?;
        }
        Ok(())
    }

    fn failed(&mut self, error: &io::Error, now: Duration) -> &mut Failing {
        if self.failing.is_none() {
            tracing::warn!(
                folder = %self.rolling.folder().display(),
                "wandb runs cannot be written: {error}; steps will be missing in them until that is \
                 mended, and scoring goes on"
            );
        }
        let failing = self.failing.get_or_insert(Failing { tried: now, missing: 0 });
        failing.tried = now;
        failing
    }
}

/// The bytes of the runs in a folder, which is made if need be.
///
/// # Errors
/// If it cannot be made or read, or holds as much as it may.
fn room(folder: &Path, max_bytes: u64) -> io::Result<u64> {
    fs::create_dir_all(folder)?;
    let mut bytes = 0_u64;
    for entry in fs::read_dir(folder)? {
        let run = entry?.path();
        let is_run = run.file_name().and_then(|name| name.to_str());
        if !is_run.is_some_and(|name| name.starts_with("offline-run-")) {
            continue;
        }
        // One that somebody removes now is no error.
        for file in fs::read_dir(run).into_iter().flatten().flatten() {
            bytes = bytes.saturating_add(file.metadata().map_or(0, |data| data.len()));
        }
    }
    if bytes >= max_bytes {
        return Err(io::Error::other(format!(
            "its runs have {bytes} bytes and `wandb.max_bytes` is {max_bytes}; send them with `wandb \
             sync` and remove them with `wandb clean`"
        )));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
