//! The three ways in which key files have been encrypted, told apart by their first bytes.
//!
//! We write the newest, [`Encryption::Nacl`], and read all three.

use std::fmt;

use super::secret::Secret;

mod fernet;
mod nacl;
mod vault;

/// How a key file is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// `$NACL`: XSalsa20-Poly1305 under a key by Argon2i.
    Nacl,
    /// `$ANSIBLE_VAULT`: AES-256-CTR and HMAC under keys by PBKDF2.
    AnsibleVault,
    /// `gAAAAA`: Fernet under a key by PBKDF2; the oldest.
    Fernet,
}

/// Why a file cannot be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    /// Its authentication code is not of this password.
    #[error("the password is wrong, or the file is damaged")]
    WrongPassword,
    /// It has not the shape of its encryption, so no password can help.
    #[error("the file is damaged: {0}")]
    Damaged(&'static str),
    /// Argon2 does not get the memory that it needs.
    #[error("there is not half a GiB of memory free, which this encryption needs")]
    Memory,
}

impl Encryption {
    /// How a file is encrypted; `None` is not at all.
    #[must_use]
    pub fn of(content: &[u8]) -> Option<Self> {
        let kinds = [
            (nacl::HEAD, Self::Nacl),
            (vault::HEAD, Self::AnsibleVault),
            (fernet::HEAD, Self::Fernet),
        ];
        kinds.into_iter().find(|(head, _)| content.starts_with(head)).map(|(_, kind)| kind)
    }

    /// The plain text. Takes seconds; [`Self::Nacl`] also takes half a GiB.
    ///
    /// # Errors
    /// [`DecryptError`]. A wrong password and a changed file look the same.
    pub fn decrypt(self, content: &[u8], password: &Secret) -> Result<Secret, DecryptError> {
        match self {
            Self::Nacl => nacl::decrypt(content, password),
            Self::AnsibleVault => vault::decrypt(content, password),
            Self::Fernet => fernet::decrypt(content, password),
        }
    }
}

impl fmt::Display for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nacl => "NaCl",
            Self::AnsibleVault => "Ansible Vault",
            Self::Fernet => "Fernet",
        })
    }
}

/// The content of a key file, encrypted as the SDK does today. Takes seconds and half a GiB.
pub(super) fn encrypt(plain: &Secret, password: &Secret) -> Result<Vec<u8>, super::WalletError> {
    nacl::encrypt(plain, password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_encryptions_apart_by_the_first_bytes() {
        assert_eq!(Encryption::of(b"$NACL..."), Some(Encryption::Nacl));
        assert_eq!(Encryption::of(b"$ANSIBLE_VAULT;1.1;AES256\n"), Some(Encryption::AnsibleVault));
        assert_eq!(Encryption::of(b"gAAAAABk"), Some(Encryption::Fernet));
        assert_eq!(Encryption::of(br#"{"ss58Address":""}"#), None);
        assert_eq!(Encryption::of(b""), None);
    }
}
