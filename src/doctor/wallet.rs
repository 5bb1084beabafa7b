//! The wallet's files: there, readable by their owner alone, and good to sign with.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use sn1_actors::domain::Hotkey;

use super::Finding;
use crate::config::Loaded;
use crate::wallet::{
    KeyKind, KeyState, Passwords, WalletFolder, development_key, state as key_state,
};

const CHECK: &str = "wallet";
/// Lets others put files of theirs in place of the wallet's.
const WRITE: u32 = 0o022;
/// Lets others see what there is.
const READ: u32 = 0o055;

/// Looks at the files of the hotkey, and at the coldkey's mode alone. The hotkey is none where only
/// its password would tell.
pub(super) fn look(loaded: &Loaded, uri: Option<&str>) -> (Vec<Finding>, Option<Hotkey>) {
    if let Some(uri) = uri {
        return match development_key(loaded, uri) {
            Ok(key) => {
                let seen = format!("development key {uri}, {}", key.hotkey());
                (vec![Finding::ok(CHECK, seen)], Some(key.hotkey()))
            }
            Err(error) => (vec![Finding::of_error(CHECK, &error, "give another --uri")], None),
        };
    }
    let wallet = &loaded.settings.wallet;
    let folder = match WalletFolder::new(wallet) {
        Ok(folder) => folder,
        Err(error) => {
            let finding = Finding::of_error(CHECK, &error, "set wallet.name and wallet.hotkey");
            return (vec![finding], None);
        }
    };
    let state = key_state(&folder, KeyKind::Hotkey);
    if !state.present {
        let missing = folder.missing(KeyKind::Hotkey);
        return (vec![Finding::of_error(CHECK, &missing, "`sn1 wallet new` makes one")], None);
    }
    let hotkey = state.address.as_deref().and_then(|address| Hotkey::parse(address).ok());
    let mut findings = vec![of_key(&state, &Passwords::from_process(wallet))];
    let hotkeys = folder.folder().join("hotkeys");
    findings.extend([folder.folder(), hotkeys].iter().filter_map(|folder| of_folder(folder)));
    findings.extend(of_coldkey(&folder.secret_file(KeyKind::Coldkey)));
    (findings, hotkey)
}

fn of_key(state: &KeyState, passwords: &Passwords) -> Finding {
    if let Some(problem) = &state.problem {
        return Finding::of_error(CHECK, problem, "restore the key: `sn1 wallet regen hotkey`");
    }
    let path = state.path.display();
    let address = state.address.as_deref().unwrap_or("its address is not known");
    let Some(encryption) = state.encryption else {
        return Finding::ok(CHECK, format!("hotkey {address} in {path}, not encrypted"));
    };
    let cure = "set wallet.password_file to a file of mode 0600 that holds the password";
    match passwords.foreseen(&state.path) {
        Ok(true) => Finding::ok(
            CHECK,
            format!("hotkey {address} in {path} ({encryption}), with a password"),
        ),
        Ok(false) => {
            let seen = format!(
                "hotkey in {path} ({encryption}): each start asks for its password, which no \
                 supervisor can give"
            );
            Finding::warning(CHECK, seen, cure)
        }
        Err(error) => Finding::of_error(CHECK, &error, cure),
    }
}

/// Whom a folder of the wallet lets in besides its owner.
fn of_folder(folder: &Path) -> Option<Finding> {
    let mode = fs::metadata(folder).ok()?.mode() & 0o7777;
    let (shown, cure) = (folder.display(), format!("chmod 700 {}", folder.display()));
    if mode & WRITE != 0 {
        let seen = format!("others can put keys into {shown} (mode {mode:04o})");
        return Some(Finding::failing(CHECK, seen, cure));
    }
    (mode & READ != 0).then(|| {
        let seen = format!("others can see what is in {shown} (mode {mode:04o})");
        Finding::warning(CHECK, seen, cure)
    })
}

/// The mode of the coldkey's file, which is not opened.
fn of_coldkey(path: &Path) -> Option<Finding> {
    let mode = fs::metadata(path).ok()?.mode() & 0o7777;
    (mode & 0o077 != 0).then(|| {
        let seen =
            format!("{} owns the stake, and its mode {mode:04o} lets others in", path.display());
        Finding::failing(CHECK, seen, format!("chmod 600 {}", path.display()))
    })
}
