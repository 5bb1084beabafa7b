//! Where a wallet's files lie: the layout of `btcli`.

use std::fmt;
use std::path::{Path, PathBuf};

use super::error::WalletError;
use crate::config::is_file_name;
use crate::config::settings::Wallet;

const PUBLIC: &str = "pub.txt";

/// Which of a wallet's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Owns the stake; a neuron never opens it.
    Coldkey,
    /// Signs for a neuron.
    Hotkey,
}

impl KeyKind {
    /// Both.
    pub const ALL: &[Self] = &[Self::Coldkey, Self::Hotkey];

    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Coldkey => "coldkey",
            Self::Hotkey => "hotkey",
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A wallet and one of its hotkeys: only names, whether they exist or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletFolder {
    root: PathBuf,
    name: String,
    hotkey: String,
}

impl WalletFolder {
    /// The wallet that the settings name.
    ///
    /// # Errors
    /// [`WalletError::Name`] when a name would lead to another folder.
    pub fn new(wallet: &Wallet) -> Result<Self, WalletError> {
        let checked = |key, name: &str| {
            if is_name(name) {
                return Ok(name.to_owned());
            }
            Err(WalletError::Name { key, name: name.chars().take(60).collect() })
        };
        Ok(Self {
            root: wallet.path.clone(),
            name: checked("wallet.name", &wallet.name)?,
            hotkey: checked("wallet.hotkey", &wallet.hotkey)?,
        })
    }

    /// `wallet.path`.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `wallet.name`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `wallet.hotkey`.
    #[must_use]
    pub fn hotkey_name(&self) -> &str {
        &self.hotkey
    }

    /// The folder of this wallet.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.root.join(&self.name)
    }

    /// The file with the secret of a key.
    #[must_use]
    pub fn secret_file(&self, kind: KeyKind) -> PathBuf {
        match kind {
            KeyKind::Coldkey => self.folder().join("coldkey"),
            KeyKind::Hotkey => self.folder().join("hotkeys").join(&self.hotkey),
        }
    }

    /// The file with the address of a key. Older wallets have none for their hotkeys.
    #[must_use]
    pub fn public_file(&self, kind: KeyKind) -> PathBuf {
        match kind {
            KeyKind::Coldkey => self.folder().join(format!("coldkey{PUBLIC}")),
            KeyKind::Hotkey => {
                self.folder().join("hotkeys").join(format!("{}{PUBLIC}", self.hotkey))
            }
        }
    }

    /// Another wallet of the same folder.
    pub(super) fn with_name(&self, name: String) -> Self {
        Self { name, ..self.clone() }
    }

    /// The same wallet with another hotkey.
    pub(super) fn with_hotkey(&self, hotkey: String) -> Self {
        Self { hotkey, ..self.clone() }
    }

    /// The error that a key is not there, with the command that makes it.
    #[must_use]
    pub fn missing(&self, kind: KeyKind) -> WalletError {
        // A new wallet gets both keys; one that is there lacks only this.
        let verb = if self.folder().exists() { format!("new_{kind}") } else { "new".to_owned() };
        let (root, name, hotkey) = (self.root.display(), &self.name, &self.hotkey);
        let cure = format!(
            "sn1 wallet {verb} --wallet.path {root} --wallet.name {name} --wallet.hotkey {hotkey}"
        );
        WalletError::Missing { kind, path: self.secret_file(kind), cure }
    }
}

/// Whether a name is one file's, and no public file's, so that no two keys share a file.
pub(super) fn is_name(name: &str) -> bool {
    is_file_name(name) && !name.ends_with(PUBLIC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str, hotkey: &str) -> Result<WalletFolder, WalletError> {
        let (name, hotkey, path) = (name.to_owned(), hotkey.to_owned(), PathBuf::from("/w/"));
        WalletFolder::new(&Wallet { name, hotkey, path, password_file: None })
    }

    #[test]
    fn lays_files_out_as_btcli_does() {
        let wallet = folder("cold", "hot").unwrap();
        let path = |path: PathBuf| path.to_str().unwrap().to_owned();
        assert_eq!(path(wallet.secret_file(KeyKind::Coldkey)), "/w/cold/coldkey");
        assert_eq!(path(wallet.public_file(KeyKind::Coldkey)), "/w/cold/coldkeypub.txt");
        assert_eq!(path(wallet.secret_file(KeyKind::Hotkey)), "/w/cold/hotkeys/hot");
        assert_eq!(path(wallet.public_file(KeyKind::Hotkey)), "/w/cold/hotkeys/hotpub.txt");
    }

    #[test]
    fn refuses_names_that_lead_elsewhere() {
        for name in ["", ".", "..", "../x", "a/b", "/etc", ".hidden", "a\0b", "a\nb", "xpub.txt"] {
            assert!(matches!(folder(name, "hot"), Err(WalletError::Name { .. })), "{name:?}");
            assert!(matches!(folder("cold", name), Err(WalletError::Name { .. })), "{name:?}");
        }
        assert!(folder(&"x".repeat(5000), "hot").is_err());
        assert!(folder("my wallet-1_é", "hot.2").is_ok());
    }
}
