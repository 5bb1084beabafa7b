use proptest::prelude::*;
use sn1_actors::domain::{BlockNumber, Hotkey, Netuid, Score, Uid};
use sn1_actors::ports::{
    Commitment, PendingReveal, SignedCall, WeightsCall, WeightsIntent, WeightsWay,
};
use sn1_actors::testkit::hotkey;
use tempfile::TempDir;

use super::save_plan::Step;
use super::*;

/// A book that says in every part of it which step it is of.
pub(super) fn book_of(step: u64) -> ScoreBook {
    let score = |uid: u16| (hotkey(uid), Score::new(1.0 / (step + u64::from(uid) + 1) as f64));
    let call = WeightsCall {
        netuid: Netuid(1),
        uids: vec![Uid(1), Uid(2)],
        values: vec![u16::MAX, 7],
        version_key: step,
    };
    let commitment = Commitment { salt: vec![1, 2, 3], epoch: step };
    let signed = SignedCall {
        extrinsic: format!("0x{step:016x}"),
        nonce: step,
        birth: BlockNumber(step),
        death: BlockNumber(step + 8),
        epoch_end: BlockNumber(step + 100),
    };
    let committed = BlockNumber(step);
    ScoreBook {
        steps: step,
        scores: (1..9).map(score).collect(),
        imported: false,
        weights_set: Some(BlockNumber(step)),
        reveals: vec![PendingReveal {
            call: call.clone(),
            commitment: commitment.clone(),
            committed,
        }],
        intent: Some(WeightsIntent {
            begun: BlockNumber(step),
            call,
            way: WeightsWay::Commit(commitment),
            signed: Some(signed),
        }),
    }
}

fn ledger(folder: &TempDir) -> LedgerFile {
    LedgerFile::open(folder.path().join("state/scores.json")).unwrap()
}

/// Files beside the book, by their endings.
fn endings(ledger: &LedgerFile) -> Vec<String> {
    let entries = std::fs::read_dir(ledger.path.parent().unwrap()).unwrap();
    let name = |entry: io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    let names = entries.map(|entry| name(entry).into_string().unwrap());
    let mut endings: Vec<String> =
        names.map(|name| name.trim_start_matches("scores.json").to_owned()).collect();
    endings.sort();
    endings
}

#[test]
fn who_holds_a_hotkey_is_told_to_who_only_looks() {
    let folder = tempfile::tempdir().unwrap();
    let hotkey = Hotkey::parse("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY").unwrap();
    let holder = || InstanceLock::holder_of_hotkey(folder.path(), &hotkey, Netuid(1)).unwrap();
    assert_eq!(holder(), None);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is made");
    let held = InstanceLock::of_hotkey(folder.path(), &hotkey, Netuid(1)).unwrap();
    assert_eq!(holder(), Some(format!("process {}", std::process::id())));
    drop(held);
    assert_eq!(holder(), None);
}

#[test]
fn a_book_comes_back_as_it_was_saved_and_none_is_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(&folder);
    assert_eq!(ledger.load().unwrap(), ScoreBook::default());
    let mut book = book_of(7);
    book.scores.insert(hotkey(3), Score::new(0.1 + 0.2));
    ledger.save(&book).unwrap();
    assert_eq!(ledger.load().unwrap(), book);
    let look = LedgerFile::look_at(ledger.path.clone());
    assert_eq!(look.load().unwrap(), book, "whoever looks needs no lock");
    assert!(look.save(&book).is_err());
}

/// Every point at which a save can be cut off: between two steps, and within the write after every
/// byte. A crash of the machine may lose what was not synced, which is a shorter write.
#[test]
fn a_save_that_is_cut_off_anywhere_leaves_the_old_book_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(&folder);
    let (older, old, new) = (book_of(1), book_of(2), book_of(3));
    let plan = save_plan::of(&ledger.path, seal::seal(&new).unwrap());
    let begin = || {
        ledger.save(&older).unwrap();
        ledger.save(&old).unwrap();
    };
    let mut found = Vec::new();
    for count in 0..=plan.len() {
        begin();
        plan[..count].iter().for_each(|step| step.carry_out().unwrap());
        let book = ledger.load().unwrap();
        assert!(book == old || book == new, "after {count} steps");
        found.push(book.steps);
        // And the next save goes through, whatever was left lying about.
        ledger.save(&book_of(4)).unwrap();
        assert_eq!(ledger.load().unwrap(), book_of(4));
    }
    assert_eq!(found, [2, 2, 2, 2, 2, 3, 3]);
    begin();
    let Step::Write(path, text) = &plan[1] else { panic!("the second step writes") };
    for length in 0..text.len() {
        Step::Write(path.clone(), text[..length].to_vec()).carry_out().unwrap();
        assert_eq!(ledger.load().unwrap(), old, "after {length} bytes");
    }
    ledger.save(&new).unwrap();
    assert_eq!(ledger.load().unwrap(), new);
    assert_eq!(endings(&ledger), ["", ".lock", ".previous"]);
}

