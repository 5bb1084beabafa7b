use std::os::unix::fs::symlink;

use serde_json::Value;
use sn1_actors::domain::{ConversationId, Turn};

use super::*;

/// A journal on a disk that is full: its name leads to one.
struct FullDisk {
    folder: tempfile::TempDir,
    writer: Writer,
}

impl FullDisk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        symlink("/dev/full", &path).unwrap();
        let writer = Writer::open(&path, "test".into(), 1 << 20, Duration::from_secs(100));
        Self { writer: writer.unwrap(), folder }
    }

    /// Takes so many events at that second; each reaches the disk, or does not.
    fn take(&mut self, second: u64, events: u64) {
        self.writer.now = Duration::from_secs(second);
        for _ in 0..events {
            self.writer.take(&event());
            self.writer.settle();
        }
    }

    /// From now on there is room.
    fn make_room(&self) {
        std::fs::remove_file(&self.writer.path).unwrap();
    }

    /// From now on there is none.
    fn fill(&mut self) {
        std::fs::rename(&self.writer.path, self.folder.path().join("before.jsonl")).unwrap();
        symlink("/dev/full", &self.writer.path).unwrap();
        self.writer.file = Some(opened(&self.writer.path).unwrap().0);
    }

    /// The events of a file, with their numbers and how many they say are missing.
    fn lines(&self, name: &str) -> Vec<(u64, String, Option<u64>)> {
        let text = std::fs::read_to_string(self.folder.path().join(name)).unwrap();
        let line = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            let event = line["event"].as_str().unwrap().to_owned();
            (line["seq"].as_u64().unwrap(), event, line["missing"].as_u64())
        };
        text.lines().map(line).collect()
    }
}

fn event() -> Event {
    Event::SourceBack { source: "test".into(), kind: None }
}

fn missing(seq: u64, events: u64) -> (u64, String, Option<u64>) {
    (seq, "events_missing".into(), Some(events))
}

fn written(seq: u64) -> (u64, String, Option<u64>) {
    (seq, "source_back".into(), None)
}

#[test]
fn what_no_disk_took_is_counted_and_told_of_in_the_first_line_that_one_takes() {
    let mut disk = FullDisk::new();
    disk.take(100, 3);
    assert_eq!(disk.writer.unwritten.events, 3);
    let error = disk.writer.unwritten.error.clone().unwrap().to_string();
    assert!(error.contains("No space left on device"), "{error}");
    disk.make_room();
    // It is tried again after a while, and not with each event.
    disk.take(109, 2);
    assert!(disk.writer.unwritten.error.is_some() && !disk.writer.path.exists());
    disk.take(110, 2);
    let told = [missing(5, 5), written(6), written(7)];
    assert_eq!(disk.lines("journal.jsonl"), told);
    assert_eq!(disk.writer.unwritten, Unwritten { events: 5, error: None });

    disk.fill();
    disk.take(111, 1);
    disk.make_room();
    disk.take(122, 1);
    assert_eq!(disk.lines("before.jsonl"), told);
    assert_eq!(disk.lines("journal.jsonl"), [missing(9, 1), written(10)]);
    assert_eq!(disk.writer.unwritten.events, 6);
}

#[test]
fn what_nobody_kept_while_a_disk_hung_is_told_of_at_once() {
    let mut disk = FullDisk::new();
    disk.make_room();
    disk.writer.reopen().unwrap();
    disk.take(100, 1);
    disk.writer.dropped().store(5, Ordering::Relaxed);
    disk.take(100, 2);
    assert_eq!(disk.lines("journal.jsonl"), [written(0), missing(6, 5), written(7), written(8)]);
    assert_eq!(disk.writer.unwritten, Unwritten { events: 5, error: None });
    // On a full one they are among those that it did not take.
    disk.fill();
    disk.take(101, 1);
    disk.writer.dropped().store(3, Ordering::Relaxed);
    disk.take(101, 1);
    assert_eq!(disk.writer.unwritten.events, 10);
}

