//! The key that a neuron signs with.

use std::io;
use std::path::Path;

use super::encryption::Encryption;
use super::error::WalletError;
use super::files;
use super::folder::{KeyKind, WalletFolder};
use super::keyfile::{self, KeyInFile};
use super::password::Passwords;
use crate::config::Loaded;
use crate::wire::Keypair;

pub use super::development::development_key;

/// The development key of `uri` (`--uri //Alice`), or else the hotkey of the wallet that the settings
/// name. The coldkey is never opened. A password is asked for, and the file decrypted, on a thread
/// of its own.
///
/// # Errors
/// [`WalletError`]; for a development key also that the settings name a public network.
pub async fn signing_key(loaded: &Loaded, uri: Option<&str>) -> Result<Keypair, WalletError> {
    if let Some(uri) = uri {
        return development_key(loaded, uri);
    }
    let wallet = &loaded.settings.wallet;
    let folder = WalletFolder::new(wallet)?;
    let passwords = Passwords::from_process(wallet);
    let task = tokio::task::spawn_blocking(move || open(&folder, KeyKind::Hotkey, &passwords));
    task.await.unwrap_or(Err(WalletError::CutOff))
}

/// Opens a key file. May ask for a password, and takes seconds if the file is encrypted.
///
/// # Errors
/// [`WalletError`]: the file is missing, open to others, damaged, encrypted with another password,
/// or holds no secret.
pub fn open(
    folder: &WalletFolder,
    kind: KeyKind,
    passwords: &Passwords,
) -> Result<Keypair, WalletError> {
    let path = folder.secret_file(kind);
    let content = files::read_secret(&path).map_err(|error| match error {
        WalletError::Io { cause, .. } if cause.kind() == io::ErrorKind::NotFound => {
            folder.missing(kind)
        }
        error => error,
    })?;
    let plain = match Encryption::of(content.expose()) {
        None => content,
        Some(encryption) => {
            let password = passwords.of(&path)?;
            announce("decrypting", &path, encryption);
            let plain = encryption.decrypt(content.expose(), &password);
            plain.map_err(|cause| WalletError::Decrypt { path: path.clone(), cause })?
        }
    };
    match keyfile::read(plain.expose()) {
        Ok(KeyInFile::Pair(pair)) => Ok(*pair),
        Ok(KeyInFile::Public(_)) => Err(WalletError::PublicOnly { path }),
        Err(fault) => Err(WalletError::Keyfile { path, fault }),
    }
}

/// Says why the next seconds pass without a sign of life.
pub(super) fn announce(verb: &str, path: &Path, encryption: Encryption) {
    let cost = match encryption {
        Encryption::Nacl => "half a GiB of memory and a few seconds",
        Encryption::AnsibleVault | Encryption::Fernet => "a few seconds",
    };
    tracing::info!("{verb} {} ({encryption}): takes {cost}", path.display());
}

#[cfg(test)]
mod tests;
