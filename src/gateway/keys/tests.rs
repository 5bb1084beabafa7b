use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending, ready};
use proptest::prelude::*;
use sn1_actors::domain::Moment;
use sn1_actors::runtime::{KillSwitch, Tasks};
use tempfile::TempDir;
use tokio::sync::Notify;

use super::*;

/// The 10th minute of a day in 2026.
const START: Duration = Duration::from_secs(20_600 * 86_400 + 600);
const DAY: Duration = Duration::from_secs(86_400);
const TICK: Duration = Duration::from_nanos(1);

/// Both times are set by hand. It sleeps so many times; whoever sleeps once more is told of.
struct HandClock {
    now: Mutex<Duration>,
    unix: Mutex<Duration>,
    sleeps: Mutex<u32>,
    awake: Notify,
}

impl HandClock {
    fn at(unix: Duration) -> Arc<Self> {
        let (now, sleeps) = (Mutex::new(Duration::ZERO), Mutex::new(0));
        Arc::new(Self { now, unix: Mutex::new(unix), sleeps, awake: Notify::new() })
    }

    fn pass(&self, time: Duration) {
        *self.now.lock() += time;
        *self.unix.lock() += time;
    }

    fn jump_to(&self, unix: Duration) {
        *self.unix.lock() = unix;
    }
}

impl Clock for HandClock {
    fn now(&self) -> Moment {
        Moment(*self.now.lock())
    }

    fn unix(&self) -> Duration {
        *self.unix.lock()
    }

    fn sleep(&self, delay: Duration) -> BoxFuture<'static, ()> {
        let mut sleeps = self.sleeps.lock();
        if *sleeps == 0 {
            self.awake.notify_one();
            return pending().boxed();
        }
        *sleeps -= 1;
        self.pass(delay);
        ready(()).boxed()
    }
}

/// A folder with one key, and a clock.
struct Stage {
    folder: TempDir,
    clock: Arc<HandClock>,
    key: ApiKey,
    entry: KeyEntry,
}

const FEW: KeyLimits = KeyLimits { requests_per_minute: 3, concurrent: 2, tokens_per_day: 100 };
const MANY: KeyLimits =
    KeyLimits { requests_per_minute: 100_000, concurrent: 100_000, tokens_per_day: 1 << 40 };

impl Stage {
    fn with(limits: KeyLimits) -> Self {
        let (folder, clock) = (tempfile::tempdir().unwrap(), HandClock::at(START));
        let (key, entry) = made(folder.path(), &clock, "alice", limits);
        Self { folder, clock, key, entry }
    }

    fn ring(&self) -> KeyRing {
        KeyRing::open(self.folder.path(), Arc::clone(&self.clock) as _).unwrap()
    }

    fn asks(&self, ring: &KeyRing) -> Result<Admission, KeyRefusal> {
        ring.admit(Some(self.key.expose()))
    }

    /// Whether a request is let in that is over at once.
    fn admitted(&self, ring: &KeyRing) -> bool {
        self.asks(ring).is_ok()
    }

    fn revoke(&self, which: &str) -> Result<(KeyEntry, bool), KeyEditError> {
        revoke(self.folder.path(), &*self.clock, which).now_or_never().unwrap()
    }
}

fn made(
    folder: &Path,
    clock: &Arc<HandClock>,
    name: &str,
    limits: KeyLimits,
) -> (ApiKey, KeyEntry) {
    new_key(folder, &**clock, name, limits).now_or_never().unwrap().unwrap()
}

#[test]
fn requests_of_a_minute_are_used_up_and_come_back_when_it_was_said() {
    let stage = Stage::with(FEW);
    let ring = stage.ring();
    stage.clock.pass(Duration::from_millis(12_345));
    assert!((0..3).all(|_| stage.admitted(&ring)));
    let Err(KeyRefusal::TooManyRequests { most: 3, retry_after }) = stage.asks(&ring) else {
        panic!("a fourth request is let in");
    };
    assert_eq!(retry_after, Duration::from_millis(47_655));
    stage.clock.pass(retry_after - TICK);
    assert!(!stage.admitted(&ring));
    stage.clock.pass(TICK);
    let limits = stage.asks(&ring).unwrap().limits();
    assert_eq!((limits.requests_left, limits.resets_in), (2, Duration::from_secs(60)));
}

