//! Whatever is sent, forgotten and started again: no request is accepted twice.

use std::collections::HashSet;
use std::num::NonZeroUsize;

use proptest::prelude::*;
use sn1_actors::ports::Standing;

use super::*;
use crate::wire::nonce::{BookLimits, NonceClaim};

const START: Duration = Duration::from_secs(1_795_378_990);

/// Some of them registered, some not.
const CALLERS: [(&str, Standing); 6] = [
    ("5Bob", Standing::Registered),
    ("5Carol", Standing::Registered),
    ("5Dave", Standing::Registered),
    ("5Eve", Standing::Stranger),
    ("5Ferdie", Standing::Stranger),
    ("5George", Standing::Stranger),
];
/// Two tell no time, three were made one after the other, the last a little after the start.
const UUIDS: [&str; 5] = [
    "u",
    "v",
    "8dc48154-e6b2-11ef-9bd3-02fc00000001",
    "8dc48154-e6b2-11f0-9bd3-02fc00000001",
    "8dc48154-e6b2-11f1-9bd3-02fc00000001",
];

/// A caller, a uuid and a nonce.
type Request = (usize, usize, u64);

#[derive(Clone, Debug)]
enum Step {
    /// A wall-clock nonce of so many tenths of a second ago.
    Send(usize, usize, i64),
    SendGrowing(usize, usize, u64),
    /// One of the requests before.
    Replay(usize),
    /// Tenths of a second pass, or none.
    Wait(u64),
    Restart,
    /// A crash so many bytes into a write.
    Tear(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..6_usize, 0..5_usize, -100..200_i64).prop_map(|(c, u, n)| Step::Send(c, u, n)),
        5 => (0..6_usize, 0..5_usize, 0..50_u64).prop_map(|(c, u, n)| Step::SendGrowing(c, u, n)),
        6 => any::<usize>().prop_map(Step::Replay),
        2 => (0..20_u64).prop_map(Step::Wait),
        1 => Just(Step::Restart),
        1 => (0..60_usize).prop_map(Step::Tear),
    ]
}

fn limits() -> impl Strategy<Value = BookLimits> {
    let room = || (1..4_usize).prop_map(|marks| NonZeroUsize::new(marks).unwrap());
    (room(), room(), room()).prop_map(|(recent, growing, strangers)| BookLimits {
        recent,
        growing,
        strangers,
    })
}

/// Where marks outlive the process.
enum Store {
    File(PathBuf, Option<MarksFile>),
    /// What a file would hold: quick, so that many cases can be tried.
    Lines(Vec<Line>),
}

impl Store {
    fn start(&mut self, limits: BookLimits, now: Duration) -> NonceBook {
        let mut book = NonceBook::with_limits(now, true, limits);
        match self {
            Self::File(path, file) => *file = Some(MarksFile::open(path, &mut book, now).unwrap()),
            Self::Lines(lines) => {
                lines.iter().for_each(|line| book.restore(line, now));
                *lines = book.lines(now);
            }
        }
        book
    }

    fn append(&mut self, mark: &Mark, book: &NonceBook, now: Duration) {
        match self {
            Self::File(_, file) => file.as_mut().unwrap().append(mark, book, now).unwrap(),
            Self::Lines(lines) => lines.push(Line::Mark(mark.clone())),
        }
    }

    fn tear(&self, bytes: usize) {
        let line = br#"{"mark":{"hotkey":"5Bob","uuid":"u","nonce":9999,"standing":"#;
        if let Self::File(path, _) = self {
            let mut file = OpenOptions::new().append(true).open(path).unwrap();
            file.write_all(&line[..bytes]).unwrap();
        }
    }
}

/// Gives the request that was accepted twice, if one was.
fn accepted_twice(steps: Vec<Step>, limits: BookLimits, mut store: Store) -> Option<Request> {
    let mut now = START;
    let mut book = store.start(limits, now);
    let mut accepted = HashSet::new();
    let mut sent: Vec<Request> = Vec::new();
    for step in steps {
        let request = match step {
            Step::Send(caller, uuid, tenths) => {
                let nanos = i64::try_from(now.as_nanos()).unwrap() - tenths * 100_000_000;
                (caller, uuid, nanos.unsigned_abs())
            }
            Step::SendGrowing(caller, uuid, nonce) => (caller, uuid, nonce),
            Step::Replay(_) if sent.is_empty() => continue,
            Step::Replay(which) => sent[which % sent.len()],
            Step::Wait(tenths) => {
                now += Duration::from_millis(tenths * 100);
                continue;
            }
            Step::Restart => {
                book = store.start(limits, now);
                continue;
            }
            Step::Tear(bytes) => {
                store.tear(bytes);
                book = store.start(limits, now);
                continue;
            }
        };
        sent.push(request);
        let ((hotkey, standing), uuid) = (CALLERS[request.0], UUIDS[request.1]);
        let timeout = Duration::from_secs(12);
        let claim = NonceClaim { hotkey, uuid, nonce: request.2, version: None, timeout, standing };
        let Ok(mark) = book.check(&claim, now) else { continue };
        if !accepted.insert(request) {
            return Some(request);
        }
        if mark.must_be_kept(now) {
            store.append(&mark, &book, now);
        }
        book.record(&mark, now);
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn accepts_no_request_twice_whatever_is_forgotten(
        steps in proptest::collection::vec(step(), 1..120),
        limits in limits(),
    ) {
        prop_assert_eq!(accepted_twice(steps, limits, Store::Lines(Vec::new())), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn accepts_no_request_twice_out_of_a_file(
        steps in proptest::collection::vec(step(), 1..120),
        limits in limits(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::File(folder.path().join("nonces.jsonl"), None);
        prop_assert_eq!(accepted_twice(steps, limits, store), None);
    }
}
