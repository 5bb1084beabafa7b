//! Ansible vaults, versions 1.1 and 1.2, as SDKs up to 6 wrote them for a while: AES-256-CTR and
//! HMAC-SHA256 under keys by PBKDF2, hex within hex.

use aes::Aes256;
use aes::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::super::secret::Secret;
use super::DecryptError;

pub(super) const HEAD: &[u8] = b"$ANSIBLE_VAULT";
const ROUNDS: u32 = 10_000;
const BLOCK: usize = 16;

const WRONG: DecryptError = DecryptError::WrongPassword;
const DAMAGED: DecryptError = DecryptError::Damaged("it is no vault of version 1.1 or 1.2");

pub(super) fn decrypt(content: &[u8], password: &Secret) -> Result<Secret, DecryptError> {
    let Parts { salt, code, sealed } = Parts::parse(content).ok_or(DAMAGED)?;
    let mut keys = Zeroizing::new([0; 32 + 32 + BLOCK]);
    pbkdf2::pbkdf2_hmac::<Sha256>(password.expose(), &salt, ROUNDS, keys.as_mut());
    let (encrypting, rest) = keys.split_at(32);
    let (signing, counter) = rest.split_at(32);
    let mut mac = Hmac::<Sha256>::new_from_slice(signing).map_err(|_| WRONG)?;
    mac.update(&sealed);
    mac.verify_slice(&code).map_err(|_| WRONG)?;
    let mut cipher =
        ctr::Ctr128BE::<Aes256>::new_from_slices(encrypting, counter).map_err(|_| WRONG)?;
    let mut plain = Zeroizing::new(sealed);
    cipher.apply_keystream(&mut plain);
    let padding = usize::from(plain.last().copied().unwrap_or_default());
    let length = plain.len().checked_sub(padding).filter(|_| (1..=BLOCK).contains(&padding));
    let plain = length.and_then(|length| plain.get(..length)).ok_or(DAMAGED)?;
    Ok(Secret::new(plain.to_vec()))
}

struct Parts {
    salt: Vec<u8>,
    code: Vec<u8>,
    sealed: Vec<u8>,
}

impl Parts {
    /// A header, then lines of hex digits that are three lines of hex digits themselves.
    fn parse(content: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(content).ok()?;
        let (header, body) = text.split_once('\n')?;
        let mut header = header.trim_end().split(';').skip(1);
        if !matches!(header.next(), Some("1.1" | "1.2")) || header.next() != Some("AES256") {
            return None;
        }
        let digits: String = body.split_whitespace().collect();
        let inner = String::from_utf8(hex::decode(digits).ok()?).ok()?;
        let mut lines = inner.split('\n').map(|line| hex::decode(line).ok());
        let (salt, code, sealed) = (lines.next()??, lines.next()??, lines.next()??);
        lines.next().is_none().then_some(Self { salt, code, sealed })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testkit::fixture;
    use super::*;

    fn password() -> Secret {
        Secret::new(b"sn1-Test-Passw0rd!".to_vec())
    }

    #[test]
    fn opens_what_ansible_wrote() {
        let plain = decrypt(&fixture("old/vault"), &password()).unwrap();
        assert_eq!(plain.expose(), fixture("old/plain"));
    }

    #[test]
    fn a_wrong_password_or_a_changed_digit_opens_nothing() {
        let vault = fixture("old/vault");
        let other = Secret::new(b"another".to_vec());
        assert_eq!(decrypt(&vault, &other).unwrap_err(), WRONG);
        let mut changed = vault.clone();
        let last = changed.iter().rposition(u8::is_ascii_hexdigit).unwrap();
        changed[last] = if changed[last] == b'1' { b'2' } else { b'1' };
        assert_eq!(decrypt(&changed, &password()).unwrap_err(), WRONG);
    }

    #[test]
    fn what_is_no_vault_is_damaged() {
        let vault = String::from_utf8(fixture("old/vault")).unwrap();
        for wrong in [
            "$ANSIBLE_VAULT".to_owned(),
            "$ANSIBLE_VAULT;1.1;AES256\n".to_owned(),
            "$ANSIBLE_VAULT;1.1;AES256\n616263\n".to_owned(),
            vault.replace("1.1", "1.0"),
            vault.replace("AES256", "AES"),
            vault.trim_end()[..vault.len() / 2].to_owned(),
        ] {
            assert_eq!(decrypt(wrong.as_bytes(), &password()).unwrap_err(), DAMAGED, "{wrong}");
        }
    }
}
