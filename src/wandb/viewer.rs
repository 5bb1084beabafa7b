//! The thread that writes runs beside the journal.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;
use std::{io, thread};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use sn1_actors::ports::{Event, Journal, JournalError, Unwritten};

use super::series::Series;
use super::{About, Entry, Rolling};

/// So many entries wait while the disk is slow; further ones are missing in the runs. One has the
/// answers of all miners of a step, so it can be large.
const WAITING: usize = 64;
/// The end of the process waits so long for the last entries.
const PATIENCE: Duration = Duration::from_secs(3);

/// Writes the runs of this process. Dropped, it ends the current one.
pub struct Wandb {
    inlet: Arc<Inlet>,
    /// Closed when the thread has ended.
    ended: Mutex<Receiver<()>>,
}

/// Where entries go in; nothing here waits.
struct Inlet {
    entries: Mutex<Option<SyncSender<(Entry, Duration)>>>,
    missed: Arc<AtomicU64>,
    unix: fn() -> Duration,
}

impl Wandb {
    /// Runs of at most `max_bytes` in all go into a folder, which is made if need be; `unix` is the
    /// time since the Unix epoch. A folder that cannot be written is only warned of.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn open(
        folder: PathBuf,
        about: About,
        max_bytes: u64,
        unix: fn() -> Duration,
    ) -> io::Result<Self> {
        let (sender, entries) = sync_channel(WAITING);
        let (guard, ended) = sync_channel::<()>(0);
        let missed: Arc<AtomicU64> = Arc::default();
        let not_written = Arc::clone(&missed);
        thread::Builder::new().name("wandb".into()).spawn(move || {
            let mut series = Series::new(Rolling::new(folder, about), max_bytes);
            series.probe(unix());
            while let Ok((entry, time)) = entries.recv() {
                if !series.take(&entry, time) {
                    not_written.fetch_add(1, Ordering::Relaxed);
                }
            }
            series.close(unix());
            drop(guard);
        })?;
        let inlet = Inlet { entries: Mutex::new(Some(sender)), missed, unix };
        Ok(Self { inlet: Arc::new(inlet), ended: Mutex::new(ended) })
    }

    /// The journal, with its events in the runs too.
    #[must_use]
    pub fn beside(&self, journal: Arc<dyn Journal>) -> Arc<dyn Journal> {
        Arc::new(Beside { journal, inlet: Arc::clone(&self.inlet) })
    }

    /// How many entries are missing in the runs.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.inlet.missed.load(Ordering::Relaxed)
    }

    /// Ends the current run, and waits for that a moment. Later events are in no run.
    pub fn close(&self) {
        if self.inlet.entries.lock().take().is_none() {
            return;
        }
        // Nothing is ever sent: the channel closes with the thread.
        let ended = self.ended.lock().recv_timeout(PATIENCE);
        if ended == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            tracing::warn!("the last wandb run is not written to its end: the disk is too slow");
        }
        let missed = self.missed();
        if missed > 0 {
            tracing::warn!(
                missed,
                "steps are missing in the wandb runs; `sn1 export JOURNAL --wandb DIR` makes runs \
                 of all that the journal has"
            );
        }
    }
}

impl Drop for Wandb {
    fn drop(&mut self) {
        self.close();
    }
}

impl Inlet {
    fn take(&self, event: &Event) {
        let entries = self.entries.lock();
        let Some(entries) = entries.as_ref() else { return };
        let Some(entry) = Entry::of_event(event) else { return };
        if entries.try_send((entry, (self.unix)())).is_err() {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A journal whose events also go into runs.
struct Beside {
    journal: Arc<dyn Journal>,
    inlet: Arc<Inlet>,
}

impl Journal for Beside {
    fn record(&self, event: Event) {
        self.inlet.take(&event);
        self.journal.record(event);
    }

    fn ready(&self) -> BoxFuture<'static, Result<(), JournalError>> {
        self.journal.ready()
    }

    fn unwritten(&self) -> Unwritten {
        self.journal.unwritten()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sn1_actors::testkit::MemoryJournal;

    use super::*;

    fn step() -> Event {
        Event::Step(json!({"task": "qa"}).as_object().unwrap().clone())
    }

    fn open(folder: PathBuf) -> Wandb {
        let about = About { group: "g".into(), ..About::default() };
        Wandb::open(folder, about, 1 << 30, || Duration::from_secs(5)).unwrap()
    }

    #[test]
    fn a_folder_that_cannot_be_written_costs_the_journal_nothing() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        std::fs::write(&file, "no folder").unwrap();
        let wandb = open(file.join("wandb"));
        let memory = Arc::new(MemoryJournal::default());
        let journal = wandb.beside(memory.clone());
        for _ in 0..10 {
            journal.record(step());
        }
        wandb.close();
        assert_eq!((memory.events().len(), wandb.missed()), (10, 10));
    }

    #[test]
    fn a_writer_that_does_not_keep_up_is_not_waited_for() {
        let (sender, _entries) = sync_channel(2);
        let inlet = Inlet {
            entries: Mutex::new(Some(sender)),
            missed: Arc::default(),
            unix: || Duration::ZERO,
        };
        for _ in 0..5 {
            inlet.take(&step());
        }
        assert_eq!(inlet.missed.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn what_comes_after_the_end_is_in_the_journal_alone() {
        let place = tempfile::tempdir().unwrap();
        let wandb = open(place.path().join("wandb"));
        let memory = Arc::new(MemoryJournal::default());
        let journal = wandb.beside(memory.clone());
        wandb.close();
        journal.record(step());
        wandb.close();
        let runs = std::fs::read_dir(place.path().join("wandb")).unwrap().count();
        assert_eq!((memory.events().len(), wandb.missed(), runs), (1, 0, 0));
    }
}