#[test]
fn a_damaged_book_is_kept_aside_and_the_previous_one_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(&folder);
    for step in [1, 2] {
        ledger.save(&book_of(step)).unwrap();
    }
    std::fs::write(&ledger.path, "{\"steps\": 7, \"scores\": {").unwrap();
    let look = LedgerFile::look_at(ledger.path.clone());
    assert_eq!(look.load().unwrap(), book_of(1));
    assert_eq!(endings(&ledger), ["", ".lock", ".previous"], "whoever looks moves nothing");
    assert_eq!(ledger.load().unwrap(), book_of(1));
    assert_eq!(endings(&ledger), [".corrupt-1", ".lock", ".previous"]);
    // It is not taken for a fresh start the next time either.
    assert_eq!(ledger.load().unwrap(), book_of(1));
    ledger.save(&book_of(3)).unwrap();
    std::fs::write(&ledger.path, "").unwrap();
    assert_eq!(ledger.load().unwrap(), book_of(1));
    assert_eq!(endings(&ledger), [".corrupt-1", ".corrupt-2", ".lock", ".previous"]);
}

#[test]
fn a_damaged_book_without_a_previous_one_is_never_taken_for_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(&folder);
    ledger.save(&book_of(1)).unwrap();
    std::fs::write(&ledger.path, "nonsense\n").unwrap();
    let error = ledger.load().unwrap_err();
    assert_eq!(error.place, ledger.path.display().to_string());
    assert!(error.to_string().contains("there is no previous one"), "{error}");
    assert_eq!(endings(&ledger), ["", ".lock"]);
    std::fs::write(beside(&ledger.path, "previous"), "nonsense too").unwrap();
    let error = ledger.load().unwrap_err();
    assert!(error.to_string().contains("scores.json.previous"), "{error}");
    assert_eq!(endings(&ledger), ["", ".lock", ".previous"]);
    std::fs::remove_file(&ledger.path).unwrap();
    assert!(ledger.load().is_err(), "only the previous one is left, and damaged");
}

#[test]
fn a_newer_programs_book_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(&folder);
    for step in [1, 2] {
        ledger.save(&book_of(step)).unwrap();
    }
    let text = std::fs::read_to_string(&ledger.path).unwrap();
    std::fs::write(&ledger.path, text.replace("\"schema\":2", "\"schema\":3")).unwrap();
    let error = ledger.load().unwrap_err().to_string();
    assert!(error.contains("schema 3") && error.contains("update sn1"), "{error}");
    assert_eq!(endings(&ledger), ["", ".lock", ".previous"]);
}

#[test]
fn a_second_process_is_refused_and_told_who_the_first_is() {
    let folder = tempfile::tempdir().unwrap();
    let first = ledger(&folder);
    let error = LedgerFile::open(first.path.clone()).unwrap_err().to_string();
    let path = first.path.clone();
    let (own, book) = (std::process::id(), path.display());
    let expected = format!("process {own} has the score book {book} ({book}.lock); stop it first");
    assert_eq!(error, expected);
    drop(first);
    assert!(LedgerFile::open(path).is_ok());

    let of = |key, netuid| InstanceLock::of_hotkey(folder.path(), &hotkey(key), Netuid(netuid));
    let held = of(1, 1).unwrap();
    let error = of(1, 1).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("process {own} has hotkey {} on subnet 1", hotkey(1))),
        "{error}"
    );
    assert!(of(2, 1).is_ok() && of(1, 61).is_ok());
    drop(held);
    assert!(of(1, 1).is_ok());
}

proptest! {
    #[test]
    fn no_changed_byte_goes_unnoticed(at in any::<prop::sample::Index>(), flip in 1_u8..=255) {
        let whole = seal::seal(&book_of(5)).unwrap();
        let mut text = whole.clone();
        let at = at.index(text.len());
        text[at] ^= flip;
        // The version alone may name a newer program.
        prop_assert!(seal::unseal(&text).is_err() || seal::unseal(&text).unwrap() == book_of(5));
        prop_assert!(seal::unseal(&whole[..at]).is_err());
    }
}
