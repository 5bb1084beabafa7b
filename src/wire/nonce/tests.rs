use super::*;

const NOW: Duration = Duration::from_secs(1_795_000_000);
const NEW: u64 = 10_005_000;

fn book() -> NonceBook {
    NonceBook::new(NOW - Duration::from_secs(3600), true)
}

/// Room for two marks of each kind.
fn small_book() -> NonceBook {
    let two = NonZeroUsize::MIN.saturating_add(1);
    let limits = BookLimits { recent: two, growing: two, strangers: two };
    NonceBook::with_limits(NOW - Duration::from_secs(3600), true, limits)
}

fn claim(nonce: u64, version: u64) -> NonceClaim<'static> {
    NonceClaim {
        hotkey: "5Bob",
        uuid: "u",
        nonce,
        version: Some(version),
        timeout: Duration::from_secs(12),
        standing: Standing::Registered,
    }
}

fn ago(secs: u64) -> u64 {
    nanos(NOW - Duration::from_secs(secs))
}

fn accept(book: &mut NonceBook, claim: &NonceClaim<'_>) -> Result<(), NonceError> {
    let mark = book.check(claim, NOW)?;
    book.record(&mark, NOW);
    Ok(())
}

/// The uuid of a dendrite that was made so many seconds ago.
fn uuid_made(secs_ago: u64) -> String {
    let time = uuid_time::at(NOW - Duration::from_secs(secs_ago));
    let (low, middle, high) = (time & 0xffff_ffff, time >> 32 & 0xffff, time >> 48);
    format!("{low:08x}-{middle:04x}-1{high:03x}-9bd3-02fc00000001")
}

#[test]
fn accepts_a_first_nonce_within_the_window_and_none_beyond_it() {
    let book = book();
    assert!(book.check(&claim(ago(15), NEW), NOW).is_ok());
    let error = book.check(&claim(ago(17), NEW), NOW).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Nonce is too old: acceptable delta is 16.00 seconds but request was 17.00 seconds old"
    );
}

#[test]
fn refuses_nonces_from_the_future_but_for_a_small_difference_of_clocks() {
    let book = book();
    let ahead = |secs| nanos(NOW + Duration::from_secs(secs));
    assert!(book.check(&claim(ahead(10), NEW), NOW).is_ok());
    let error = book.check(&claim(ahead(11), NEW), NOW).unwrap_err();
    assert_eq!(error, NonceError::Ahead(Duration::from_secs(11)));
    assert!(book.check(&claim(u64::MAX, 660), NOW).is_err());
}

#[test]
fn counts_no_more_of_the_unsigned_timeout_than_two_minutes() {
    let book = book();
    let patient = |secs| NonceClaim { timeout: Duration::MAX, ..claim(ago(secs), NEW) };
    assert!(book.check(&patient(123), NOW).is_ok());
    assert!(matches!(book.check(&patient(124), NOW), Err(NonceError::Expired { .. })));
}

#[test]
fn refuses_a_nonce_that_does_not_grow() {
    let mut book = book();
    accept(&mut book, &claim(ago(1), NEW)).unwrap();
    assert_eq!(book.check(&claim(ago(1), NEW), NOW), Err(NonceError::Replayed));
    assert_eq!(book.check(&claim(ago(1) - 1, NEW), NOW), Err(NonceError::Replayed));
    assert!(book.check(&claim(ago(1) + 1, NEW), NOW).is_ok());
}

#[test]
fn refuses_wall_clock_nonces_of_before_the_start() {
    let book = NonceBook::new(NOW, true);
    assert_eq!(book.check(&claim(ago(0), NEW), NOW), Err(NonceError::Forgotten));
    assert!(book.check(&claim(ago(0) + 1, NEW), NOW).is_ok());
}

#[test]
fn keeps_callers_and_uuids_apart() {
    let mut book = book();
    accept(&mut book, &claim(ago(0), NEW)).unwrap();
    accept(&mut book, &NonceClaim { uuid: "v", ..claim(ago(1), NEW) }).unwrap();
    accept(&mut book, &NonceClaim { hotkey: "5Eve", ..claim(ago(1), NEW) }).unwrap();
}

#[test]
fn holds_old_peers_to_growth_alone() {
    let mut book = book();
    let unversioned = NonceClaim { version: None, ..claim(5_000, 0) };
    assert!(book.check(&unversioned, NOW).is_ok());
    accept(&mut book, &claim(5_000, 660)).unwrap();
    assert_eq!(book.check(&claim(5_000, 660), NOW), Err(NonceError::TooSmall));
    assert_eq!(book.check(&unversioned, NOW), Err(NonceError::TooSmall));
    accept(&mut book, &claim(5_001, 660)).unwrap();
}