#[test]
fn the_last_line_of_a_run_is_tried_at_once() {
    let mut disk = FullDisk::new();
    disk.take(100, 1);
    disk.make_room();
    disk.writer.take(&Event::RunFinished { steps: 1 });
    disk.writer.settle();
    assert_eq!(disk.lines("journal.jsonl"), [missing(1, 1), (2, "run_finished".into(), None)]);
}

#[test]
fn a_clock_that_steps_back_neither_hurries_nor_ends_the_tries() {
    let mut disk = FullDisk::new();
    disk.take(5_000, 1);
    disk.make_room();
    disk.take(1_000, 1);
    assert_eq!(disk.lines("journal.jsonl"), [missing(1, 1), written(2)]);
}

#[test]
fn lines_that_piled_up_are_all_counted_when_they_cannot_be_written() {
    let mut disk = FullDisk::new();
    for _ in 0..4 {
        disk.writer.take(&event());
    }
    disk.writer.settle();
    assert_eq!(disk.writer.unwritten.events, 4);
    disk.make_room();
    assert!(disk.writer.try_again());
    assert_eq!(disk.lines("journal.jsonl"), [missing(4, 4)]);
}

#[test]
fn a_line_that_a_disk_took_half_of_is_taken_off_when_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let mut disk = FullDisk {
        writer: Writer::open(&path, "test".into(), 1 << 20, Duration::ZERO).unwrap(),
        folder,
    };
    disk.take(1, 1);
    // As a full disk leaves it: one line whole, and of the next one a part.
    let half = line("test", 1, &event(), Duration::ZERO).unwrap();
    let file = disk.writer.file.as_mut().unwrap();
    file.write_all(&half[..half.len() / 2]).unwrap();
    disk.writer.seq = 2;
    disk.writer.fall_behind(&io::ErrorKind::StorageFull.into(), 1);
    disk.take(20, 1);
    assert_eq!(disk.lines("journal.jsonl"), [written(0), missing(2, 1), written(3)]);
}

#[test]
fn a_run_begins_although_what_the_last_one_left_cannot_be_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let (conversation, challenge, uids) = (ConversationId(1), String::new(), Vec::new());
    let begun = Event::Challenged { conversation, turn: Turn(0), challenge, uids, organic: false };
    std::fs::write(&path, line("killed", 0, &begun, Duration::ZERO).unwrap()).unwrap();
    // The file is full, and cannot be moved aside: a folder is in the way.
    std::fs::write(numbered(&path, KEPT - 1), "").unwrap();
    std::fs::create_dir(numbered(&path, KEPT)).unwrap();
    let writer = Writer::open(&path, "test".into(), 10, Duration::from_secs(100));
    let mut disk = FullDisk { writer: writer.unwrap(), folder };
    assert_eq!(disk.writer.unwritten, Unwritten::default());
    disk.take(100, 1);
    assert_eq!(disk.writer.unwritten.events, 1);
    std::fs::remove_dir(numbered(&path, KEPT)).unwrap();
    disk.take(110, 1);
    assert_eq!(disk.lines("journal.jsonl.2"), [(0, "challenged".into(), None)]);
    assert_eq!(disk.lines("journal.jsonl.1"), [missing(1, 1)]);
    assert_eq!(disk.lines("journal.jsonl"), [written(2)]);
}

#[test]
fn a_rotation_that_broke_off_is_taken_up_again() {
    let mut disk = FullDisk::new();
    disk.make_room();
    assert!(disk.writer.file.is_some());
    disk.writer.max_bytes = 10;
    disk.writer.bytes = 5;
    // The file was moved aside, and the new one could not be made: there is none of that name.
    disk.take(100, 1);
    assert_eq!(disk.lines("journal.jsonl"), [written(0)]);
}

/// Takes so many bytes, a few at a time, and then no more.
struct Small(usize);

impl Write for Small {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let taken = bytes.len().min(3).min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn it_is_known_how_much_a_disk_took_before_it_was_full() {
    let bytes = b"0123456789";
    for room in 0..=12 {
        let (written, result) = write_to(&mut Small(room), bytes);
        assert_eq!((written, result.is_ok()), (room.min(10), room >= 10));
    }
}
