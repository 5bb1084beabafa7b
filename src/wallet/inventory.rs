//! What lies in the wallets' folder: addresses, files and whether they are encrypted; no secrets.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::encryption::Encryption;
use super::error::WalletError;
use super::files;
use super::folder::{KeyKind, WalletFolder, is_name};
use super::keyfile;
use crate::wire::ss58;

/// More files than this in one folder are no wallets.
const MOST: usize = 10_000;

/// What is known of a key without its password.
#[derive(Debug)]
pub struct KeyState {
    /// The file with the secret.
    pub path: PathBuf,
    /// Whether that file is there. A machine that only serves has no coldkey.
    pub present: bool,
    /// How it is encrypted, if it is there and can be read.
    pub encryption: Option<Encryption>,
    /// The address, from the public file, or else from a plain key file.
    pub address: Option<String>,
    /// What is wrong with the files.
    pub problem: Option<WalletError>,
}

/// The state of a key.
#[must_use]
pub fn state(folder: &WalletFolder, kind: KeyKind) -> KeyState {
    let path = folder.secret_file(kind);
    let present = files::exists(&path);
    let mut state = KeyState { path, present, encryption: None, address: None, problem: None };
    let public = folder.public_file(kind);
    if files::exists(&public) {
        let read = files::read_public(&public).and_then(|text| {
            let key = keyfile::read_public(&text);
            key.map_err(|fault| WalletError::Keyfile { path: public.clone(), fault })
        });
        state.take_address(read);
    }
    if present {
        match files::read_secret(&state.path) {
            Ok(content) => state.take_secret(content.expose(), public),
            Err(error) => state.problem = Some(error),
        }
    }
    state
}

impl KeyState {
    fn take_address(&mut self, read: Result<[u8; 32], WalletError>) {
        match read {
            Ok(public) => self.address = Some(ss58::encode(&public)),
            Err(error) => self.problem = Some(error),
        }
    }

    fn take_secret(&mut self, content: &[u8], public_file: PathBuf) {
        self.encryption = Encryption::of(content);
        if self.encryption.is_some() {
            return;
        }
        let read = keyfile::read(content).map(|key| key.public());
        let read = read.map_err(|fault| WalletError::Keyfile { path: self.path.clone(), fault });
        match (&self.address, read) {
            (Some(found), Ok(public)) if *found != ss58::encode(&public) => {
                let (found, ours) = (found.clone(), ss58::encode(&public));
                let other = WalletError::OtherPublic { path: public_file, found, ours };
                self.problem = Some(other);
            }
            (_, read) => self.take_address(read),
        }
    }
}

/// One wallet of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedWallet {
    /// Its name.
    pub name: String,
    /// The coldkey's address, where it can be told.
    pub coldkey: Option<String>,
    /// Names and addresses of the hotkeys, in the order of their names.
    pub hotkeys: Vec<(String, Option<String>)>,
}

/// Lists the wallets of the folder that `folder` lies in.
///
/// # Errors
/// [`WalletError::Io`] when the folder cannot be read. One that is not there is empty.
pub fn list(folder: &WalletFolder) -> Result<Vec<ListedWallet>, WalletError> {
    let mut wallets = Vec::new();
    for name in names(folder.root(), true)? {
        let wallet = folder.with_name(name.clone());
        let coldkey = state(&wallet, KeyKind::Coldkey).address;
        let hotkeys = names(&wallet.folder().join("hotkeys"), false)?.into_iter().map(|hotkey| {
            let address = state(&wallet.with_hotkey(hotkey.clone()), KeyKind::Hotkey).address;
            (hotkey, address)
        });
        let hotkeys: Vec<_> = hotkeys.collect();
        wallets.push(ListedWallet { name, coldkey, hotkeys });
    }
    Ok(wallets)
}

/// The names in a folder that can be wallets (folders) or keys (no folders), sorted.
fn names(folder: &Path, folders: bool) -> Result<Vec<String>, WalletError> {
    let failed = |cause| WalletError::Io { what: "read", path: folder.to_owned(), cause };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut names = Vec::new();
    for entry in entries.take(MOST) {
        let entry = entry.map_err(failed)?;
        if entry.path().is_dir() == folders
            && let Ok(name) = entry.file_name().into_string()
            && is_name(&name)
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests;
