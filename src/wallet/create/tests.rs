use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use super::super::testkit::{COLD, HOT, PASSWORD, fixture, secret_file, wallet};
use super::*;
use crate::wallet::{Passwords, open};

const LEGAL: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";

fn folder(root: &TempDir) -> WalletFolder {
    WalletFolder::new(&wallet(root, "w", "h")).unwrap()
}

fn write(root: &TempDir, kind: KeyKind, secret: &str) -> Result<NewKey, WalletError> {
    KeyDraft::write(&folder(root), kind, &KeySource::parse(secret).unwrap(), None)?.place()
}

fn json(path: PathBuf) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn writes_what_the_python_wallet_writes_for_its_owner_alone() {
    let root = TempDir::new().unwrap();
    let key = write(&root, KeyKind::Hotkey, LEGAL).unwrap();
    assert_eq!((key.address.as_str(), key.encrypted), (HOT, false));
    let folder = folder(&root);
    for (path, sample) in [
        (folder.secret_file(KeyKind::Hotkey), "bt/plain/hotkeys/h1"),
        (folder.public_file(KeyKind::Hotkey), "bt/plain/hotkeys/h1pub.txt"),
    ] {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let expected: Value = serde_json::from_slice(&fixture(sample)).unwrap();
        assert_eq!(json(path), expected);
    }
    let mode = fs::metadata(folder.folder()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let names = fs::read_dir(folder.folder().join("hotkeys")).unwrap().count();
    assert_eq!(names, 2, "a draft was left behind");
}

#[test]
fn an_encrypted_key_is_read_back_and_holds_no_plain_text() {
    let root = TempDir::new().unwrap();
    let password = Secret::new(PASSWORD.as_bytes().to_vec());
    let source = KeySource::parse(LEGAL).unwrap();
    let draft = KeyDraft::write(&folder(&root), KeyKind::Hotkey, &source, Some(&password));
    let key = draft.unwrap().place().unwrap();
    let content = fs::read(&key.path).unwrap();
    assert!(content.starts_with(b"$NACL"));
    // The same length as the Python wallet's, so the same parts within.
    assert_eq!(content.len(), fixture("bt/enc_hotkey/hotkeys/h1").len());
    let file = secret_file(&root, "password", PASSWORD.as_bytes());
    let passwords = Passwords::with_file(Some(&file));
    let pair = open(&folder(&root), KeyKind::Hotkey, &passwords).unwrap();
    assert_eq!(pair.hotkey().as_str(), HOT);
}

#[test]
fn never_overwrites_a_key_be_it_damaged_or_a_link_to_nowhere() {
    let root = TempDir::new().unwrap();
    let path = secret_file(&root, "w/hotkeys/h", b"damaged");
    let error = write(&root, KeyKind::Hotkey, LEGAL).unwrap_err();
    assert!(matches!(error, WalletError::Exists { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"damaged");
    assert!(!folder(&root).public_file(KeyKind::Hotkey).exists());
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(root.path().join("nowhere"), &path).unwrap();
    assert!(matches!(write(&root, KeyKind::Hotkey, LEGAL), Err(WalletError::Exists { .. })));
    assert!(!root.path().join("nowhere").exists());
}

#[test]
fn an_address_of_the_same_key_stays_and_one_of_another_key_refuses() {
    let root = TempDir::new().unwrap();
    let public = secret_file(&root, "w/coldkeypub.txt", &fixture("old/coldkeypub.txt"));
    let error = write(&root, KeyKind::Coldkey, LEGAL).unwrap_err();
    assert!(matches!(error, WalletError::OtherPublic { .. }), "{error}");
    assert!(!folder(&root).secret_file(KeyKind::Coldkey).exists());
    let abandon = format!("{}about", "abandon ".repeat(11));
    assert_eq!(write(&root, KeyKind::Coldkey, &abandon).unwrap().address.as_str(), COLD);
    assert_eq!(fs::read(public).unwrap(), fixture("old/coldkeypub.txt"));
}

#[test]
fn of_writers_at_once_one_wins_and_its_files_belong_together() {
    for _ in 0..20 {
        let root = TempDir::new().unwrap();
        let results: Vec<_> = thread::scope(|scope| {
            let writer = || {
                let source = KeySource::Phrase(Phrase::generate(12).unwrap());
                KeyDraft::write(&folder(&root), KeyKind::Hotkey, &source, None)?.place()
            };
            let writers: Vec<_> = (0..8).map(|_| scope.spawn(writer)).collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        let winners: Vec<_> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
        assert_eq!(winners.len(), 1, "{results:?}");
        let lost = |result: &Result<NewKey, WalletError>| {
            matches!(
                result,
                Ok(_) | Err(WalletError::Exists { .. } | WalletError::OtherPublic { .. })
            )
        };
        assert!(results.iter().all(lost), "{results:?}");
        for path in [KeyKind::Hotkey].map(|kind| folder(&root).public_file(kind)) {
            assert_eq!(json(path)["ss58Address"], winners[0].address.as_str());
        }
        let pair = open(&folder(&root), KeyKind::Hotkey, &Passwords::default()).unwrap();
        assert_eq!(pair.hotkey(), winners[0].address);
    }
}

#[test]
fn a_draft_that_is_dropped_leaves_nothing() {
    let root = TempDir::new().unwrap();
    let source = KeySource::parse(LEGAL).unwrap();
    let draft = KeyDraft::write(&folder(&root), KeyKind::Coldkey, &source, None).unwrap();
    assert_eq!(draft.key().address.as_str(), HOT);
    assert!(!draft.key().path.exists());
    drop(draft);
    assert_eq!(fs::read_dir(folder(&root).folder()).unwrap().count(), 0);
}

#[test]
fn restores_from_a_seed_as_from_its_words() {
    let root = TempDir::new().unwrap();
    let seed = "0x6fa2796b0071cac425d8a7851038318c2c37dcebfe4bae73197ce93e75909bd2";
    assert_eq!(write(&root, KeyKind::Hotkey, seed).unwrap().address.as_str(), HOT);
    for wrong in ["0x", "0x12", "0xzz", &seed[..65], &format!("{seed}00")] {
        assert!(matches!(KeySource::parse(wrong), Err(WalletError::Seed)), "{wrong}");
    }
    let shown = format!("{:?}", KeySource::parse(seed).unwrap());
    assert!(!shown.contains("6fa2") && !shown.contains("111"), "{shown}");
}
