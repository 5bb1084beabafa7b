//! Wallets on disk: the folders and key files of `btcli`, read and written.
//!
//! A wallet is a folder `<wallet.path>/<wallet.name>` with a coldkey, which owns the stake, and
//! hotkeys, which sign for a neuron. [`signing_key`] is what a neuron calls: it opens one hotkey
//! file and never the coldkey's. `sn1 wallet` makes, restores and shows keys.
//!
//! Key files come plain or encrypted, see [`Encryption`]; the format is that of wire.md §13. What a
//! file says about itself is not believed: all its parts have to belong to one key. Secrets are wiped
//! when dropped, have no `Display`, and show nothing in `Debug`. Deriving a key from a password takes
//! seconds and half a GiB, so opening and making keys belong on a blocking thread.
//!
//! Left out: ed25519 keys, hardware wallets, the JSON export of browser wallets, and mnemonics in
//! other languages than English.

mod create;
mod development;
mod encryption;
mod error;
mod files;
mod folder;
mod inventory;
mod keyfile;
mod password;
mod phrase;
mod secret;
mod signing;
#[cfg(test)]
mod testkit;

pub use create::{KeyDraft, KeySource, NewKey, refuse_existing};
pub use encryption::{DecryptError, Encryption};
pub use error::WalletError;
pub use folder::{KeyKind, WalletFolder};
pub use inventory::{KeyState, ListedWallet, list, state};
pub use keyfile::KeyfileFault;
pub use password::Passwords;
pub use phrase::{Phrase, PhraseError, WORD_COUNTS};
pub use secret::Secret;
pub use signing::{development_key, open, signing_key};