#[test]
fn tokens_of_a_day_are_used_up_and_come_back_at_midnight() {
    let stage = Stage::with(FEW);
    let ring = stage.ring();
    let admission = stage.asks(&ring).unwrap();
    admission.spend(99);
    assert_eq!(admission.limits().tokens_left, 1);
    let other = stage.asks(&ring).unwrap();
    other.spend(u64::MAX);
    assert_eq!(other.limits().tokens_left, 0, "what is under way may go over it");
    drop((admission, other));
    let Err(KeyRefusal::TokensUsedUp { most: 100, retry_after }) = stage.asks(&ring) else {
        panic!("it is let in without tokens");
    };
    assert_eq!(retry_after, DAY - Duration::from_secs(600));
    stage.clock.pass(retry_after - TICK);
    assert!(!stage.admitted(&ring));
    stage.clock.pass(TICK);
    assert_eq!(stage.asks(&ring).unwrap().limits().tokens_left, 100);
}

#[test]
fn a_place_is_free_again_when_a_request_ends_or_panics() {
    let stage = Stage::with(KeyLimits { concurrent: 2, ..MANY });
    let ring = stage.ring();
    let (one, two) = (stage.asks(&ring).unwrap(), stage.asks(&ring).unwrap());
    let third = stage.asks(&ring).err();
    assert_eq!(third, Some(KeyRefusal::TooManyAtOnce { most: 2 }));
    assert_eq!(one.limits().requests_left, 99_998, "a refused request counts for nothing");
    drop(one);
    let fell = catch_unwind(AssertUnwindSafe(|| {
        let _admission = stage.asks(&ring).unwrap();
        panic!("on purpose");
    }));
    assert!(fell.is_err());
    let three = stage.asks(&ring).unwrap();
    assert!(stage.asks(&ring).is_err());
    drop((two, three));
    assert_eq!(ring.0.state.lock().uses[&stage.entry.id].under_way, 0);
}

#[test]
fn wrong_keys_are_refused_ten_thousand_times_and_the_right_one_still_fits() {
    let stage = Stage::with(MANY);
    let ring = stage.ring();
    assert_eq!(ring.admit(None).err(), Some(KeyRefusal::Missing));
    let right = stage.key.expose();
    let near = (0..right.len()).flat_map(|at| {
        let (before, rest) = right.split_at(at);
        let other = if rest.starts_with('z') { 'y' } else { 'z' };
        [before.to_owned(), format!("{before}{other}{}", &rest[1..])]
    });
    let far = ["", " ", "\0", "sk-sn1-", &stage.entry.shown, &stage.entry.id].map(str::to_owned);
    let long = [format!("{right} "), format!("{right}\n"), right.repeat(1_000)];
    let wrong: Vec<String> = near.chain(far).chain(long).collect();
    for presented in wrong.iter().cycle().take(10_000) {
        assert_eq!(ring.admit(Some(presented)).err(), Some(KeyRefusal::Unknown), "{presented}");
    }
    assert!(stage.admitted(&ring));
}

#[test]
fn a_running_gateway_takes_new_keys_and_refuses_revoked_ones_at_once() {
    let stage = Stage::with(MANY);
    let ring = stage.ring();
    let under_way = stage.asks(&ring).unwrap();
    let (bob, _) = made(stage.folder.path(), &stage.clock, "bob", FEW);
    assert!(ring.admit(Some(bob.expose())).is_ok());
    let (revoked, was_in_use) = stage.revoke("alice").unwrap();
    assert_eq!((revoked.id.as_str(), was_in_use), (stage.entry.id.as_str(), true));
    assert_eq!(stage.asks(&ring).err(), Some(KeyRefusal::Unknown));
    assert!(ring.admit(Some(bob.expose())).is_ok(), "the other one stays");
    under_way.spend(5);
    drop(under_way);
    assert!(!stage.revoke(&stage.entry.id).unwrap().1, "a second time changes nothing");
    assert_eq!(ring.in_use(), 1);
}

