//! The thread that writes a journal: lines, rotation, and what becomes of events while the disk
//! takes none.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use sn1_actors::ports::{Event, Unwritten};
use tokio::sync::watch;

use super::{KEPT, Line, SCHEMA_VERSION, cut_short, unwritable};
use crate::rotation::{move_aside, numbered};

/// Lines that have piled up are written together, so many bytes at once.
const CHUNK: usize = 1 << 16;
/// A disk that took nothing is tried again after so long.
const RETRY: Duration = Duration::from_secs(10);
/// The log says after so long that it still takes nothing.
const REMIND: Duration = Duration::from_secs(600);

/// How far the writer is.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    /// Events that it is done with.
    pub(super) events: u64,
    pub(super) unwritten: Unwritten,
}

/// What the thread is told; `time` is the time since the Unix epoch.
pub(super) enum Command {
    Write { event: Box<Event>, time: Duration },
    Flush { done: mpsc::Sender<()>, time: Duration },
}

/// Writes the lines of one run.
pub(super) struct Writer {
    path: PathBuf,
    run_id: Arc<str>,
    max_bytes: u64,
    /// None if it could not be opened again.
    file: Option<File>,
    /// What the file holds.
    bytes: u64,
    seq: u64,
    /// Whole lines that are not in the file yet.
    pending: Vec<u8>,
    /// The time of the newest command. It is a wall clock's, so it may step back.
    now: Duration,
    gap: Option<Gap>,
    unwritten: Unwritten,
    /// Events that nobody kept, and that are not counted here yet.
    dropped: Arc<AtomicU64>,
}

/// Events that are not written down.
struct Gap {
    events: u64,
    cause: String,
    began: Duration,
    tried: Duration,
    said: Duration,
}

impl Writer {
    /// Opens a journal; what its last run left is ended, in that run's name, unless somebody else
    /// writes it or no disk takes it.
    pub(super) fn open(
        path: &Path,
        run_id: Arc<str>,
        max_bytes: u64,
        now: Duration,
    ) -> io::Result<Self> {
        let (file, bytes, alone) = open_file(path)?;
        let (path, file) = (path.to_owned(), Some(file));
        let mut writer = Self {
            path,
            run_id,
            max_bytes,
            file,
            bytes,
            seq: 0,
            pending: Vec::new(),
            now,
            gap: None,
            unwritten: Unwritten::default(),
            dropped: Arc::default(),
        };
        if alone && let Err(cause) = writer.end_last_run() {
            // As later in a run: it goes on, and what the last one left has no end.
            tracing::error!(
                "{}; what its last run left is not ended in it: make room on its disk, or make it \
                 writable",
                unwritable(&writer.path, &cause)
            );
            writer.pending.clear();
            writer.reopen()?;
        }
        Ok(writer)
    }

    /// Where whoever does not hand an event over counts it.
    pub(super) fn dropped(&self) -> Arc<AtomicU64> {
        self.dropped.clone()
    }

    fn end_last_run(&mut self) -> io::Result<()> {
        let last = cut_short::last_run(&self.path, &numbered(&self.path, 1))?;
        for (event, seq) in last.unended.iter().zip(last.seq..) {
            let line = line(&last.run_id, seq, event, self.now)?;
            self.make_room(line.len())?;
            self.pending.extend(line);
        }
        self.write_out()
    }

    /// Writes until nobody has anything to be written any more.
    pub(super) fn serve(
        mut self,
        inbox: &mpsc::Receiver<Command>,
        progress: &watch::Sender<Written>,
    ) {
        while let Ok(first) = inbox.recv() {
            let mut next = Some(first);
            // What has piled up is written together and reaches the disk together.
            while let Some(command) = next.take() {
                match command {
                    Command::Write { event, time } => {
                        self.now = time;
                        self.take(&event);
                        self.tell(progress, 1);
                    }
                    Command::Flush { done, time } => {
                        self.now = time;
                        self.count_dropped();
                        self.settle();
                        self.try_again();
                        self.tell(progress, 0);
                        let _ = done.send(());
                    }
                }
                next = inbox.try_recv().ok();
            }
            self.settle();
            self.tell(progress, 0);
        }
    }

    fn tell(&self, progress: &watch::Sender<Written>, events: u64) {
        progress.send_if_modified(|written| {
            written.events += events;
            let differs = written.unwritten != self.unwritten;
            if differs {
                written.unwritten.clone_from(&self.unwritten);
            }
            differs || events > 0
        });
    }

    /// Has an event written, or passes it over.
    fn take(&mut self, event: &Event) {
        self.count_dropped();
        // The last line of a run has no other to come after it.
        let is_last = matches!(event, Event::RunFinished { .. });
        let rests = |gap: &Gap| !is_last && self.now.abs_diff(gap.tried) < RETRY;
        if self.gap.as_ref().is_some_and(rests) || !self.try_again() {
            self.seq += 1;
            return self.pass_over(1);
        }
        let seq = self.seq;
        self.seq += 1;
        let line = line(&self.run_id, seq, event, self.now);
        match line.and_then(|line| self.make_room(line.len()).map(|()| line)) {
            Ok(line) => self.pending.extend(line),
            Err(cause) => return self.fall_behind(&cause, 1),
        }
        if self.pending.len() >= CHUNK {
            self.settle();
        }
    }