#[test]
fn judges_a_nonce_by_its_size_whatever_the_unsigned_version_says() {
    let book = book();
    let error = book.check(&claim(ago(17), 660), NOW).unwrap_err();
    assert!(matches!(error, NonceError::Expired { .. }), "{error}");
    // Even where our own clock was never set.
    let error = book.check(&claim(5_000, NEW), Duration::from_secs(1)).unwrap_err();
    assert!(matches!(error, NonceError::Expired { .. }), "{error}");
}

#[test]
fn refuses_old_peers_if_it_is_told_to() {
    let book = NonceBook::new(Duration::ZERO, false);
    assert_eq!(book.check(&claim(5_000, 660), NOW), Err(NonceError::LegacyRefused));
    assert!(book.check(&claim(ago(1), NEW), NOW).is_ok());
}

#[test]
fn forgets_the_smallest_wall_clock_nonce_and_refuses_smaller_ones_from_then_on() {
    let mut book = small_book();
    let of = |uuid, secs| NonceClaim { uuid, ..claim(ago(secs), NEW) };
    for (uuid, secs) in [("a", 3), ("b", 5), ("c", 4)] {
        accept(&mut book, &of(uuid, secs)).unwrap();
    }
    assert_eq!(book.check(&of("b", 5), NOW), Err(NonceError::Forgotten));
    assert_eq!(book.check(&of("d", 6), NOW), Err(NonceError::Forgotten));
    assert_eq!(book.check(&of("a", 3), NOW), Err(NonceError::Replayed));
    assert_eq!(book.check(&of("c", 4), NOW), Err(NonceError::Replayed));
    accept(&mut book, &of("d", 2)).unwrap();
    // Another hotkey has nothing to do with it.
    accept(&mut book, &NonceClaim { hotkey: "5Eve", ..of("b", 5) }).unwrap();
}

#[test]
fn forgets_what_no_window_reaches_before_what_one_still_does() {
    let mut book = small_book();
    let eve = NonceClaim { hotkey: "5Eve", ..claim(ago(9), NEW) };
    accept(&mut book, &eve).unwrap();
    for (uuid, secs) in [("a", 8), ("b", 7)] {
        let later = NOW + Duration::from_secs(116);
        let claim = NonceClaim { uuid, timeout: LONGEST_TIMEOUT, ..claim(ago(secs), NEW) };
        let mark = book.check(&claim, later - Duration::from_secs(5)).unwrap();
        book.record(&mark, later);
    }
    let a = NonceClaim { uuid: "a", ..claim(ago(8), NEW) };
    assert_eq!(book.check(&a, NOW), Err(NonceError::Replayed));
    assert_eq!(book.check(&eve, NOW), Err(NonceError::Forgotten));
}

#[test]
fn forgets_the_dendrite_that_was_silent_longest_and_takes_only_younger_ones_then() {
    let mut book = small_book();
    let (old, middle, young) = (uuid_made(90), uuid_made(60), uuid_made(30));
    let of = |uuid, nonce| NonceClaim { uuid, ..claim(nonce, 660) };
    accept(&mut book, &of(&old, 10)).unwrap();
    accept(&mut book, &of(&middle, 10)).unwrap();
    accept(&mut book, &of(&old, 11)).unwrap();
    accept(&mut book, &of(&young, 10)).unwrap();
    // The one in use stays, though it is the oldest.
    accept(&mut book, &of(&old, 12)).unwrap();
    let forgotten = [middle.clone(), uuid_made(61), "no time".into()];
    for uuid in &forgotten {
        assert_eq!(book.check(&of(uuid, 99), NOW), Err(NonceError::UuidForgotten), "{uuid}");
    }
    let younger = uuid_made(59);
    accept(&mut book, &of(&younger, 1)).unwrap();
}

#[test]
fn refuses_an_old_peer_with_a_uuid_from_the_future() {
    let book = book();
    let uuid = "ffffffff-ffff-1fff-9bd3-02fc00000001";
    let far = NonceClaim { uuid, ..claim(10, 660) };
    assert_eq!(book.check(&far, NOW), Err(NonceError::UuidForgotten));
}

