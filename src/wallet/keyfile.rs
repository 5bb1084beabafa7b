//! The JSON of a key file, without its encryption (wire.md §13).

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::phrase::{Phrase, PhraseError};
use super::secret::Secret;
use crate::wire::{Keypair, ss58};

/// `cryptoType` of the only kind of key that we have.
const SR25519: u64 = 1;
const ED25519: u64 = 0;

/// Why a text is no key file. None of what it holds is repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyfileFault {
    /// Not a JSON object, or one cut short.
    #[error(
        "not a key file: no JSON object with texts, or damaged in line {line}, column {column}"
    )]
    NoJson {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// An ed25519 key.
    #[error(
        "an ed25519 key (cryptoType 0); a neuron needs an sr25519 key: make one with `sn1 wallet new` or btcli"
    )]
    Ed25519,
    /// A kind of key that nobody knows.
    #[error("cryptoType {0} is unknown; sr25519 is 1")]
    CryptoType(u64),
    /// A part is not what its name says.
    #[error("`{part}` is not {expected}")]
    Part {
        /// The part.
        part: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// The words are no mnemonic.
    #[error("`secretPhrase`: {0}")]
    Phrase(PhraseError),
    /// Two parts belong to different keys.
    #[error("`{one}` and `{other}` belong to different keys; restore the key from its mnemonic")]
    Disagree {
        /// A part.
        one: &'static str,
        /// A part that contradicts it.
        other: &'static str,
    },
    /// No part says anything.
    #[error("holds no key: neither a secret nor an address")]
    Empty,
}

/// What a key file holds.
#[derive(Debug)]
pub(super) enum KeyInFile {
    /// A key that can sign.
    Pair(Box<Keypair>),
    /// A public key alone.
    Public([u8; 32]),
}

impl KeyInFile {
    pub(super) fn public(&self) -> [u8; 32] {
        match self {
            Self::Pair(pair) => pair.public(),
            Self::Public(public) => *public,
        }
    }
}

/// The JSON as it stands in the file; every part may be absent.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Parts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    private_key: Option<Zeroizing<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret_phrase: Option<Zeroizing<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret_seed: Option<Zeroizing<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ss58_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crypto_type: Option<u64>,
}

/// Reads a key file.
pub(super) fn read(text: &[u8]) -> Result<KeyInFile, KeyfileFault> {
    // serde_json would quote the file in its message.
    let parts: Parts = serde_json::from_slice(text)
        .map_err(|error| KeyfileFault::NoJson { line: error.line(), column: error.column() })?;
    match parts.crypto_type {
        None | Some(SR25519) => {}
        Some(ED25519) => return Err(KeyfileFault::Ed25519),
        Some(other) => return Err(KeyfileFault::CryptoType(other)),
    }
    match parts.secret()? {
        Some((pair, part)) => {
            parts.check_public(&pair.public(), part)?;
            Ok(KeyInFile::Pair(Box::new(pair)))
        }
        None => {
            let (public, part) = parts.public()?.ok_or(KeyfileFault::Empty)?;
            parts.check_public(&public, part)?;
            Ok(KeyInFile::Public(public))
        }
    }
}

/// Reads a file with a public key: a key file without a secret, or the bare `0x…` of old wallets.
pub(super) fn read_public(text: &[u8]) -> Result<[u8; 32], KeyfileFault> {
    match std::str::from_utf8(text).map(str::trim) {
        Ok(line) if line.starts_with("0x") => {
            bytes(line).map(|bytes| *bytes).ok_or(PUBLIC_KEY.fault("public key"))
        }
        _ => read(text).map(|key| key.public()),
    }
}

/// Writes a key file as the Python wallet 4.1.1 does.
pub(super) fn write(pair: &Keypair, seed: &[u8; 32], phrase: Option<&Phrase>) -> Secret {
    let secret = |bytes: &[u8]| Some(Zeroizing::new(format!("0x{}", hex::encode(bytes))));
    serialized(&Parts {
        private_key: secret(&*pair.secret_bytes()),
        secret_phrase: phrase.map(Phrase::words),
        secret_seed: secret(seed),
        ..Parts::of_public(&pair.public())
    })
}

/// Writes a file with a public key alone.
pub(super) fn write_public(public: &[u8; 32]) -> Vec<u8> {
    serialized(&Parts::of_public(public)).expose().to_vec()
}

