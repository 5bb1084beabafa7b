//! A key: the secret that a user holds, and the entry that is kept of it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

/// What every key begins with, so that scanners for leaked secrets find it.
pub const PREFIX: &str = "sk-sn1-";
/// Longer than any key; what is longer is none, and is not hashed.
const LONGEST: usize = 64;
/// So many characters of a key are kept to tell it from others.
const SHOWN: usize = PREFIX.len() + 4;
/// Characters of an id, in hex.
const ID: usize = 8;

/// A key as its user holds it. It is shown once, and only its hash is kept.
pub struct ApiKey(Zeroizing<String>);

impl ApiKey {
    /// A new one, of 32 bytes from the machine's entropy.
    ///
    /// # Errors
    /// If the machine gives none.
    pub(super) fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut())?;
        let text = Zeroizing::new(bs58::encode(bytes.as_ref()).into_string());
        Ok(Self(Zeroizing::new(format!("{PREFIX}{}", text.as_str()))))
    }

    /// One that everybody knows.
    #[cfg(test)]
    pub(super) fn known(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The text that the user sends.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

/// The SHA-256 of a key. A key has as much entropy as the hash, so neither salt nor a slow hash
/// would add anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyHash([u8; 32]);

impl KeyHash {
    /// Of what somebody presents; none for what is too long to be a key.
    pub(super) fn of(presented: &str) -> Option<Self> {
        (presented.len() <= LONGEST).then(|| Self(Sha256::digest(presented).into()))
    }
}

impl Serialize for KeyHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for KeyHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes)
            .map_err(|_| de::Error::custom("a hash is not 64 hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

/// How much may be asked with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyLimits {
    /// Requests in a minute, from 1.
    pub requests_per_minute: u32,
    /// Requests under way at a time, from 1.
    pub concurrent: u32,
    /// Tokens in a day, questions and answers together, from 1.
    pub tokens_per_day: u64,
}

/// What is kept of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// Names it for good.
    pub id: String,
    /// What its maker calls it; no two keys in use have the same.
    pub name: String,
    /// Its first characters.
    pub shown: String,
    pub(super) hash: KeyHash,
    /// When it was made, in seconds since the Unix epoch.
    pub created: u64,
    /// When it was revoked.
    pub revoked: Option<u64>,
    /// How much may be asked with it.
    pub limits: KeyLimits,
}

impl KeyEntry {
    /// Of a new key.
    pub(super) fn of(key: &ApiKey, name: &str, limits: KeyLimits, created: u64) -> Self {
        let text = key.expose();
        let hash = KeyHash(Sha256::digest(text).into());
        Self {
            // The beginning of a hash says no more about the key than the whole.
            id: hex::encode(hash.0).chars().take(ID).collect(),
            name: name.to_owned(),
            shown: text.chars().take(SHOWN).collect(),
            hash,
            created,
            revoked: None,
            limits,
        }
    }
}

/// The key in use that somebody presents. All are compared whatever the first ones come to, so that
/// the time tells nothing of them.
pub(super) fn find<'keys>(keys: &'keys [KeyEntry], presented: &str) -> Option<&'keys KeyEntry> {
    let hash = KeyHash::of(presented)?;
    let mut found = 0_u64;
    for (number, key) in (1..).zip(keys) {
        let in_use = Choice::from(u8::from(key.revoked.is_none()));
        found.conditional_assign(&number, key.hash.0.ct_eq(&hash.0) & in_use);
    }
    keys.get(usize::try_from(found.checked_sub(1)?).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_long_differ_and_do_not_show_in_debug() {
        let (one, other) = (ApiKey::generate().unwrap(), ApiKey::generate().unwrap());
        let text = one.expose();
        assert_ne!(text, other.expose());
        assert!((45..=LONGEST).contains(&text.len()), "{text}");
        let of_prefix = text.strip_prefix(PREFIX).unwrap();
        assert_eq!(bs58::decode(of_prefix).into_vec().unwrap().len(), 32);
        assert_eq!(format!("{one:?}"), "ApiKey(..)");
    }
}
