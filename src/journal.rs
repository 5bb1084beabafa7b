//! The journal on disk: JSON lines, every event in order, rotated by size.
//!
//! A thread of its own writes; recording never waits. Each line carries `run_id`, `seq` (without
//! gaps over all files of a run) and `schema_version`. When a file reaches its size it is renamed
//! to `NAME.1`, older ones move up, and of these four are kept. Conversations that an earlier run
//! left without an end are ended first, under its `run_id` and with its next numbers, if the disk
//! takes that.
//!
//! A disk that is full, or cannot be written any more, does not end a run: a validator that stopped
//! scoring because of its log would stop earning. What happens meanwhile is counted and not kept;
//! `seq` goes on, and the first line that can be written again is `events_missing`, which says how
//! many events are not there and why. `sn1 replay` takes what they did as the lines after them tell.
//! The price is a journal with a hole in it; nobody reads one during a run, so nothing else rests
//! on it. A disk that answers nothing at all, not even an error, still holds new conversations up,
//! since memory has an end; what happens without one, as strangers' requests do, waits up to a bound
//! and is counted beyond it. A journal is a reason for exit code 4 only if it cannot be opened at the
//! start, when a person is there, or cannot be written at the end.

mod cut_short;
mod lines;
pub mod read;
pub mod recorded;
pub mod served;
mod writer;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Serialize;
use sn1_actors::ports::{Event, Journal, JournalError, Unwritten};
use tokio::sync::watch;

use writer::{Command, Writer, Written};

/// Of the files before the current one, so many are kept.
pub(crate) const KEPT: u32 = 4;
/// The files that a journal has at most, the current one included.
pub const MOST_FILES: u64 = KEPT as u64 + 1;
/// A conversation begins only while fewer events than this wait to be written.
const BACKLOG: u64 = 4_096;
/// Events that happen while so many wait are counted and not kept.
const MOST_WAITING: u64 = 16 * BACKLOG;
/// So long a disk may take for what is to be written before something else goes on.
const PATIENCE: Duration = Duration::from_secs(10);
/// The form of the lines; it grows when a field changes its meaning.
pub const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Line<'a> {
    run_id: &'a str,
    seq: u64,
    schema_version: u32,
    /// Seconds since the Unix epoch.
    time: f64,
    #[serde(flatten)]
    event: &'a Event,
}

/// A journal file and the thread that writes it. Clones write the same file; it is closed when the
/// last one is gone.
#[derive(Clone)]
pub struct JournalFile {
    /// Before the thread, which ends only when all of these are gone.
    commands: mpsc::Sender<Command>,
    _thread: Arc<WriterThread>,
    recorded: Arc<AtomicU64>,
    /// Events that were not kept since too many waited, and that the writer does not know of yet.
    dropped: Arc<AtomicU64>,
    run_id: Arc<str>,
    place: Arc<str>,
    written: watch::Receiver<Written>,
    unix: fn() -> Duration,
}

/// Waits for the thread where it is dropped: after that the file is written and closed.
struct WriterThread(Option<JoinHandle<()>>);

impl Drop for WriterThread {
    fn drop(&mut self) {
        // One that panicked has said so.
        let _ = self.0.take().map(JoinHandle::join);
    }
}

impl JournalFile {
    /// Opens a journal, and the folders to it; an existing one is continued: the conversations that
    /// its last run left are ended as cut short, unless another process writes it now. `unix` is the
    /// time since the Unix epoch, `max_bytes` the size at which a new file begins.
    ///
    /// # Errors
    /// [`JournalError`] naming the file, if it cannot be opened or mended.
    pub fn open(
        path: &Path,
        run_id: &str,
        max_bytes: u64,
        unix: fn() -> Duration,
    ) -> Result<Self, JournalError> {
        let failure = |cause: std::io::Error| unwritable(path, &cause);
        let (commands, inbox) = mpsc::channel();
        let (progress, written) = watch::channel(Written::default());
        let writer = Writer::open(path, run_id.into(), max_bytes, unix()).map_err(failure)?;
        let dropped = writer.dropped();
        let thread = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || writer.serve(&inbox, &progress))
            .map_err(failure)?;
        let thread = Arc::new(WriterThread(Some(thread)));
        let (run_id, place) = (run_id.into(), path.display().to_string().into());
        Ok(Self {
            commands,
            _thread: thread,
            recorded: Arc::default(),
            dropped,
            run_id,
            place,
            written,
            unix,
        })
    }

    /// What names the run in each line.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// Waits until everything recorded so far is on disk, or is known not to get there.
    ///
    /// # Errors
    /// [`JournalError`] if the newest of it could not be written. Events that were lost before and
    /// are told of in the journal are no error.
    pub fn flush(&self) -> Result<(), JournalError> {
        let (done, flushed) = mpsc::channel();
        let _ = self.commands.send(Command::Flush { done, time: (self.unix)() });
        match flushed.recv_timeout(PATIENCE) {
            Ok(()) => self.written.borrow().unwritten.error.clone().map_or(Ok(()), Err),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                // Said here: whoever drops the journal waits for its thread.
                let error = self.failure("its disk does not answer");
                tracing::error!("{error}; the end waits for it");
                Err(error)
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(self.failure(WRITER_GONE)),
        }
    }

    fn failure(&self, cause: &str) -> JournalError {
        JournalError { place: self.place.to_string(), cause: cause.to_owned() }
    }
}

