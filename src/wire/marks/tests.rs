use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;
use sn1_actors::ports::Standing;

use super::*;
use crate::wire::nonce::{BookLimits, NonceClaim, NonceError};

/// Eight seconds before [`YOUNG_UUID`] was made.
const NOW: Duration = Duration::from_secs(1_795_378_990);
const YOUNG_UUID: &str = "8dc48154-e6b2-11f1-9bd3-02fc00000001";
const OLD_UUID: &str = "8dc48154-e6b2-11f0-9bd3-02fc00000001";

/// An axon's memory and its file, which can be started again.
struct Axon {
    folder: tempfile::TempDir,
    limits: BookLimits,
    book: NonceBook,
    marks: MarksFile,
}

impl Axon {
    fn with_limits(limits: BookLimits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (book, marks) = start(&folder.path().join("state/nonces.jsonl"), limits, NOW);
        Self { folder, limits, book, marks }
    }

    fn new() -> Self {
        Self::with_limits(BookLimits::default())
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("state/nonces.jsonl")
    }

    fn restart(&mut self, now: Duration) {
        (self.book, self.marks) = start(&self.path(), self.limits, now);
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

fn start(path: &Path, limits: BookLimits, now: Duration) -> (NonceBook, MarksFile) {
    let mut book = NonceBook::with_limits(now, true, limits);
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
        for uuid in ["u", OLD_UUID] {
            let error = axon.accept(&claim(uuid, 99), NOW).unwrap_err();
            assert_eq!(error, NonceError::UuidForgotten);
        }
    }
    assert!(axon.path().with_extension("damaged").exists());
    // Whoever starts a new dendrite is served again.
    axon.accept(&claim(YOUNG_UUID, 1), NOW).unwrap();
    let recent = NOW + Duration::from_secs(11);
    axon.accept(&claim("u", recent.as_nanos() as u64), recent).unwrap();
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

#[derive(Clone, Debug)]
enum Step {
    /// Caller, uuid, and a nonce: an age in tenths of a second or a growing one.
    Send(usize, usize, i64, bool),
    Replay(usize),
    /// Time passes, or stands still.
    Wait(u64),
    Restart,
    /// A crash in the middle of a write.
    Tear(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..6_usize, 0..5_usize, -100..200_i64, any::<bool>())
            .prop_map(|(caller, uuid, nonce, grows)| Step::Send(caller, uuid, nonce, grows)),
        6 => any::<usize>().prop_map(Step::Replay),
        2 => (0..20_u64).prop_map(Step::Wait),
        1 => Just(Step::Restart),
        1 => (0..60_usize).prop_map(Step::Tear),
    ]
}

const CALLERS: [(&str, Standing); 6] = [
    ("5Bob", Standing::Registered),
    ("5Carol", Standing::Registered),
    ("5Dave", Standing::Registered),
    ("5Eve", Standing::Stranger),
    ("5Ferdie", Standing::Stranger),
    ("5George", Standing::Stranger),
];
const UUIDS: [&str; 5] = ["u", "v", OLD_UUID, YOUNG_UUID, "8dc48154-e6b2-11ef-9bd3-02fc00000001"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn accepts_no_request_twice_whatever_is_forgotten_and_however_often_it_starts(
        steps in proptest::collection::vec(step(), 1..120),
        recent in 1..4_usize,
        growing in 1..4_usize,
        strangers in 1..4_usize,
    ) {
        let room = |marks| NonZeroUsize::new(marks).unwrap();
        let (recent, growing, strangers) = (room(recent), room(growing), room(strangers));
        let mut axon = Axon::with_limits(BookLimits { recent, growing, strangers });
        let mut now = NOW;
        let mut accepted = HashSet::new();
        let mut sent: Vec<(usize, usize, u64)> = Vec::new();
        for step in steps {
            let request = match step {
                Step::Send(caller, uuid, nonce, true) => (caller, uuid, nonce.unsigned_abs()),
                Step::Send(caller, uuid, tenths, false) => {
                    let nanos = i64::try_from(now.as_nanos()).unwrap() - tenths * 100_000_000;
                    (caller, uuid, nanos.unsigned_abs())
                }
                Step::Replay(_) if sent.is_empty() => continue,
                Step::Replay(which) => sent[which % sent.len()],
                Step::Wait(tenths) => {
                    now += Duration::from_millis(tenths * 100);
                    continue;
                }
                Step::Restart => {
                    axon.restart(now);
                    continue;
                }
                Step::Tear(bytes) => {
                    let line = br#"{"mark":{"hotkey":"5Bob","uuid":"u","nonce":9999,"standing":"#;
                    let mut file = OpenOptions::new().append(true).open(axon.path()).unwrap();
                    file.write_all(&line[..bytes]).unwrap();
                    axon.restart(now);
                    continue;
                }
            };
            let (hotkey, standing) = CALLERS[request.0];
            let claim = NonceClaim { hotkey, standing, ..claim(UUIDS[request.1], request.2) };
            sent.push(request);
            if axon.accept(&claim, now).is_ok() {
                prop_assert!(accepted.insert(request), "{request:?} was accepted twice");
            }
        }
    }
}
