//! What can go wrong with a wallet, each with the file and the next step.

use std::io;
use std::path::PathBuf;

use super::encryption::DecryptError;
use super::folder::KeyKind;
use super::keyfile::KeyfileFault;
use super::password::PasswordWays;
use super::phrase::PhraseError;
use crate::config::Place;
use crate::exit::{Ended, Exit};
use crate::wire::keys::KeyError;

/// Why a wallet gives no key, or takes none.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// `wallet.name` or `wallet.hotkey` is no name of a file.
    #[error("`{key}` = {name:?} is no name of a file: use letters, digits, `-` and `_`")]
    Name {
        /// The configuration key.
        key: &'static str,
        /// Its value, shortened.
        name: String,
    },
    /// The key file is not there.
    #[error("there is no {kind} at {}; make one with `{cure}`, or name the wallet with --wallet.path, --wallet.name and --wallet.hotkey", path.display())]
    Missing {
        /// Which key.
        kind: KeyKind,
        /// Where it was looked for.
        path: PathBuf,
        /// The command that makes it.
        cure: String,
    },
    /// The operating system refuses.
    #[error("cannot {what} {}: {cause}", path.display())]
    Io {
        /// What was tried: `read`, `write`, `show the new keys on`.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// A folder, a pipe or a device.
    #[error("{} is no plain file", path.display())]
    NoFile {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner may read or change a file with a secret.
    #[error("{} holds a secret, but its mode {mode:04o} lets others in; run `chmod 600 {}`", path.display(), path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Larger than any file of its kind.
    #[error("{} is larger than {limit} bytes, which no such file is", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read.
        limit: u64,
    },
    /// What the file holds is no key.
    #[error("{}: {fault}", path.display())]
    Keyfile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: KeyfileFault,
    },
    /// The file cannot be decrypted.
    #[error("{}: {cause}", path.display())]
    Decrypt {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: DecryptError,
    },
    /// A password is needed and there is none.
    #[error("{} needs a password; {ways}", path.display())]
    NoPassword {
        /// The file.
        path: PathBuf,
        /// How to give it.
        ways: PasswordWays,
    },
    /// The password is none to encrypt a new key with.
    #[error("the password {0}")]
    BadPassword(&'static str),
    /// The variable does not hold what the SDK writes there.
    #[error(
        "the variable {0} holds no password as the SDK writes it (base64 of the password XORed with the variable's name); use --wallet.password_file for a plain one"
    )]
    BadVariable(String),
    /// There is an address in the file and no secret.
    #[error("{} holds an address and no secret, so it cannot sign; restore it with `sn1 wallet regen_hotkey`", path.display())]
    PublicOnly {
        /// The file.
        path: PathBuf,
    },
    /// A key is there already. Nothing is ever overwritten.
    #[error("{} exists and is not overwritten; move it away, or choose another --wallet.name or --wallet.hotkey", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The public file beside the key is another key's.
    #[error("{} holds {found}, but this key is {ours}; move the file away, or choose another name", path.display())]
    OtherPublic {
        /// The file.
        path: PathBuf,
        /// The address in it.
        found: String,
        /// The address of the key that should be written.
        ours: String,
    },
    /// A development key on a network where keys matter.
    #[error(
        "development keys are known to everybody, so {uri} is refused for `{key}` = {value} ({place}); use a wallet, or --subtensor.network local for tries"
    )]
    DevelopmentKey {
        /// The key that was asked for, shortened.
        uri: String,
        /// The configuration key that names a public network.
        key: &'static str,
        /// Its value.
        value: String,
        /// Where that was asked for.
        place: Place,
    },
    /// The words that were given are no mnemonic.
    #[error(transparent)]
    Phrase(#[from] PhraseError),
    /// The seed that was given is none.
    #[error("a seed is 0x and 64 hex digits")]
    Seed,
    /// No key can be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// Argon2 does not get the memory that it needs.
    #[error("there is not half a GiB of memory free, which encrypting a key needs")]
    Memory,
    /// The thread that worked on the wallet is gone.
    #[error("the work on the wallet was cut off")]
    CutOff,
}

impl From<WalletError> for Ended {
    fn from(error: WalletError) -> Self {
        let exit = match &error {
            WalletError::Name { .. }
            | WalletError::NoPassword { .. }
            | WalletError::BadPassword(_)
            | WalletError::BadVariable(_)
            | WalletError::DevelopmentKey { .. }
            | WalletError::Phrase(_)
            | WalletError::Seed
            | WalletError::Key(_)
            | WalletError::Decrypt { cause: DecryptError::WrongPassword, .. } => Exit::Usage,
            WalletError::Random(_) | WalletError::Memory | WalletError::CutOff => Exit::Failed,
            WalletError::Missing { .. }
            | WalletError::Io { .. }
            | WalletError::NoFile { .. }
            | WalletError::Mode { .. }
            | WalletError::TooLarge { .. }
            | WalletError::Keyfile { .. }
            | WalletError::Decrypt { .. }
            | WalletError::PublicOnly { .. }
            | WalletError::Exists { .. }
            | WalletError::OtherPublic { .. } => Exit::File,
        };
        Self::new(exit, error)
    }
}