fn serialized(parts: &Parts) -> Secret {
    // Room for the longest, so that no part is left behind by a buffer that grew. Writing texts and
    // a number to memory does not fail.
    let mut text = Vec::with_capacity(2 << 10);
    let _ = serde_json::to_writer(&mut text, parts);
    Secret::new(text)
}

/// The shape of a part that holds bytes.
struct Shape(&'static str);

const PUBLIC_KEY: Shape = Shape("0x and 64 hex digits");
const PRIVATE_KEY: Shape = Shape("0x and the 128 hex digits of an sr25519 secret");

impl Shape {
    fn fault(&self, part: &'static str) -> KeyfileFault {
        KeyfileFault::Part { part, expected: self.0 }
    }
}

impl Parts {
    fn of_public(public: &[u8; 32]) -> Self {
        let hex = format!("0x{}", hex::encode(public));
        Self {
            account_id: Some(hex.clone()),
            public_key: Some(hex),
            private_key: None,
            secret_phrase: None,
            secret_seed: None,
            ss58_address: Some(ss58::encode(public)),
            crypto_type: Some(SR25519),
        }
    }

    /// The key of the secret parts, and the part that it was made of: the words, else the seed, else
    /// the private key, in the order of the SDK.
    fn secret(&self) -> Result<Option<(Keypair, &'static str)>, KeyfileFault> {
        let phrase = self.secret_phrase.as_ref().map(|words| Phrase::parse(words));
        let from_words = phrase.transpose().map_err(KeyfileFault::Phrase)?.map(|it| it.seed());
        let seed = self
            .secret_seed
            .as_ref()
            .map(|hex| bytes::<32>(hex).ok_or(PUBLIC_KEY.fault("secretSeed")));
        let seed = seed.transpose()?;
        let private = self
            .private_key
            .as_ref()
            .map(|hex| bytes::<64>(hex).ok_or(PRIVATE_KEY.fault("privateKey")));
        let private = private.transpose()?;
        let part = if from_words.is_some() { "secretPhrase" } else { "secretSeed" };
        if let (Some(words), Some(seed)) = (&from_words, &seed)
            && words != seed
        {
            return Err(KeyfileFault::Disagree { one: part, other: "secretSeed" });
        }
        let (pair, part) = match (from_words.or(seed), &private) {
            (Some(seed), _) => {
                (Keypair::from_seed(&seed).map_err(|_| PUBLIC_KEY.fault(part))?, part)
            }
            (None, Some(secret)) => {
                let pair = Keypair::from_secret_bytes(secret);
                (pair.map_err(|_| PRIVATE_KEY.fault("privateKey"))?, "privateKey")
            }
            (None, None) => return Ok(None),
        };
        match private {
            Some(private) if *private != *pair.secret_bytes() => {
                Err(KeyfileFault::Disagree { one: part, other: "privateKey" })
            }
            _ => Ok(Some((pair, part))),
        }
    }

    /// The public key of the first public part.
    fn public(&self) -> Result<Option<([u8; 32], &'static str)>, KeyfileFault> {
        Ok(self.publics()?.into_iter().next().map(|(part, public)| (public, part)))
    }

    /// That every public part is of the key that `source` gave.
    fn check_public(&self, expected: &[u8; 32], source: &'static str) -> Result<(), KeyfileFault> {
        match self.publics()?.into_iter().find(|(_, public)| public != expected) {
            Some((other, _)) => Err(KeyfileFault::Disagree { one: source, other }),
            None => Ok(()),
        }
    }

    /// The public parts that are there.
    fn publics(&self) -> Result<Vec<(&'static str, [u8; 32])>, KeyfileFault> {
        let mut publics = Vec::new();
        for (part, text) in [("publicKey", &self.public_key), ("accountId", &self.account_id)] {
            if let Some(hex) = text {
                publics.push((part, *bytes(hex).ok_or(PUBLIC_KEY.fault(part))?));
            }
        }
        if let Some(address) = &self.ss58_address {
            let (part, expected) = ("ss58Address", "an SS58 address");
            let fault = |_| KeyfileFault::Part { part, expected };
            publics.push((part, ss58::decode(address).map_err(fault)?));
        }
        Ok(publics)
    }
}

/// The bytes of hex digits, with or without `0x`.
fn bytes<const N: usize>(text: &str) -> Option<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    // Some versions of the SDK wrote `0x0x`, and all read it.
    let digits = text.trim_start_matches("0x");
    hex::decode_to_slice(digits, bytes.as_mut()).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests;