#[test]
fn lets_no_caller_push_out_another_that_has_fewer_marks() {
    let mut book = small_book();
    let bob = claim(ago(100), NEW);
    let patient = NonceClaim { timeout: LONGEST_TIMEOUT, ..bob };
    accept(&mut book, &patient).unwrap();
    for secs in 0..50 {
        let uuid = format!("{secs}");
        let eve = NonceClaim { hotkey: "5Eve", uuid: &uuid, ..claim(ago(0) + secs, NEW) };
        accept(&mut book, &eve).unwrap();
    }
    assert_eq!(book.check(&patient, NOW), Err(NonceError::Replayed));
    accept(&mut book, &NonceClaim { nonce: patient.nonce + 1, ..patient }).unwrap();
}

#[test]
fn lets_no_stranger_push_out_or_lock_out_a_registered_caller() {
    let mut book = small_book();
    accept(&mut book, &claim(ago(2), NEW)).unwrap();
    accept(&mut book, &claim(7, 660)).unwrap();
    for n in 0..50_u64 {
        let hotkey = format!("5Stranger{n}");
        let uuid = uuid_made(n);
        let stranger = |nonce| NonceClaim {
            hotkey: &hotkey,
            uuid: &uuid,
            standing: Standing::Stranger,
            ..claim(nonce, 660)
        };
        let ahead = nanos(NOW + Duration::from_secs(9)) + n;
        accept(&mut book, &stranger(ahead)).unwrap();
        let _ = accept(&mut book, &stranger(n + 1));
    }
    assert_eq!(book.check(&claim(ago(2), NEW), NOW), Err(NonceError::Replayed));
    assert_eq!(book.check(&claim(7, 660), NOW), Err(NonceError::TooSmall));
    accept(&mut book, &claim(ago(1), NEW)).unwrap();
    accept(&mut book, &claim(8, 660)).unwrap();
    accept(&mut book, &NonceClaim { hotkey: "5Carol", ..claim(ago(1), NEW) }).unwrap();
    accept(&mut book, &NonceClaim { hotkey: "5Carol", ..claim(8, 660) }).unwrap();
}

#[test]
fn keeps_the_marks_of_a_caller_that_registers_or_is_replaced() {
    for (first, then) in
        [(Standing::Stranger, Standing::Registered), (Standing::Registered, Standing::Stranger)]
    {
        let mut book = book();
        for nonce in [ago(1), 7] {
            let before = NonceClaim { standing: first, ..claim(nonce, 660) };
            let after = NonceClaim { standing: then, ..before };
            accept(&mut book, &NonceClaim { uuid: "v", ..before }).unwrap();
            accept(&mut book, &before).unwrap();
            assert!(book.check(&after, NOW).is_err());
            accept(&mut book, &NonceClaim { nonce: nonce + 1, ..after }).unwrap();
            assert!(book.check(&NonceClaim { nonce: nonce + 1, ..before }, NOW).is_err());
            assert!(book.check(&NonceClaim { uuid: "v", ..after }, NOW).is_err());
        }
    }
}

#[test]
fn refuses_from_a_stranger_what_it_may_have_sent_while_it_was_registered() {
    for (nonce, error) in [(ago(3), NonceError::Forgotten), (7, NonceError::UuidForgotten)] {
        let mut book = small_book();
        let uuids = [uuid_made(90), uuid_made(60), uuid_made(30), uuid_made(20)];
        let first = NonceClaim { uuid: &uuids[0], ..claim(nonce, 660) };
        accept(&mut book, &first).unwrap();
        // Two others come, so that nothing of it is left.
        for (hotkey, uuid) in [("5Carol", &uuids[1]), ("5Dave", &uuids[2])] {
            accept(&mut book, &NonceClaim { hotkey, uuid, ..claim(nonce + 1, 660) }).unwrap();
        }
        let replay = NonceClaim { standing: Standing::Stranger, ..first };
        assert_eq!(book.check(&replay, NOW), Err(error));
        // Nor once it has sent another.
        let fresh = NonceClaim { uuid: &uuids[3], nonce: nonce + 2, ..replay };
        accept(&mut book, &fresh).unwrap();
        assert_eq!(book.check(&replay, NOW), Err(error));
    }
}

#[test]
fn survives_extreme_numbers() {
    let mut book = book();
    let far = NonceClaim { timeout: Duration::MAX, ..claim(u64::MAX, u64::MAX) };
    for now in [Duration::ZERO, NOW, Duration::MAX] {
        assert!(book.check(&far, now).is_err());
        assert!(book.check(&claim(0, 660), now).is_ok() || now == Duration::MAX);
        book.record(&book.check(&claim(0, 660), NOW).unwrap(), now);
        book = NonceBook::new(now, true);
        book.distrust(now);
        let _ = book.lines(now);
        book = self::book();
    }
}