    /// Begins a new file if the current one has no room for so many bytes more.
    fn make_room(&mut self, length: usize) -> io::Result<()> {
        let bytes = self.bytes + self.pending.len() as u64;
        if bytes == 0 || bytes + length as u64 <= self.max_bytes {
            return Ok(());
        }
        self.write_out()?;
        // There is none where the last try came to an end between the two.
        move_aside(&self.path, KEPT)?;
        let (file, _) = opened(&self.path)?;
        (self.file, self.bytes) = (Some(file), 0);
        Ok(())
    }

    fn settle(&mut self) {
        if let Err(cause) = self.write_out() {
            self.fall_behind(&cause, 0);
        }
    }

    /// Writes what is pending; what could not be written stays so.
    fn write_out(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let Some(file) = &mut self.file else { return Err(io::ErrorKind::NotFound.into()) };
        let (written, result) = write_to(file, &self.pending);
        self.bytes += written as u64;
        self.pending.drain(..written);
        result
    }

    /// The disk takes nothing: pending lines are given up, and so many events besides. A line of
    /// which a part is in the file is taken off when it is opened again.
    fn fall_behind(&mut self, cause: &io::Error, besides: u64) {
        let (error, now) = (unwritable(&self.path, cause), self.now);
        tracing::error!(
            "{error}; the run goes on and what happens is not written down until it can be: make \
             room on its disk, or make it writable"
        );
        let gap = Gap { events: 0, cause: error.cause.clone(), began: now, tried: now, said: now };
        (self.gap, self.unwritten.error) = (Some(gap), Some(error));
        let lost = self.pending.iter().filter(|byte| **byte == b'\n').count();
        self.pending.clear();
        self.pass_over(lost as u64 + besides);
    }

    /// Tells of events that nobody kept while the disk did not answer.
    fn count_dropped(&mut self) {
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped == 0 {
            return;
        }
        self.settle();
        self.seq += dropped;
        if self.gap.is_some() {
            return self.pass_over(dropped);
        }
        self.fall_behind(&io::Error::other("its disk did not answer for long"), dropped);
        self.try_again();
    }

    fn pass_over(&mut self, events: u64) {
        self.unwritten.events += events;
        let Some(gap) = &mut self.gap else { return };
        gap.events += events;
        if self.now.abs_diff(gap.said) >= REMIND {
            gap.said = self.now;
            let Gap { events, cause, .. } = gap;
            tracing::error!(
                "the journal `{}` still cannot be written: {cause}; {events} events are not \
                 written down so far",
                self.path.display()
            );
        }
    }

    /// Tries to go on after a gap; whether there is none now.
    fn try_again(&mut self) -> bool {
        let Some(mut gap) = self.gap.take() else { return true };
        match self.go_on(&gap) {
            Ok(()) => {
                self.unwritten.error = None;
                tracing::warn!(
                    "the journal `{}` is written again; {} events are missing in it",
                    self.path.display(),
                    gap.events
                );
                true
            }
            Err(cause) => {
                self.pending.clear();
                (gap.tried, gap.cause) = (self.now, cause.to_string());
                self.unwritten.error = Some(unwritable(&self.path, &cause));
                self.gap = Some(gap);
                false
            }
        }
    }

    /// Opens the file anew, since its disk may be another one by now; half a line is taken off.
    fn reopen(&mut self) -> io::Result<()> {
        // Its lock would be in our own way.
        self.file = None;
        let (file, bytes, _) = open_file(&self.path)?;
        (self.file, self.bytes) = (Some(file), bytes);
        Ok(())
    }

    /// Goes on after a gap, and says what is missing.
    fn go_on(&mut self, gap: &Gap) -> io::Result<()> {
        self.reopen()?;
        let seconds = self.now.saturating_sub(gap.began).as_secs_f64();
        let (missing, cause) = (gap.events, gap.cause.clone());
        let event = Event::EventsMissing { missing, seconds, cause };
        let line = line(&self.run_id, self.seq, &event, self.now)?;
        self.make_room(line.len())?;
        self.pending.extend(line);
        self.write_out()?;
        self.seq += 1;
        Ok(())
    }
}

fn line(run_id: &str, seq: u64, event: &Event, time: Duration) -> io::Result<Vec<u8>> {
    let time = time.as_secs_f64();
    let line = Line { run_id, seq, schema_version: SCHEMA_VERSION, time, event };
    let mut text = serde_json::to_vec(&line)?;
    text.push(b'\n');
    Ok(text)
}

/// Writes bytes; gives how many of them got there, and why not all.
fn write_to(file: &mut impl Write, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match file.write(rest) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(more) => written += more.min(rest.len()),
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return (written, Err(cause)),
        }
    }
    (written, Ok(()))
}

/// Opens a file to go on with it, and mends its end; how long it is, and whether nobody else has it.
fn open_file(path: &Path) -> io::Result<(File, u64, bool)> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let (file, alone) = opened(path)?;
    // What a living process writes is neither torn nor cut short.
    if alone {
        cut_short::mend_end(path)?;
    }
    let bytes = file.metadata()?.len();
    Ok((file, bytes, alone))
}

/// Opens a file and takes the kernel's lock on it, which it gives back when the file is closed or
/// its process dies; and says whether nobody else has it. Where there are no locks, nobody has one.
fn opened(path: &Path) -> io::Result<(File, bool)> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let alone = !matches!(file.try_lock(), Err(TryLockError::WouldBlock));
    Ok((file, alone))
}

#[cfg(test)]
mod tests;
