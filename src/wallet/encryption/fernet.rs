//! Fernet tokens, as the first versions of the SDK wrote them: AES-128-CBC and HMAC-SHA256 under one
//! key of 32 bytes, which ten million rounds of PBKDF2 make of the password (wire.md §13).

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockDecryptMut, KeyIvInit};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use super::super::secret::Secret;
use super::DecryptError;

pub(super) const HEAD: &[u8] = b"gAAAAA";
const VERSION: u8 = 0x80;

const SALT: &[u8] = b"Iguesscyborgslikemyselfhaveatendencytobeparanoidaboutourorigins";
const ROUNDS: u32 = 10_000_000;

pub(super) fn decrypt(content: &[u8], password: &Secret) -> Result<Secret, DecryptError> {
    let token = Token::parse(content)?;
    let mut key = Zeroizing::new([0; 32]);
    pbkdf2::pbkdf2_hmac::<Sha256>(password.expose(), SALT, ROUNDS, key.as_mut());
    token.open(&key)
}

struct Token(Vec<u8>);

/// A token's parts: all that is authenticated, the initial vector and the encrypted text within it,
/// and the code.
struct Split<'a> {
    signed: &'a [u8],
    initial: &'a [u8; 16],
    sealed: &'a [u8],
    code: &'a [u8; 32],
}

impl Token {
    fn parse(content: &[u8]) -> Result<Self, DecryptError> {
        let token = URL_SAFE.decode(content.trim_ascii()).map(Self);
        let token = token.map_err(|_| DecryptError::Damaged("it is no base64"))?;
        let split = token.split().ok_or(DecryptError::Damaged("it is cut short"))?;
        if split.sealed.is_empty() || split.sealed.len() % 16 != 0 {
            return Err(DecryptError::Damaged("it is cut short"));
        }
        Ok(token)
    }

    fn split(&self) -> Option<Split<'_>> {
        let (signed, code) = self.0.split_last_chunk::<32>()?;
        let (&[version, ..], rest) = signed.split_first_chunk::<9>()?;
        let (initial, sealed) = rest.split_first_chunk::<16>()?;
        (version == VERSION).then_some(Split { signed, initial, sealed, code })
    }

    /// The first half of the key authenticates, the second encrypts.
    fn open(&self, key: &[u8; 32]) -> Result<Secret, DecryptError> {
        let Split { signed, initial, sealed, code } =
            self.split().ok_or(DecryptError::WrongPassword)?;
        let (signing, encrypting) = key.split_at(16);
        let mut mac = Hmac::<Sha256>::new_from_slice(signing).map_err(|_| WRONG)?;
        mac.update(signed);
        mac.verify_slice(code).map_err(|_| WRONG)?;
        let cipher = cbc::Decryptor::<Aes128>::new_from_slices(encrypting, initial);
        let mut plain = sealed.to_vec();
        let length = cipher.map_err(|_| WRONG)?.decrypt_padded_mut::<Pkcs7>(&mut plain);
        match length.map(<[u8]>::len) {
            Ok(length) => {
                plain.truncate(length);
                Ok(Secret::new(plain))
            }
            Err(_) => {
                plain.zeroize();
                Err(WRONG)
            }
        }
    }
}

const WRONG: DecryptError = DecryptError::WrongPassword;

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Fernet specification.
    const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    const TOKEN: &[u8] = b"gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";

    fn key() -> [u8; 32] {
        URL_SAFE.decode(KEY).unwrap().try_into().unwrap()
    }

    #[test]
    fn opens_the_token_of_the_specification() {
        let plain = Token::parse(TOKEN).unwrap().open(&key()).unwrap();
        assert_eq!(plain.expose(), b"hello");
    }

    #[test]
    fn a_changed_token_or_key_opens_nothing() {
        let token = URL_SAFE.decode(TOKEN).unwrap();
        for at in 1..token.len() {
            let mut changed = Token(token.clone());
            changed.0[at] ^= 1;
            assert_eq!(changed.open(&key()).unwrap_err(), WRONG, "{at}");
        }
        let mut other = key();
        other[0] ^= 1;
        assert_eq!(Token(token).open(&other).unwrap_err(), WRONG);
    }

    #[test]
    fn a_token_cut_short_is_refused_before_the_costly_part() {
        let password = Secret::new(b"password".to_vec());
        for length in HEAD.len()..TOKEN.len() {
            let cut = decrypt(&TOKEN[..length], &password);
            assert!(matches!(cut, Err(DecryptError::Damaged(_))), "{length}");
        }
    }
}
