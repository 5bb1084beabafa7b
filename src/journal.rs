//! The journal on disk: JSON lines, every event in order, rotated by size.
//!
//! A thread of its own writes; recording never waits. Each line carries `run_id`, `seq` (without
//! gaps over all files of a run) and `schema_version`. When a file reaches its size it is renamed
//! to `NAME.1`, older ones move up, and of these four are kept. Conversations that an earlier run
//! left without an end are ended first, under its `run_id` and with its next numbers.

mod cut_short;
mod lines;
pub mod read;
pub mod recorded;
pub mod served;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Serialize;
use sn1_actors::ports::{Event, Journal, JournalError};
use tokio::sync::watch;

use crate::rotation::{move_aside, numbered};

/// Of the files before the current one, so many are kept.
pub(crate) const KEPT: u32 = 4;
/// The files that a journal has at most, the current one included.
pub const MOST_FILES: u64 = KEPT as u64 + 1;
/// A conversation begins only while fewer events than this wait to be written.
const BACKLOG: u64 = 4_096;
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

/// How far the writer is.
#[derive(Clone, Debug, Default)]
struct Written {
    events: u64,
    error: Option<JournalError>,
}

enum Command {
    Write { event: Box<Event>, time: Duration },
    Flush { done: mpsc::Sender<()> },
}

/// A journal file and the thread that writes it. Clones write the same file; it is closed when the
/// last one is gone.
#[derive(Clone)]
pub struct JournalFile {
    /// Before the thread, which ends only when all of these are gone.
    commands: mpsc::Sender<Command>,
    _thread: Arc<WriterThread>,
    recorded: Arc<std::sync::atomic::AtomicU64>,
    run_id: Arc<str>,
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
    /// [`JournalError`] naming the file, if it cannot be written.
    pub fn open(
        path: &Path,
        run_id: &str,
        max_bytes: u64,
        unix: fn() -> Duration,
    ) -> Result<Self, JournalError> {
        let (commands, inbox) = mpsc::channel();
        let (progress, written) = watch::channel(Written::default());
        let (mut writer, alone) = Writer::open(path, run_id.into(), max_bytes)?;
        if alone {
            writer.end_last_run(unix()).map_err(|cause| failure(path, &cause))?;
        }
        let thread = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || writer.serve(&inbox, &progress))
            .map_err(|cause| failure(path, &cause))?;
        let thread = Arc::new(WriterThread(Some(thread)));
        let run_id = run_id.into();
        Ok(Self { commands, _thread: thread, recorded: Arc::default(), run_id, written, unix })
    }

    /// What names the run in each line.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// Waits until everything recorded so far is on disk.
    ///
    /// # Errors
    /// [`JournalError`] if some of it could not be written.
    pub fn flush(&self) -> Result<(), JournalError> {
        let (done, flushed) = mpsc::channel();
        let sent = self.commands.send(Command::Flush { done }).is_ok();
        if sent {
            let _ = flushed.recv_timeout(Duration::from_secs(10));
        }
        match &self.written.borrow().error {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }
}

impl Journal for JournalFile {
    fn record(&self, event: Event) {
        self.recorded.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let time = (self.unix)();
        // The writer ends only after an error, which `ready` reports.
        let _ = self.commands.send(Command::Write { event: Box::new(event), time });
    }

    fn ready(&self) -> BoxFuture<'static, Result<(), JournalError>> {
        let mut written = self.written.clone();
        let due = self.recorded.load(std::sync::atomic::Ordering::Relaxed);
        Box::pin(async move {
            let caught_up = |written: &Written| {
                written.error.is_some() || due.saturating_sub(written.events) < BACKLOG
            };
            match written.wait_for(caught_up).await {
                Ok(written) => written.error.clone().map_or(Ok(()), Err),
                Err(_) => Ok(()),
            }
        })
    }
}

struct Writer {
    path: PathBuf,
    run_id: Arc<str>,
    max_bytes: u64,
    file: BufWriter<File>,
    bytes: u64,
    seq: u64,
}

