use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::super::testkit::{ALICE, BOB, COLD, HOT, fixture, secret_file, wallet};
use super::*;

/// The wallets of the Python wallet, with their modes.
fn samples() -> TempDir {
    let root = TempDir::new().unwrap();
    for name in [
        "sample/coldkey",
        "sample/coldkeypub.txt",
        "sample/hotkeys/default",
        "sample/hotkeys/defaultpub.txt",
        "uri/coldkey",
        "uri/coldkeypub.txt",
        "uri/hotkeys/h1",
    ] {
        secret_file(&root, name, &fixture(&format!("bt/{name}")));
    }
    root
}

fn sample(root: &TempDir, kind: KeyKind) -> KeyState {
    state(&WalletFolder::new(&wallet(root, "sample", "default")).unwrap(), kind)
}

#[test]
fn tells_addresses_and_encryption_without_a_password() {
    let root = samples();
    let cold = sample(&root, KeyKind::Coldkey);
    assert!(cold.present && cold.problem.is_none());
    assert_eq!((cold.address.as_deref(), cold.encryption), (Some(COLD), Some(Encryption::Nacl)));
    let hot = sample(&root, KeyKind::Hotkey);
    assert_eq!((hot.address.as_deref(), hot.encryption), (Some(HOT), None));
}

#[test]
fn a_machine_without_the_coldkey_still_has_its_address() {
    let root = samples();
    fs::remove_file(root.path().join("sample/coldkey")).unwrap();
    let cold = sample(&root, KeyKind::Coldkey);
    assert!(!cold.present && cold.problem.is_none());
    assert_eq!(cold.address.as_deref(), Some(COLD));
}

#[test]
fn says_what_is_wrong_with_a_key() {
    let root = samples();
    let path = root.path().join("sample/hotkeys/default");
    secret_file(&root, "sample/hotkeys/default", &fixture("bt/uri/hotkeys/h1"));
    let mixed = sample(&root, KeyKind::Hotkey);
    assert!(matches!(mixed.problem, Some(WalletError::OtherPublic { .. })));
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let open = sample(&root, KeyKind::Hotkey);
    assert!(matches!(open.problem, Some(WalletError::Mode { .. })));
    assert_eq!(open.address.as_deref(), Some(HOT));
}

#[test]
fn lists_wallets_and_hotkeys_by_name_and_nothing_else() {
    let root = samples();
    fs::write(root.path().join("notes.txt"), "no wallet").unwrap();
    fs::write(root.path().join("sample/hotkeys/.draft.00"), "no key").unwrap();
    let folder = WalletFolder::new(&wallet(&root, "any", "any")).unwrap();
    let listed = |name: &str, coldkey: &str, hotkey: &str, address: &str| ListedWallet {
        name: name.to_owned(),
        coldkey: Some(coldkey.to_owned()),
        hotkeys: vec![(hotkey.to_owned(), Some(address.to_owned()))],
    };
    let expected = [listed("sample", COLD, "default", HOT), listed("uri", ALICE, "h1", BOB)];
    assert_eq!(list(&folder).unwrap(), expected);
}

#[test]
fn a_folder_that_is_not_there_has_no_wallets() {
    let root = TempDir::new().unwrap();
    let settings = crate::config::settings::Wallet {
        path: root.path().join("none"),
        ..wallet(&root, "any", "any")
    };
    assert_eq!(list(&WalletFolder::new(&settings).unwrap()).unwrap(), []);
}
