//! New key files: of new words, of known words, or of a seed.

use std::path::PathBuf;

use sn1_actors::domain::Hotkey;
use zeroize::Zeroizing;

use super::encryption::{Encryption, encrypt};
use super::error::WalletError;
use super::files::{self, Draft};
use super::folder::{KeyKind, WalletFolder};
use super::keyfile;
use super::phrase::Phrase;
use super::secret::Secret;
use super::signing::announce;
use crate::wire::{Keypair, ss58};

/// What a key is made of.
#[derive(Debug)]
pub enum KeySource {
    /// A mnemonic.
    Phrase(Phrase),
    /// A mini secret of 32 bytes.
    Seed(Secret),
}

/// A key that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Which key of its wallet.
    pub kind: KeyKind,
    /// Its address.
    pub address: Hotkey,
    /// The file with its secret.
    pub path: PathBuf,
    /// Whether the file is encrypted.
    pub encrypted: bool,
}

impl KeySource {
    /// `0x` and 64 hex digits, or words.
    ///
    /// # Errors
    /// What is wrong with the text, which is not repeated.
    pub fn parse(text: &str) -> Result<Self, WalletError> {
        match text.trim().strip_prefix("0x") {
            Some(digits) => {
                let seed = hex::decode(digits).ok().filter(|seed| seed.len() == 32);
                seed.map(|seed| Self::Seed(Secret::new(seed))).ok_or(WalletError::Seed)
            }
            None => Ok(Self::Phrase(Phrase::parse(text)?)),
        }
    }

    fn seed(&self) -> Result<Zeroizing<[u8; 32]>, WalletError> {
        match self {
            Self::Phrase(phrase) => Ok(phrase.seed()),
            Self::Seed(seed) => {
                seed.expose().try_into().map(Zeroizing::new).map_err(|_| WalletError::Seed)
            }
        }
    }
}

/// Refuses a key that is there already. To be asked before a password is.
///
/// # Errors
/// [`WalletError::Exists`].
pub fn refuse_existing(folder: &WalletFolder, kind: KeyKind) -> Result<(), WalletError> {
    let path = folder.secret_file(kind);
    if files::exists(&path) { Err(WalletError::Exists { path }) } else { Ok(()) }
}

/// A key whose files are whole and on disk, but have no names yet. They are removed if it is
/// dropped.
#[derive(Debug)]
pub struct KeyDraft {
    key: NewKey,
    secret: Draft,
    /// `None` if its address is there already.
    public: Option<Draft>,
}

impl KeyDraft {
    /// Writes drafts of a new key's files: its secret, encrypted if there is a password, and its
    /// address. Takes seconds if it encrypts.
    ///
    /// # Errors
    /// [`WalletError`]: the key exists, another key's address lies in its place, or a file cannot
    /// be written. Nothing is left then.
    pub fn write(
        folder: &WalletFolder,
        kind: KeyKind,
        source: &KeySource,
        password: Option<&Secret>,
    ) -> Result<Self, WalletError> {
        refuse_existing(folder, kind)?;
        let seed = source.seed()?;
        let pair = Keypair::from_seed(&seed)?;
        let public_file = folder.public_file(kind);
        let public_is_there = files::exists(&public_file);
        if public_is_there {
            check_public(&public_file, &pair)?;
        }
        let phrase = match source {
            KeySource::Phrase(phrase) => Some(phrase),
            KeySource::Seed(_) => None,
        };
        let path = folder.secret_file(kind);
        let plain = keyfile::write(&pair, &seed, phrase);
        let secret = match password {
            Some(password) => {
                announce("encrypting", &path, Encryption::Nacl);
                Draft::write(&path, &encrypt(&plain, password)?)?
            }
            None => Draft::write(&path, plain.expose())?,
        };
        let public = if public_is_there {
            None
        } else {
            Some(Draft::write(&public_file, &keyfile::write_public(&pair.public()))?)
        };
        let key = NewKey { kind, address: pair.hotkey(), path, encrypted: password.is_some() };
        Ok(Self { key, secret, public })
    }

    /// The key that it will be.
    #[must_use]
    pub fn key(&self) -> &NewKey {
        &self.key
    }

    /// Makes it a key of its wallet. Nothing that is there is changed. New words must have been
    /// shown before: from here on there is a key that only they restore.
    ///
    /// # Errors
    /// [`WalletError`]: the key exists by now, or a file cannot be written. The key was not made,
    /// unless the error names the file of the address.
    pub fn place(self) -> Result<NewKey, WalletError> {
        self.secret.place()?;
        if let Some(public) = self.public {
            public.place()?;
        }
        Ok(self.key)
    }
}

/// An address that is there, as on a machine that had no coldkey so far, has to be of this key.
fn check_public(path: &std::path::Path, pair: &Keypair) -> Result<(), WalletError> {
    let path = path.to_owned();
    let public = keyfile::read_public(&files::read_public(&path)?);
    match public {
        Ok(public) if public == pair.public() => Ok(()),
        Ok(public) => {
            let (found, ours) = (ss58::encode(&public), pair.hotkey().to_string());
            Err(WalletError::OtherPublic { path, found, ours })
        }
        Err(fault) => Err(WalletError::Keyfile { path, fault }),
    }
}

#[cfg(test)]
mod tests;