#[test]
fn a_restart_gives_nothing_back() {
    let stage = Stage::with(FEW);
    let ring = stage.ring();
    stage.asks(&ring).unwrap().spend(40);
    assert!(stage.admitted(&ring));
    drop(ring);
    let limits = stage.asks(&stage.ring()).unwrap().limits();
    assert_eq!((limits.requests_left, limits.tokens_left), (0, 60));
    assert!(!stage.admitted(&stage.ring()), "the third was kept too");
    stage.clock.pass(Duration::from_secs(60));
    let limits = stage.asks(&stage.ring()).unwrap().limits();
    assert_eq!((limits.requests_left, limits.tokens_left), (2, 60), "a later minute, one day");
    let told = used(stage.folder.path(), stage.clock.unix()).unwrap();
    let now = Used { requests_this_minute: 1, tokens_today: 40 };
    assert_eq!(told[&stage.entry.id], now);
    let told = used(stage.folder.path(), stage.clock.unix() + DAY).unwrap();
    assert_eq!(told[&stage.entry.id], Used::default());
}

#[tokio::test]
async fn a_killed_gateway_forgets_no_more_than_its_last_second() {
    let stage = Stage::with(FEW);
    let ring = stage.ring();
    stage.asks(&ring).unwrap().spend(40);
    *stage.clock.sleeps.lock() = 1;
    tokio::select! {
        () = ring.clone().keep_usage(Tasks::new(KillSwitch::default())) => panic!("it ended"),
        () = stage.clock.awake.notified() => {}
    }
    assert_eq!(stage.clock.now(), Moment(UNSAVED), "it took a second");
    // The first one goes on and has not been dropped.
    let limits = stage.asks(&stage.ring()).unwrap().limits();
    assert_eq!((limits.requests_left, limits.tokens_left), (1, 60));
}

#[test]
fn a_clock_that_was_years_ahead_locks_nobody_out_for_longer_than_a_day() {
    let stage = Stage::with(FEW);
    let ring = stage.ring();
    stage.clock.jump_to(START + 2_000 * DAY);
    stage.asks(&ring).unwrap().spend(100);
    stage.clock.jump_to(START);
    let Err(KeyRefusal::TokensUsedUp { retry_after, .. }) = stage.asks(&ring) else {
        panic!("the clock was set back, and it is let in");
    };
    assert_eq!(retry_after, DAY);
    stage.clock.pass(DAY - TICK);
    assert!(!stage.admitted(&ring));
    stage.clock.pass(TICK);
    assert!(stage.admitted(&ring));
}

proptest! {
    #[test]
    fn a_clock_that_jumps_back_and_comes_again_gives_nothing_free(
        jumps in prop::collection::vec((0_u64..40 * 86_400, 1_u64..60, any::<bool>()), 1..40),
    ) {
        let stage = Stage::with(FEW);
        let mut ring = stage.ring();
        stage.asks(&ring).unwrap().spend(60);
        let (mut spent, mut let_in) = (60, 1);
        for (back, tokens, restart) in jumps {
            // Never later than it was, and no time passes.
            stage.clock.jump_to(START - Duration::from_secs(back));
            if restart {
                drop(ring);
                ring = stage.ring();
            }
            if let Ok(admission) = stage.asks(&ring) {
                prop_assert!(spent < 100 && let_in < 3);
                admission.spend(tokens);
                spent += tokens;
                let_in += 1;
            }
        }
        stage.clock.jump_to(START);
        prop_assert_eq!(stage.admitted(&ring), spent < 100 && let_in < 3);
    }

    #[test]
    fn no_minute_has_more_requests_than_the_limit_and_a_wait_is_never_in_vain(
        pauses in prop::collection::vec(0_u64..40_000, 1..60),
    ) {
        let stage = Stage::with(FEW);
        let ring = stage.ring();
        let mut let_in = BTreeMap::<u64, u64>::new();
        for pause in pauses {
            stage.clock.pass(Duration::from_millis(pause));
            if let Err(refusal) = stage.asks(&ring).map(drop) {
                let KeyRefusal::TooManyRequests { retry_after, .. } = refusal else {
                    return Err(TestCaseError::fail(refusal.to_string()));
                };
                prop_assert!(retry_after > Duration::ZERO);
                stage.clock.pass(retry_after);
                prop_assert!(stage.admitted(&ring));
            }
            *let_in.entry(stage.clock.unix().as_secs() / 60).or_default() += 1;
        }
        prop_assert!(let_in.values().all(|requests| *requests <= 3), "{let_in:?}");
    }
}

