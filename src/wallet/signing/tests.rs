use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use tempfile::TempDir;

use super::super::testkit::{BOB, COLD, HOT, PASSWORD, fixture, secret_file, wallet};
use super::*;
use crate::config::settings::Wallet;
use crate::wallet::DecryptError;

/// A hotkey file with that content, in a wallet `w` with the hotkey `h`.
fn with_hotkey(content: &[u8]) -> TempDir {
    let root = TempDir::new().unwrap();
    secret_file(&root, "w/hotkeys/h", content);
    root
}

fn opened(root: &TempDir) -> Result<Keypair, WalletError> {
    opened_by(&wallet(root, "w", "h"))
}

fn opened_by(settings: &Wallet) -> Result<Keypair, WalletError> {
    let folder = WalletFolder::new(settings)?;
    let passwords = Passwords::with_file(settings.password_file.as_deref());
    open(&folder, KeyKind::Hotkey, &passwords)
}

/// Opens an encrypted file with a password.
fn decrypted(content: &[u8], password: &str) -> Result<String, WalletError> {
    let root = with_hotkey(content);
    let file = secret_file(&root, "password", password.as_bytes());
    let settings = Wallet { password_file: Some(file), ..wallet(&root, "w", "h") };
    opened_by(&settings).map(|pair| pair.hotkey().to_string())
}

#[test]
fn opens_a_plain_hotkey_that_signs() {
    let pair = opened(&with_hotkey(&fixture("bt/uri/hotkeys/h1"))).unwrap();
    assert_eq!(pair.hotkey().to_string(), BOB);
    assert!(crate::wire::keys::verify(&pair.public(), "text", &pair.sign("text")));
}

#[test]
fn opens_a_nacl_file_of_the_python_wallet_and_no_changed_one() {
    let mut content = fixture("bt/enc_hotkey/hotkeys/h1");
    assert_eq!(decrypted(&content, PASSWORD).unwrap(), HOT);
    *content.last_mut().unwrap() ^= 1;
    let wrong = decrypted(&content, PASSWORD).unwrap_err();
    assert!(matches!(wrong, WalletError::Decrypt { cause: DecryptError::WrongPassword, .. }));
}

#[test]
fn opens_the_files_of_old_sdks() {
    assert_eq!(decrypted(&fixture("old/fernet"), PASSWORD).unwrap(), COLD);
    assert_eq!(decrypted(&fixture("old/vault"), PASSWORD).unwrap(), COLD);
    let wrong = decrypted(&fixture("old/vault"), "another password").unwrap_err();
    assert!(matches!(wrong, WalletError::Decrypt { cause: DecryptError::WrongPassword, .. }));
}

#[test]
fn an_encrypted_file_without_a_password_says_how_to_give_one() {
    let error = opened(&with_hotkey(&fixture("bt/enc_hotkey/hotkeys/h1"))).unwrap_err();
    assert!(matches!(error, WalletError::NoPassword { .. }), "{error}");
}

#[test]
fn a_file_that_others_can_read_is_refused_with_the_cure() {
    let root = with_hotkey(&fixture("bt/uri/hotkeys/h1"));
    let path = root.path().join("w/hotkeys/h");
    for mode in [0o640, 0o604, 0o644, 0o660, 0o610, 0o777] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let error = opened(&root).unwrap_err().to_string();
        assert!(error.contains(&format!("chmod 600 {}", path.display())), "{error}");
        assert!(error.contains(&format!("{mode:04o}")), "{error}");
    }
    for mode in [0o600, 0o400, 0o700] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        assert!(opened(&root).is_ok(), "{mode:o}");
    }
}

#[test]
fn a_link_counts_as_the_file_behind_it() {
    let root = TempDir::new().unwrap();
    let target = secret_file(&root, "elsewhere", &fixture("bt/uri/hotkeys/h1"));
    fs::create_dir_all(root.path().join("w/hotkeys")).unwrap();
    symlink(&target, root.path().join("w/hotkeys/h")).unwrap();
    assert!(opened(&root).is_ok());
    fs::set_permissions(&target, Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(opened(&root), Err(WalletError::Mode { .. })));
}

#[test]
fn folders_devices_pipes_and_huge_files_are_refused_at_once() {
    let root = TempDir::new().unwrap();
    fs::create_dir_all(root.path().join("w/hotkeys/h")).unwrap();
    assert!(matches!(opened(&root), Err(WalletError::NoFile { .. })));
    for special in ["/dev/zero", "/dev/stdin"] {
        let root = TempDir::new().unwrap();
        fs::create_dir_all(root.path().join("w/hotkeys")).unwrap();
        symlink(special, root.path().join("w/hotkeys/h")).unwrap();
        assert!(opened(&root).is_err(), "{special}");
    }
    let huge = with_hotkey(&vec![b' '; 70_000]);
    assert!(matches!(opened(&huge), Err(WalletError::TooLarge { .. })));
}

#[test]
fn an_address_alone_cannot_sign() {
    let error = opened(&with_hotkey(&fixture("bt/uri/hotkeys/h1pub.txt"))).unwrap_err();
    assert!(matches!(error, WalletError::PublicOnly { .. }), "{error}");
}

#[test]
fn a_missing_key_names_the_file_and_the_command_that_makes_it() {
    let root = TempDir::new().unwrap();
    let error = opened(&root).unwrap_err().to_string();
    let path = root.path().join("w/hotkeys/h");
    assert!(error.contains(path.to_str().unwrap()), "{error}");
    assert!(error.contains("`sn1 wallet new --wallet.path"), "{error}");
    secret_file(&root, "w/coldkeypub.txt", b"");
    let error = opened(&root).unwrap_err().to_string();
    assert!(error.contains("`sn1 wallet new_hotkey --wallet.path"), "{error}");
}