/// Why nothing is written any more, although the disk may be well.
const WRITER_GONE: &str = "its writer has crashed";

impl Journal for JournalFile {
    fn record(&self, event: Event) {
        let recorded = self.recorded.load(Ordering::Relaxed);
        if recorded.saturating_sub(self.written.borrow().events) >= MOST_WAITING {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.recorded.fetch_add(1, Ordering::Relaxed);
        let time = (self.unix)();
        // The writer ends only with a crash, which `ready` reports.
        let _ = self.commands.send(Command::Write { event: Box::new(event), time });
    }

    fn ready(&self) -> BoxFuture<'static, Result<(), JournalError>> {
        let mut written = self.written.clone();
        let due = self.recorded.load(Ordering::Relaxed);
        let gone = self.failure(WRITER_GONE);
        Box::pin(async move {
            let caught_up = |written: &Written| due.saturating_sub(written.events) < BACKLOG;
            written.wait_for(caught_up).await.map(drop).map_err(|_| gone)
        })
    }

    fn unwritten(&self) -> Unwritten {
        self.written.borrow().unwritten.clone()
    }
}

fn unwritable(path: &Path, cause: &std::io::Error) -> JournalError {
    JournalError { place: path.display().to_string(), cause: cause.to_string() }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;

    use serde_json::Value;
    use sn1_actors::domain::ConversationId;
    use sn1_actors::ports::Stopped;
    use sn1_actors::task_maker::tasks::TaskKind;

    use super::*;
    use crate::rotation::numbered;

    fn open(path: &Path, max_bytes: u64) -> JournalFile {
        JournalFile::open(path, "test", max_bytes, || Duration::from_secs(5)).unwrap()
    }

    fn lines(path: &Path) -> Vec<Value> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn lines_are_numbered_without_gaps_and_carry_run_and_schema() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/journal.jsonl");
        let journal = open(&path, 1 << 20);
        for steps in 0..3 {
            journal.record(Event::RunFinished { steps });
        }
        journal.flush().unwrap();
        let lines = lines(&path);
        let seqs: Vec<_> = lines.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, [0, 1, 2]);
        assert_eq!((&lines[1]["event"], &lines[1]["steps"]), (&"run_finished".into(), &1.into()));
        assert_eq!((&lines[0]["run_id"], &lines[0]["schema_version"]), (&"test".into(), &1.into()));
    }

    #[test]
    fn a_full_file_moves_aside_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let journal = open(&path, 120);
        for steps in 0..20 {
            journal.record(Event::RunFinished { steps });
        }
        journal.flush().unwrap();
        assert_eq!(lines(&path).last().unwrap()["seq"], 19);
        assert_eq!(lines(&numbered(&path, 1)).last().unwrap()["seq"], 18);
        assert!(numbered(&path, KEPT).exists() && !numbered(&path, KEPT + 1).exists());
    }

    #[test]
    fn a_file_that_somebody_took_away_is_begun_anew_when_it_is_full_and_older_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let journal = open(&path, 120);
        let record = |steps| {
            journal.record(Event::RunFinished { steps });
            journal.flush().unwrap();
        };
        (0..3).for_each(record);
        std::fs::remove_file(&path).unwrap();
        (3..5).for_each(record);
        let first = |path: &Path| lines(path)[0]["seq"].as_u64().unwrap();
        assert_eq!((first(&path), first(&numbered(&path, 1))), (4, 3));
        assert_eq!((first(&numbered(&path, 2)), first(&numbered(&path, 3))), (1, 0));
    }

    #[test]
    fn what_a_killed_run_left_is_ended_before_the_next_begins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let made = |id: u64| Event::TaskMade {
            conversation: ConversationId(id),
            task: TaskKind::named("qa").unwrap(),
            source: "test".into(),
            topic: "Tea".into(),
            query: "Why?".into(),
        };
        let killed = JournalFile::open(&path, "killed", 1 << 20, || Duration::from_secs(5));
        let killed = killed.unwrap();
        for id in 0..3 {
            killed.record(made(id));
        }
        let stopped = Stopped::Completed;
        let conversation = ConversationId(1);
        killed.record(Event::ConversationEnded { conversation, seconds: 1.0, stopped });
        killed.flush().unwrap();
        drop(killed);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"run_id\":\"killed\",\"seq\":4,\"eve").unwrap();
        // Opened twice, it is ended once.
        for next in ["next", "last"] {
            let journal = JournalFile::open(&path, next, 1 << 20, || Duration::from_secs(9));
            let journal = journal.unwrap();
            journal.record(Event::RunStarted { version: "1".into(), seed: 1 });
            journal.flush().unwrap();
        }
        let lines = lines(&path);
        let of_run = |line: &Value| {
            (line["run_id"].as_str().unwrap().to_owned(), line["seq"].as_u64().unwrap())
        };
        let told: Vec<_> = lines[4..].iter().map(of_run).collect();
        let expected = [("killed", 4), ("killed", 5), ("next", 0), ("last", 0)];
        assert_eq!(told, expected.map(|(run, seq)| (run.to_owned(), seq)));
        for (line, conversation) in lines[4..6].iter().zip([0, 2]) {
            assert_eq!(line["event"], "conversation_ended");
            assert_eq!((&line["reason"], &line["time"]), (&"cut_short".into(), &9.0.into()));
            assert_eq!(line["conversation"], conversation);
        }
    }

    #[test]
    fn a_flipped_bit_or_a_cut_anywhere_costs_the_lines_it_is_in_and_keeps_no_run_from_starting() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let journal = open(&path, 1 << 20);
        (0..3).for_each(|steps| journal.record(Event::RunFinished { steps }));
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        let flipped = (0..8 * whole.len()).step_by(27).map(|bit| {
            let mut text = whole.clone();
            text[bit / 8] ^= 1 << (bit % 8);
            text
        });
        let cut = (0..whole.len()).step_by(3).map(|at| whole[..at].to_vec());
        for damaged in flipped.chain(cut) {
            std::fs::write(&path, &damaged).unwrap();
            let journal = JournalFile::open(&path, "next", 1 << 20, || Duration::ZERO).unwrap();
            journal.record(Event::RunFinished { steps: 7 });
            journal.flush().unwrap();
            drop(journal);
            let text = std::fs::read(&path).unwrap();
            let lines: Vec<_> = text.split(|byte| *byte == b'\n').collect();
            // Whole lines of before stay as they are, and what is written now can be read.
            let stays = |line: &&[u8]| line.ends_with(b"}") && !lines.contains(line);
            let lost = damaged.split(|byte| *byte == b'\n').filter(stays).count();
            let read = serde_json::from_slice::<Value>(lines[lines.len() - 2]).unwrap();
            assert_eq!((lost, &read["run_id"], &read["steps"]), (0, &"next".into(), &7.into()));
        }
    }

    #[test]
    fn what_another_writes_is_left_alone_until_it_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let journal = open(&path, 1 << 20);
        std::fs::write(&path, "{\"run_id\":\"half a li").unwrap();
        let other = open(&path, 1 << 20);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"run_id\":\"half a li");
        drop((other, journal.clone()));
        open(&path, 1 << 20);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"run_id\":\"half a li");
        drop(journal);
        open(&path, 1 << 20);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
    }

    #[test]
    fn a_journal_that_cannot_be_opened_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = JournalFile::open(folder.path(), "test", 100, || Duration::ZERO).err().unwrap();
        assert_eq!(error.place, folder.path().display().to_string());
    }

    #[test]
    fn events_that_no_disk_answers_for_wait_up_to_a_bound_and_are_counted_beyond_it() {
        let (commands, inbox) = mpsc::channel();
        let hung = JournalFile {
            commands,
            _thread: Arc::new(WriterThread(None)),
            recorded: Arc::default(),
            dropped: Arc::default(),
            run_id: "test".into(),
            place: "hung".into(),
            written: watch::channel(Written::default()).1,
            unix: || Duration::ZERO,
        };
        for _ in 0..MOST_WAITING + 7 {
            hung.record(Event::OrganicShed);
        }
        assert_eq!(inbox.try_iter().count() as u64, MOST_WAITING);
        assert_eq!(hung.dropped.load(Ordering::Relaxed), 7);
    }

    #[test]
    fn what_was_dropped_last_is_told_of_when_the_run_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let journal = open(&path, 1 << 20);
        journal.dropped.store(3, Ordering::Relaxed);
        journal.flush().unwrap();
        assert_eq!(journal.unwritten(), Unwritten { events: 3, error: None });
        let [line] = &lines(&path)[..] else { panic!("{:?}", lines(&path)) };
        assert_eq!((&line["event"], &line["missing"]), (&"events_missing".into(), &3.into()));
    }

    #[tokio::test]
    async fn a_disk_that_takes_nothing_holds_no_conversation_up_and_is_told_of() {
        let journal = JournalFile::open(Path::new("/dev/full"), "t", 1 << 20, || Duration::ZERO);
        let journal = journal.unwrap();
        assert_eq!(journal.unwritten(), Unwritten::default());
        for steps in 0..2 * BACKLOG {
            journal.record(Event::RunFinished { steps });
        }
        assert!(journal.ready().await.is_ok());
        let error = journal.flush().unwrap_err();
        assert!(error.to_string().contains("`/dev/full` cannot be written: No space"), "{error}");
        let missing = Unwritten { events: 2 * BACKLOG, error: Some(error) };
        assert_eq!(journal.unwritten(), missing);
    }
}