impl Writer {
    /// Opens a journal; the other value says whether nobody else writes it.
    fn open(path: &Path, run_id: Arc<str>, max_bytes: u64) -> Result<(Self, bool), JournalError> {
        let open = || {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let file = OpenOptions::new().create(true).append(true).open(path)?;
            // What a living process writes is neither torn nor cut short.
            let alone = alone(&file);
            if alone {
                cut_short::mend_end(path)?;
            }
            let bytes = file.metadata()?.len();
            Ok((file, bytes, alone))
        };
        let (file, bytes, alone) = open().map_err(|cause| failure(path, &cause))?;
        let file = BufWriter::new(file);
        let writer = Self { path: path.to_owned(), run_id, max_bytes, file, bytes, seq: 0 };
        Ok((writer, alone))
    }

    fn serve(&mut self, inbox: &mpsc::Receiver<Command>, progress: &watch::Sender<Written>) {
        while let Ok(first) = inbox.recv() {
            let mut next = Some(first);
            // What has piled up is written together and reaches the disk together.
            while let Some(command) = next.take() {
                match command {
                    Command::Write { event, time } => {
                        let result = self.write(&event, time);
                        progress.send_modify(|written| {
                            written.events += 1;
                            if let Err(cause) = result {
                                written.error.get_or_insert(failure(&self.path, &cause));
                            }
                        });
                    }
                    Command::Flush { done } => {
                        self.settle(progress);
                        let _ = done.send(());
                    }
                }
                next = inbox.try_recv().ok();
            }
            self.settle(progress);
        }
        self.settle(progress);
    }

    fn settle(&mut self, progress: &watch::Sender<Written>) {
        if let Err(cause) = self.file.flush() {
            progress.send_modify(|written| {
                written.error.get_or_insert(failure(&self.path, &cause));
            });
        }
    }

    /// Ends what the last run left, in its name.
    fn end_last_run(&mut self, time: Duration) -> std::io::Result<()> {
        let last = cut_short::last_run(&self.path, &numbered(&self.path, 1))?;
        for (event, seq) in last.unended.iter().zip(last.seq..) {
            self.write_line(&last.run_id, seq, event, time)?;
        }
        self.file.flush()
    }

    fn write(&mut self, event: &Event, time: Duration) -> std::io::Result<()> {
        let seq = self.seq;
        self.seq += 1;
        let run_id = Arc::clone(&self.run_id);
        self.write_line(&run_id, seq, event, time)
    }

    fn write_line(
        &mut self,
        run_id: &str,
        seq: u64,
        event: &Event,
        time: Duration,
    ) -> std::io::Result<()> {
        let time = time.as_secs_f64();
        let line = Line { run_id, seq, schema_version: SCHEMA_VERSION, time, event };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        let length = text.len() as u64;
        if self.bytes > 0 && self.bytes + length > self.max_bytes {
            self.rotate()?;
        }
        self.file.write_all(&text)?;
        self.bytes += length;
        Ok(())
    }

    fn rotate(&mut self) -> std::io::Result<()> {
        self.file.flush()?;
        move_aside(&self.path, KEPT)?;
        let file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        alone(&file);
        self.file = BufWriter::new(file);
        self.bytes = 0;
        Ok(())
    }
}

/// Takes the kernel's lock on a file, which it gives back when the file is closed or its process
/// dies, and says whether nobody else has it. Where there are no locks, nobody has one.
fn alone(file: &File) -> bool {
    !matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

fn failure(path: &Path, cause: &std::io::Error) -> JournalError {
    JournalError { place: path.display().to_string(), cause: cause.to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use sn1_actors::domain::ConversationId;
    use sn1_actors::ports::Stopped;
    use sn1_actors::task_maker::tasks::TaskKind;

    use super::*;

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

    #[tokio::test]
    async fn a_journal_that_cannot_be_written_any_more_stops_new_conversations() {
        let journal = JournalFile::open(Path::new("/dev/full"), "t", 1 << 20, || Duration::ZERO);
        let journal = journal.unwrap();
        assert!(journal.ready().await.is_ok());
        journal.record(Event::RunFinished { steps: 1 });
        assert!(journal.flush().is_err());
        assert!(journal.ready().await.is_err());
    }
}
