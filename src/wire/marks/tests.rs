use std::os::unix::fs::PermissionsExt;

use sn1_actors::ports::Standing;

use super::*;
use crate::wire::nonce::{NonceClaim, NonceError};

/// Eight seconds before [`YOUNG_UUID`] was made.
const NOW: Duration = Duration::from_secs(1_795_378_990);
const YOUNG_UUID: &str = "8dc48154-e6b2-11f1-9bd3-02fc00000001";
/// An hour younger.
const YOUNGER_UUID: &str = "ef88e954-e6ba-11f1-9bd3-02fc00000001";
const OLD_UUID: &str = "8dc48154-e6b2-11f0-9bd3-02fc00000001";

/// An axon's memory and its file, which can be started again.
struct Axon {
    folder: tempfile::TempDir,
    book: NonceBook,
    marks: MarksFile,
}

impl Axon {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (book, marks) = start(&folder.path().join("state/nonces.jsonl"), NOW);
        Self { folder, book, marks }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("state/nonces.jsonl")
    }

    fn restart(&mut self, now: Duration) {
        (self.book, self.marks) = start(&self.path(), now);
    }

    fn accept(&mut self, claim: &NonceClaim<'_>, now: Duration) -> Result<(), NonceError> {
        let mark = self.book.check(claim, now)?;
        if mark.must_be_kept(now) {
            self.marks.append(&mark, &self.book, now).unwrap();
        }
        self.book.record(&mark, now);
        Ok(())
    }
}

fn start(path: &Path, now: Duration) -> (NonceBook, MarksFile) {
    let mut book = NonceBook::new(now, true);
    let marks = MarksFile::open(path, &mut book, now).unwrap();
    (book, marks)
}

fn claim(uuid: &str, nonce: u64) -> NonceClaim<'_> {
    NonceClaim {
        hotkey: "5Bob",
        uuid,
        nonce,
        version: None,
        timeout: Duration::from_secs(12),
        standing: Standing::Registered,
    }
}

#[test]
fn refuses_a_replay_after_a_restart_and_takes_the_next_request() {
    let mut axon = Axon::new();
    let ahead = NOW.as_nanos() as u64 + 5_000_000_000;
    for nonce in [7, ahead] {
        axon.accept(&claim("u", nonce), NOW).unwrap();
        axon.restart(NOW + Duration::from_millis(1));
        assert!(axon.accept(&claim("u", nonce), NOW).is_err());
        axon.accept(&claim("u", nonce + 1), NOW).unwrap();
        axon.restart(NOW + Duration::from_millis(2));
        assert!(axon.accept(&claim("u", nonce + 1), NOW).is_err());
    }
}

#[test]
fn keeps_no_nonce_that_the_start_of_the_next_process_refuses() {
    let mut axon = Axon::new();
    let later = NOW + Duration::from_secs(9);
    axon.accept(&claim("u", later.as_nanos() as u64), later).unwrap();
    assert_eq!(std::fs::read_to_string(axon.path()).unwrap(), "");
}

#[test]
fn lets_no_kept_mark_hide_a_later_nonce_that_was_not_kept() {
    let mut axon = Axon::new();
    let nanos = |time: Duration| time.as_nanos() as u64;
    let later = NOW + Duration::from_secs(7);
    axon.accept(&claim("u", nanos(NOW) + 1), NOW).unwrap();
    axon.accept(&claim("u", nanos(later)), later).unwrap();
    axon.restart(later);
    assert_eq!(axon.accept(&claim("u", nanos(later)), later), Err(NonceError::Forgotten));
}