#[test]
fn files_are_for_their_owner_and_hold_no_key() {
    let stage = Stage::with(FEW);
    let ring = stage.ring();
    assert!(stage.admitted(&ring));
    drop(ring);
    for name in ["keys.json", "usage.json"] {
        let path = stage.folder.path().join(name);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&stage.key.expose()[PREFIX.len() + 5..]), "{name}");
    }
    let left = fs::read_dir(stage.folder.path()).unwrap().count();
    assert_eq!(left, 3, "the two and the lock");
}

#[test]
fn a_damaged_file_is_an_error_that_names_it_and_never_an_empty_ring() {
    for (name, text) in [
        ("keys.json", ""),
        ("keys.json", "{\"schema\": 1, \"keys\": ["),
        ("keys.json", "{\"schema\": 2, \"keys\": []}"),
        ("keys.json", "{\"schema\": 1, \"keys\": [{\"id\": \"1\", \"hash\": \"00\"}]}"),
        ("usage.json", "nonsense"),
        ("usage.json", "{\"schema\": 1, \"keys\": {\"1\": {\"minute\": {}}}}"),
    ] {
        let stage = Stage::with(FEW);
        fs::write(stage.folder.path().join(name), text).unwrap();
        let opened = KeyRing::open(stage.folder.path(), Arc::clone(&stage.clock) as _);
        let error = opened.err().unwrap().to_string();
        assert!(error.contains(name) && error.contains("damaged"), "{error}");
        if name == "keys.json" {
            assert!(matches!(stage.revoke("alice"), Err(KeyEditError::File(_))));
            assert_eq!(fs::read_to_string(stage.folder.path().join(name)).unwrap(), text);
        }
    }
}

#[test]
fn keys_that_are_known_stay_while_their_file_is_damaged() {
    let stage = Stage::with(MANY);
    let ring = stage.ring();
    let path = keys_path(stage.folder.path());
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(stage.admitted(&ring) && stage.admitted(&ring));
    assert_eq!(ring.admit(Some("sk-sn1-other")).err(), Some(KeyRefusal::Unknown));
    fs::write(&path, whole).unwrap();
    stage.revoke("alice").unwrap();
    assert!(!stage.admitted(&ring), "a mended file is read again");
    fs::remove_file(&path).unwrap();
    assert!(!stage.admitted(&ring));
}

#[test]
fn a_file_that_could_not_be_read_for_a_moment_is_read_the_next_time() {
    let stage = Stage::with(MANY);
    let ring = stage.ring();
    stage.revoke("alice").unwrap();
    let path = keys_path(stage.folder.path());
    let stamp = Stamp::of(&path).unwrap();
    let cause = std::io::Error::other("too many open files");
    ring.0.state.lock().take_over(stamp, Err(KeyFileError::Unusable { path, cause }));
    assert!(!stage.admitted(&ring), "the key was revoked");
}

#[test]
fn no_two_keys_have_one_id() {
    let stage = Stage::with(FEW);
    let draws = std::cell::Cell::new(0);
    let draw = || {
        draws.set(draws.get() + 1);
        let mut entry = stage.entry.clone();
        if draws.get() == 3 {
            entry.id = "another".into();
        }
        Ok((ApiKey::known("sk-sn1-drawn"), entry))
    };
    let keys = [stage.entry.clone()];
    let (_, entry) = edit::with_own_id(&keys, draw).unwrap();
    assert_eq!((entry.id.as_str(), draws.get()), ("another", 3));
}

#[test]
fn names_are_told_apart() {
    let stage = Stage::with(FEW);
    let (folder, clock) = (stage.folder.path(), &*stage.clock);
    let new = |name: &str| new_key(folder, clock, name, FEW).now_or_never().unwrap().map(|_| ());
    assert!(matches!(new("alice"), Err(KeyEditError::Taken(name)) if name == "alice"));
    for name in ["", " a", "a\nb", "a\u{202e}b", &"x".repeat(65)] {
        assert!(matches!(new(name), Err(KeyEditError::Name)), "{name:?}");
    }
    stage.revoke("alice").unwrap();
    new("alice").unwrap();
    assert!(stage.revoke("alice").unwrap().1, "the one in use is meant");
    assert!(matches!(stage.revoke("alice"), Err(KeyEditError::Ambiguous(_))));
    assert!(matches!(stage.revoke("carol"), Err(KeyEditError::Unknown(_))));
    assert_eq!(list(folder).unwrap().iter().filter(|key| key.revoked.is_some()).count(), 2);
}