#[test]
fn is_readable_by_its_owner_only_even_if_it_was_not() {
    let mut axon = Axon::new();
    std::fs::set_permissions(axon.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    axon.restart(NOW);
    let mode = std::fs::metadata(axon.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn leaves_out_a_last_line_that_was_torn() {
    let mut axon = Axon::new();
    axon.accept(&claim("u", 7), NOW).unwrap();
    let mut text = std::fs::read_to_string(axon.path()).unwrap();
    text.push_str(r#"{"mark":{"hotkey":"5Bob","uui"#);
    std::fs::write(axon.path(), text).unwrap();
    axon.restart(NOW);
    assert_eq!(axon.accept(&claim("u", 7), NOW), Err(NonceError::TooSmall));
    axon.accept(&claim("u", 8), NOW).unwrap();
    axon.restart(NOW);
    assert_eq!(axon.accept(&claim("u", 8), NOW), Err(NonceError::TooSmall));
}

#[test]
fn sets_a_damaged_file_aside_and_takes_what_could_be_a_replay_for_one() {
    let mut axon = Axon::new();
    axon.accept(&claim("u", 7), NOW).unwrap();
    axon.accept(&claim(OLD_UUID, 7), NOW).unwrap();
    let text = std::fs::read_to_string(axon.path()).unwrap();
    std::fs::write(axon.path(), text.replacen("mark", "mork", 1)).unwrap();
    for _ in 0..2 {
        axon.restart(NOW);
        // The young one could have been accepted before: a peer's clock may run ahead.
        for uuid in ["u", OLD_UUID, YOUNG_UUID] {
            let error = axon.accept(&claim(uuid, 99), NOW).unwrap_err();
            assert_eq!(error, NonceError::UuidForgotten);
        }
    }
    assert!(axon.path().with_extension("damaged").exists());
    // Whoever starts a new dendrite is served again after that hour.
    axon.accept(&claim(YOUNGER_UUID, 1), NOW + Duration::from_secs(3600)).unwrap();
    let recent = NOW + Duration::from_secs(11);
    axon.accept(&claim("u", recent.as_nanos() as u64), recent).unwrap();
}

#[test]
fn leaves_a_damaged_file_in_place_until_a_new_one_stands() {
    let mut axon = Axon::new();
    axon.accept(&claim("u", 7), NOW).unwrap();
    std::fs::write(axon.path(), "damaged\n").unwrap();
    // A folder where the new file is to be written.
    let new = axon.path().with_extension("new");
    std::fs::create_dir(&new).unwrap();
    for _ in 0..2 {
        let mut book = NonceBook::new(NOW, true);
        MarksFile::open(&axon.path(), &mut book, NOW).unwrap_err();
        assert_eq!(std::fs::read_to_string(axon.path()).unwrap(), "damaged\n");
    }
    std::fs::remove_dir(&new).unwrap();
    axon.restart(NOW);
    assert_eq!(axon.accept(&claim("u", 7), NOW), Err(NonceError::UuidForgotten));
    let aside = axon.path().with_extension("damaged");
    assert_eq!(std::fs::read_to_string(aside).unwrap(), "damaged\n");
}

#[test]
fn takes_a_file_of_another_program_for_a_damaged_one() {
    let mut axon = Axon::new();
    for bytes in [&b"\xff\xfe\n"[..], b"\n", b"{}\n", b"[]\n"] {
        std::fs::write(axon.path(), bytes).unwrap();
        axon.restart(NOW);
        assert!(axon.accept(&claim("u", 1), NOW).is_err(), "{bytes:?}");
    }
}

#[test]
fn says_what_it_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("state"), "a file").unwrap();
    let path = folder.path().join("state/nonces.jsonl");
    let mut book = NonceBook::new(NOW, true);
    let error = MarksFile::open(&path, &mut book, NOW).unwrap_err().to_string();
    assert!(error.contains("state/nonces.jsonl") && error.contains("writable"), "{error}");
}

#[test]
fn stays_short_however_many_requests_come() {
    let mut axon = Axon::new();
    for nonce in 1..=20_000 {
        axon.accept(&claim("u", nonce), NOW).unwrap();
    }
    let lines = std::fs::read_to_string(axon.path()).unwrap().lines().count();
    assert!(lines <= SLACK + 2, "{lines}");
    axon.restart(NOW);
    assert_eq!(axon.accept(&claim("u", 20_000), NOW), Err(NonceError::TooSmall));
}

#[test]
fn writes_a_whole_new_file_after_a_failed_write() {
    let mut axon = Axon::new();
    axon.accept(&claim("u", 7), NOW).unwrap();
    axon.marks.fill_disk();
    let mark = axon.book.check(&claim("u", 8), NOW).unwrap();
    assert!(axon.marks.append(&mark, &axon.book, NOW).is_err());
    axon.accept(&claim("u", 9), NOW).unwrap();
    axon.restart(NOW);
    assert_eq!(axon.accept(&claim("u", 9), NOW), Err(NonceError::TooSmall));
}
